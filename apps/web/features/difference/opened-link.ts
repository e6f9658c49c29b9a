import { decodeMoment, holdsMoment, type Moment } from "@/lib/moment-link";
import { type DifferenceSettings, parseDifferenceSettings } from "./difference-settings";

/** What is wrong with a link; `baseline`: it names a policy that has no scores. */
export interface LinkProblem {
  readonly kind: "unreadable" | "baseline";
  readonly text: string;
}

/** What the address of this page asks for; nothing when it is the plain page. */
export interface OpenedLink {
  readonly moment?: Moment;
  readonly problem?: LinkProblem;
}

const NO_SCORES =
  "This link compares with a baseline. Baselines act by a rule: they have no scores, so there is no map of what they would do. They can run in a race.";

/** Reads the address. */
export function openedLink(search: string): OpenedLink {
  const params = new URLSearchParams(search);
  if (!holdsMoment(params)) return {};
  const { moment, problem } = decodeMoment(params);
  if (moment === undefined) return { problem: { kind: "unreadable", text: problem } };
  if (moment.mode !== "difference") {
    return {
      problem: {
        kind: "unreadable",
        text: "This link is about another view than Differences. Copy the whole link again.",
      },
    };
  }
  if (moment.lanes.some(({ policy }) => "baseline" in policy))
    return { problem: { kind: "baseline", text: NO_SCORES } };
  return { moment };
}

/** What this browser kept, with what the link asks for in its place. */
export function settingsWith(kept: string | null, { moment }: OpenedLink): DifferenceSettings {
  const settings = parseDifferenceSettings(kept);
  if (moment === undefined) return settings;
  const [a, b] = moment.lanes;
  if (a === undefined || b === undefined || !("modelId" in a.policy) || !("modelId" in b.policy)) return settings;
  return {
    ...settings,
    a: a.policy.modelId,
    b: b.policy.modelId,
    sampling: a.sampling,
    seed: String(moment.seed),
    ...("mazeId" in moment.maze ? { mazeId: moment.maze.mazeId } : {}),
  };
}
