import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { LARGEST_SEED } from "@/lib/seed";
import { LARGEST_DRAWN, packDrawnMaze, SMALLEST_DRAWN, unpackDrawnMaze } from "./moment-link-maze";

/** Version of the links that are written. A link of another version is refused, never guessed at. */
export const LINK_VERSION = 1;

/** The four ways to look at policies; each is a route of its own. */
export type MomentMode = "watch" | "race" | "difference" | "draw";

/** Who acts: a model version or one of the baselines. */
export type MomentPolicy = { readonly modelId: string } | { readonly baseline: Baseline };

/** How actions are taken; `temperature` is 0.01–10. */
export type MomentSampling = "greedy" | { readonly temperature: number };

/** One policy with its sampling. */
export interface MomentLane {
  readonly policy: MomentPolicy;
  readonly sampling: MomentSampling;
}

/** A maze by its id, or a drawn one by its rows (5 × 5 to 50 × 50, one start and one goal). */
export type MomentMaze = { readonly mazeId: string } | { readonly rows: readonly string[] };

/** All that is needed to show a moment again: an episode is a pure function of it. */
export interface Moment {
  readonly mode: MomentMode;
  /** Watch: one. Race: one to four. Difference: two. Draw: one, or none while nothing has run. */
  readonly lanes: readonly MomentLane[];
  readonly maze: MomentMaze;
  /** Seed of the random draws, 64 bits without sign. */
  readonly seed: bigint;
  /** Steps taken, 0–20,000; 0 is the start. */
  readonly step: number;
}

/** Either the moment, or one sentence about what is wrong with the link and what to do. */
export type DecodedMoment =
  | { readonly moment: Moment; readonly problem?: never }
  | { readonly problem: string; readonly moment?: never };

/** Route of each mode. */
export const modePaths: Readonly<Record<MomentMode, string>> = {
  watch: "/",
  race: "/race",
  difference: "/difference",
  draw: "/draw",
};

/** Baselines as links name them. */
export const baselineSlugs: ReadonlyMap<Baseline, string> = new Map([
  [Baseline.RANDOM, "random"],
  [Baseline.WALL_FOLLOWER, "wall-follower"],
  [Baseline.LEAST_RECENTLY_VISITED, "least-recently-visited"],
  [Baseline.TRAIL_HEURISTIC, "trail-heuristic"],
  [Baseline.MEMORY_HEURISTIC, "memory-heuristic"],
  [Baseline.NEAREST_FRONTIER, "nearest-frontier"],
  [Baseline.SHORTEST_PATH, "shortest-path"],
]);

/** 2 · 100 · 100, the step limit of the largest maze there is. */
const LARGEST_STEP = 20_000;
const LOWEST_TEMPERATURE = 0.01;
const HIGHEST_TEMPERATURE = 10;
const MOST_LANES = 4;
/** Four lanes with the longest names and a drawn maze of 50 × 50 stay below. */
const LONGEST_LINK = 2_000;

/** What only links hold. `v` stands last in a link, so that one which was cut off lacks it. */
const linkNames = ["mode", "model", "against", "lane", "maze", "drawn", "seed", "step", "v"] as const;
type LinkName = (typeof linkNames)[number];

/**
 * Writes a moment as the query of its link, `model=ppo-memory-1&maze=heldout-0007&seed=7&step=42&v=1` for example. A policy is the id of a model or
 * `baseline_random`; softmax sampling is `_t` and the temperature behind it (`ppo-memory-1_t0.5`). `_` stands in no id.
 */
export function encodeMoment(moment: Moment): URLSearchParams {
  const params = new URLSearchParams();
  if (moment.mode !== "watch") params.set("mode", moment.mode);
  moment.lanes.forEach((lane, at) => {
    params.append(laneName(moment.mode, at), laneText(lane));
  });
  if ("mazeId" in moment.maze) params.set("maze", moment.maze.mazeId);
  else params.set("drawn", packDrawnMaze(moment.maze.rows));
  // A drawing in which nothing has run yet is at its start.
  if (moment.mode !== "draw" || moment.seed !== 0n) params.set("seed", String(moment.seed));
  if (moment.mode !== "draw" || moment.step !== 0) params.set("step", String(moment.step));
  params.set("v", String(LINK_VERSION));
  return params;
}

/** Path and query of a moment: `/race?mode=race&lane=…`. */
export function momentPath(moment: Moment): string {
  return `${modePaths[moment.mode]}?${encodeMoment(moment)}`;
}

/** Whether a query wants to be a link to a moment; other parameters are of no interest. */
export function holdsMoment(params: URLSearchParams): boolean {
  return linkNames.some((name) => params.has(name));
}

/** Reads the query of a link. It never throws; whatever is not exactly a link of this version is a problem. */
export function decodeMoment(params: URLSearchParams): DecodedMoment {
  try {
    return { moment: readMoment(params) };
  } catch (reason) {
    if (reason instanceof LinkProblem) return { problem: reason.message };
    return { problem: "This link cannot be read. Copy it again from the page that it came from." };
  }
}

/** Why a link cannot be opened; its message is for people. */
class LinkProblem extends Error {}

function readMoment(params: URLSearchParams): Moment {
  const length = linkNames.reduce((sum, name) => sum + params.getAll(name).join("").length, 0);
  if (length > LONGEST_LINK) {
    throw new LinkProblem(
      "This link is too long to be one of this page. Copy it again from the page that it came from.",
    );
  }
  const version = single(params, "v");
  if (version === undefined) {
    throw new LinkProblem("This link is incomplete: its end (v=1) is missing. Copy the whole link again.");
  }
  if (version !== String(LINK_VERSION)) {
    throw new LinkProblem(
      /^[1-9]\d{0,3}$/.test(version)
        ? `This link is of version ${version}, and this page reads version ${LINK_VERSION}. Reload the page, or ask for a new link.`
        : `This link names no version that there is (v=${shown(version)}). Copy the whole link again.`,
    );
  }
  const mode = readMode(single(params, "mode"));
  const lanes = readLanes(params, mode);
  const maze = readMaze(params);
  const seed = readSeed(single(params, "seed"), mode);
  const step = readStep(single(params, "step"), mode);
  return { mode, lanes, maze, seed, step };
}

function readMode(text: string | undefined): MomentMode {
  if (text === undefined) return "watch";
  if (text in modePaths && Object.hasOwn(modePaths, text)) return text as MomentMode;
  throw new LinkProblem(`This link asks for a view that is not there (mode=${shown(text)}). Copy the link again.`);
}

function readLanes(params: URLSearchParams, mode: MomentMode): MomentLane[] {
  const texts =
    mode === "race"
      ? params.getAll("lane")
      : [single(params, "model"), mode === "difference" ? single(params, "against") : undefined];
  const lanes = texts.flatMap((text) => (text === undefined ? [] : [readLane(text)]));
  if (mode === "race") {
    if (lanes.length === 0) {
      throw new LinkProblem("This link to a race names nobody who runs (lane=…). Copy the whole link again.");
    }
    if (lanes.length > MOST_LANES) {
      throw new LinkProblem(
        `This link has ${lanes.length} lanes, and a race has at most ${MOST_LANES}. Take some out of it.`,
      );
    }
  } else if (mode !== "draw" && texts[0] === undefined) {
    throw new LinkProblem("This link does not say which model acts (model=…). Copy the whole link again.");
  } else if (mode === "difference" && texts[1] === undefined) {
    throw new LinkProblem(
      "This link does not say what the model is compared with (against=…). Copy the whole link again.",
    );
  }
  return lanes;
}

function readLane(text: string): MomentLane {
  const [, baseline, modelId, temperature] =
    /^(?:baseline_([a-z-]{1,40})|([a-z0-9.-]{1,128}))(?:_t([^_]*))?$/.exec(text) ?? [];
  const sampling = temperature === undefined ? "greedy" : { temperature: readTemperature(temperature) };
  if (modelId !== undefined) return { policy: { modelId }, sampling };
  if (baseline !== undefined) {
    for (const [value, slug] of baselineSlugs) if (slug === baseline) return { policy: { baseline: value }, sampling };
    throw new LinkProblem(`This link names a baseline that is not there (${shown(baseline)}). Copy the link again.`);
  }
  throw new LinkProblem(
    `This link names a model in a way that no model is named (${shown(text)}). Copy the link again.`,
  );
}

function readTemperature(text: string): number {
  const temperature = Number(text);
  if (/^\d{1,2}(\.\d{1,20})?$/.test(text) && temperature >= LOWEST_TEMPERATURE && temperature <= HIGHEST_TEMPERATURE) {
    return temperature;
  }
  throw new LinkProblem(
    `This link asks for a temperature of ${shown(text)}; it can be from ${LOWEST_TEMPERATURE} to ${HIGHEST_TEMPERATURE}. Correct the number behind _t.`,
  );
}

function readMaze(params: URLSearchParams): MomentMaze {
  const mazeId = single(params, "maze");
  const drawn = single(params, "drawn");
  if (mazeId !== undefined && drawn !== undefined) {
    throw new LinkProblem(
      "This link names two mazes, one by its id and one drawn. Copy it again from the page that it came from.",
    );
  }
  if (drawn !== undefined) {
    const unpacked = unpackDrawnMaze(drawn);
    switch (unpacked.fault) {
      case undefined:
        return { rows: unpacked.rows };
      case "size":
        throw new LinkProblem(
          `The drawn maze of this link is ${unpacked.size}; a drawn maze is from ${SMALLEST_DRAWN} × ${SMALLEST_DRAWN} to ${LARGEST_DRAWN} × ${LARGEST_DRAWN}. Draw a smaller or larger one.`,
        );
      case "marks":
        throw new LinkProblem(
          "The drawn maze of this link has no valid start and goal. Copy the link again from the drawing.",
        );
      default:
        throw new LinkProblem(
          "The drawn maze of this link is damaged or cut off. Copy the whole link again from the drawing.",
        );
    }
  }
  if (mazeId === undefined) {
    throw new LinkProblem(
      "This link does not say which maze it is about (maze=… or drawn=…). Copy the whole link again.",
    );
  }
  if (!/^[a-z0-9][a-z0-9.-]{0,127}$/.test(mazeId)) {
    throw new LinkProblem(
      `This link names a maze in a way that no maze is named (${shown(mazeId)}). Copy the link again.`,
    );
  }
  return { mazeId };
}

function readSeed(text: string | undefined, mode: MomentMode): bigint {
  if (text === undefined) {
    if (mode === "draw") return 0n;
    throw new LinkProblem("This link does not say with which seed it ran (seed=…). Copy the whole link again.");
  }
  if (/^(0|[1-9]\d{0,19})$/.test(text)) {
    const seed = BigInt(text);
    if (seed <= LARGEST_SEED) return seed;
  }
  throw new LinkProblem(
    `The seed of this link (${shown(text)}) is no whole number from 0 to ${LARGEST_SEED}. Correct it, or copy the link again.`,
  );
}

function readStep(text: string | undefined, mode: MomentMode): number {
  if (text === undefined) {
    if (mode === "draw") return 0;
    throw new LinkProblem("This link does not say which step it shows (step=…). Copy the whole link again.");
  }
  if (/^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= LARGEST_STEP) return Number(text);
  throw new LinkProblem(
    `The step of this link (${shown(text)}) is no whole number from 0 to ${LARGEST_STEP}. Correct it, or copy the link again.`,
  );
}

/** Value of a parameter that may stand once; undefined when it is missing or empty. */
function single(params: URLSearchParams, name: LinkName): string | undefined {
  const values = params.getAll(name);
  if (values.length > 1) {
    throw new LinkProblem(
      `This link says ${name} ${values.length} times. Copy it again from the page that it came from.`,
    );
  }
  return values[0] === "" ? undefined : values[0];
}

function laneName(mode: MomentMode, at: number): LinkName {
  if (mode === "race") return "lane";
  return at === 0 ? "model" : "against";
}

function laneText({ policy, sampling }: MomentLane): string {
  const who = "modelId" in policy ? policy.modelId : `baseline_${baselineSlugs.get(policy.baseline) ?? ""}`;
  return sampling === "greedy" ? who : `${who}_t${sampling.temperature}`;
}

/** A foreign text inside a sentence: short, and without what is not printable. */
function shown(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, "?");
  return printable.length > 24 ? `${printable.slice(0, 23)}…` : printable;
}
