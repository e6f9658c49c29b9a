import { decodeMoment, holdsMoment, type Moment } from "@/lib/moment-link";
import { type InferenceSettings, parseSettings } from "./settings";

/** What the address of this page asks for; nothing when it is the plain page. */
export interface OpenedLink {
  readonly moment?: Moment;
  /** It asks for more than to be shown: from its moment on the episode runs (`play=1`). */
  readonly plays?: boolean;
  /** One sentence about what is wrong with it. */
  readonly problem?: string;
}

/** Reads the address. */
export function openedLink(search: string): OpenedLink {
  const params = new URLSearchParams(search);
  if (!holdsMoment(params)) return {};
  const { moment, problem } = decodeMoment(params);
  if (moment === undefined) return { problem };
  if (moment.mode !== "watch") {
    return { problem: "This link is about another view than this one. Copy the whole link again." };
  }
  if (moment.lanes.some(({ policy }) => "baseline" in policy)) {
    return { problem: "This link names a baseline. Baselines act by a rule and run in a race; here a model runs." };
  }
  return params.has("play") ? { moment, plays: true } : { moment };
}

/** What this browser kept, with what the link asks for in its place. */
export function settingsWith(kept: string | null, { moment }: OpenedLink): InferenceSettings {
  const settings = parseSettings(kept);
  const lane = moment?.lanes[0];
  if (moment === undefined || lane === undefined || !("modelId" in lane.policy)) return settings;
  return {
    ...settings,
    modelId: lane.policy.modelId,
    seed: String(moment.seed),
    ...(lane.sampling === "greedy"
      ? { sampling: "greedy" as const }
      : { sampling: "softmax" as const, temperature: lane.sampling.temperature }),
    ...("mazeId" in moment.maze ? { mazeId: moment.maze.mazeId } : {}),
  };
}
