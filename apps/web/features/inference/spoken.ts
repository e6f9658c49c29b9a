import type { PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import { loopText } from "./board-line";
import type { Activity } from "./episode-session";
import { resultSentence } from "./result-sentence";

type Spoken = Pick<
  PlaybackSnapshot,
  "shownStep" | "liveStep" | "maxSteps" | "row" | "col" | "mode" | "loop" | "result" | "shortestPath"
>;

/** The state in a sentence or two, for people who hear the page instead of seeing it. Empty while there is nothing to say. */
export function spokenState(activity: Activity, snapshot: Spoken): string {
  const { shownStep, liveStep, row, col, result } = snapshot;
  const place = `step ${shownStep} of at most ${snapshot.maxSteps}, row ${row}, column ${col}`;
  if (snapshot.mode === "live" && activity === "finished" && result !== undefined) {
    return resultSentence(result, snapshot.shortestPath);
  }
  if (liveStep === 0) return "";
  const loop = snapshot.loop === undefined ? "" : ` ${loopText(snapshot.loop)}`;
  if (snapshot.mode === "replay") return `Playing from memory: ${place}.${loop}`;
  if (snapshot.mode === "still") return `Looking at ${place}; ${liveStep - shownStep} behind.${loop}`;
  if (activity === "running") return `Running: ${place}.${loop}`;
  return activity === "paused" ? `Stopped at ${place}.${loop}` : "";
}
