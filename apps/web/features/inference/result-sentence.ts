import { Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { EpisodeResult } from "@rlmaze/episode-playback/episode-playback";
import { count } from "@/lib/format";

/** One sentence about the end of an episode. */
export function resultSentence(result: EpisodeResult, shortestPath: number): string {
  const steps = `${count(result.steps)} steps`;
  return result.outcome === Outcome.REACHED_GOAL
    ? `Reached the goal in ${steps}; the shortest path has ${count(shortestPath)}.`
    : `Stopped by the step limit after ${steps}.`;
}
