import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { count } from "@/lib/format";

const senses: Record<string, string> = {
  "plain/1": "sees 25 cells and remembers nothing, so it walks in circles",
  "trail/1": "sees 25 cells and its own trail",
  "memory/1": "sees 25 cells, its own trail and known dead ends",
};

/** One line that says what one looks at. */
export function captionOf(model: Model | undefined, maze: Maze | undefined): string {
  const who = model?.title || "The agent";
  const sense = senses[model?.observation ?? ""] ?? "sees 25 cells around it";
  const known = maze?.setId === "training" ? "It was trained on this maze." : "It has never seen this maze.";
  return `${who} ${sense}. ${known}`;
}

/** What a model is worth, in a few words; empty for one without a measured rate. */
export function successText(model: Model): string {
  const rate = model.success[0];
  if (rate === undefined || rate.episodes === 0) return "";
  return `${count(rate.successes)} of ${count(rate.episodes)} unseen mazes`;
}
