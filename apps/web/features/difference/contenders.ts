import { Algorithm, type Model, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { DifferenceSettings } from "./difference-settings";

/** Models that run on this server. */
export function readyModels(models: readonly Model[]): Model[] {
  return models.filter((model) => model.state === ModelState.READY);
}

/**
 * The two models that are compared: those that were chosen, where this server has them; else the active one, and with it one of another
 * algorithm, because two ways of learning differ in the most telling places. Undefined when fewer than two models run.
 */
export function contendersOf(
  settings: Pick<DifferenceSettings, "a" | "b">,
  models: readonly Model[],
): { readonly a: Model; readonly b: Model } | undefined {
  const ready = readyModels(models);
  const [anyone] = ready;
  if (anyone === undefined || ready.length < 2) return undefined;
  const named = (modelId: string) => ready.find((model) => model.modelId === modelId);
  const a = named(settings.a) ?? ready.find((model) => model.active) ?? anyone;
  const others = ready.filter((model) => model !== a);
  const otherwise =
    others.find((model) => model.algorithm === Algorithm.DQN && model.observation === a.observation) ??
    others.find((model) => model.algorithm !== a.algorithm) ??
    others[0];
  const b = named(settings.b) ?? otherwise;
  return b === undefined ? undefined : { a, b };
}
