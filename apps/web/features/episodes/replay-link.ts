import type { LoggedEpisode } from "@rlmaze/api/rlmaze/inference/v1/logged_episode_pb";
import { type Moment, type MomentMaze, momentPath } from "@/lib/moment-link";
import { LARGEST_DRAWN, SMALLEST_DRAWN } from "@/lib/moment-link-maze";
import { policyOf, samplingOf } from "./episode-words";

/**
 * Where a logged episode is shown again from its start: on Watch, or, since no baseline runs there, as a race of one lane. Undefined for what no
 * link can hold: a drawn maze that is smaller or larger than one can draw on the page, or an episode of nobody.
 */
export function replayLink(episode: LoggedEpisode): string | undefined {
  const policy = policyOf(episode);
  const maze = mazeOf(episode);
  if (policy === undefined || maze === undefined) return undefined;
  const isModel = "modelId" in policy;
  const moment: Moment = {
    mode: isModel ? "watch" : "race",
    lanes: [{ policy, sampling: samplingOf(episode.sampling) }],
    maze,
    seed: episode.seed,
    step: 0,
  };
  return isModel ? `${momentPath(moment)}&play=1` : momentPath(moment);
}

function mazeOf({ mazeId, drawnRows }: LoggedEpisode): MomentMaze | undefined {
  if (mazeId !== "") return { mazeId };
  const sizes = [drawnRows.length, drawnRows[0]?.length ?? 0];
  return Math.min(...sizes) < SMALLEST_DRAWN || Math.max(...sizes) > LARGEST_DRAWN ? undefined : { rows: drawnRows };
}
