import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { type Model, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { EpisodeChoice } from "./episode-session";
import type { InferenceSettings } from "./settings";

/** The episode that the settings ask for in a maze. */
export function choiceOf(settings: InferenceSettings, maze: Maze): EpisodeChoice {
  return {
    maze,
    modelId: settings.modelId,
    ...(settings.seed === "" ? {} : { seed: BigInt(settings.seed) }),
    sampling:
      settings.sampling === "softmax"
        ? { sampling: { case: "softmax", value: { temperature: settings.temperature } } }
        : { sampling: { case: "greedy", value: {} } },
  };
}

/** Two settings ask for the same episode when this text is the same. */
export function choiceKey(settings: InferenceSettings, maze: Maze | undefined): string {
  const temperature = settings.sampling === "softmax" ? settings.temperature : 0;
  return [
    maze === undefined ? "" : maze.mazeId || maze.rows.join("/"),
    settings.modelId,
    settings.seed,
    settings.sampling,
    temperature,
  ].join(" ");
}

/** The model that acts with these settings; undefined when there is none. */
export function actingModel(settings: InferenceSettings, models: readonly Model[]): Model | undefined {
  return settings.modelId === ""
    ? models.find((model) => model.active)
    : models.find((model) => model.modelId === settings.modelId);
}

/** Whether an episode can start: a model acts and is not broken. */
export function canRun(model: Model | undefined): boolean {
  return model !== undefined && model.state === ModelState.READY;
}
