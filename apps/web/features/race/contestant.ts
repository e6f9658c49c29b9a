import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { Algorithm, type Model, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { baselines } from "@/lib/baselines";
import { algorithmName } from "@/lib/format";
import { baselineSlugs, type MomentLane, type MomentPolicy, type MomentSampling } from "@/lib/moment-link";

/** Lanes that one race can hold; the contract allows no more. */
export const MOST_LANES = 4;

const knows: Record<string, string> = {
  "plain/1": "sees 25 cells and remembers nothing",
  "trail/1": "sees 25 cells and its own trail",
  "memory/1": "sees 25 cells, its trail and dead ends",
};

function modelOf(policy: MomentPolicy, models: readonly Model[]): Model | undefined {
  return "modelId" in policy ? models.find((model) => model.modelId === policy.modelId) : undefined;
}

/** What a lane is called. A model that this server does not have keeps its id. */
export function contestantName({ policy }: MomentLane, models: readonly Model[]): string {
  if ("modelId" in policy) return modelOf(policy, models)?.title || policy.modelId;
  return baselines.find((row) => row.baseline === policy.baseline)?.title ?? "Baseline";
}

/** What kind of policy a lane is, in a word: `PPO`, `DQN` or `Baseline`. */
export function contestantKind({ policy }: MomentLane, models: readonly Model[]): string {
  if ("baseline" in policy) return "Baseline";
  const model = modelOf(policy, models);
  return model === undefined ? "Model" : algorithmName(model.algorithm);
}

/** What the policy has to go by, in a few words; empty when it is not known. */
export function contestantKnows({ policy }: MomentLane, models: readonly Model[]): string {
  if ("modelId" in policy) return knows[modelOf(policy, models)?.observation ?? ""] ?? "";
  return baselines.find((row) => row.baseline === policy.baseline)?.knows ?? "";
}

/** Why a lane cannot run on this server, as a part of a sentence; undefined when it can. */
export function problemOf({ policy }: MomentLane, models: readonly Model[]): string | undefined {
  if ("baseline" in policy) return undefined;
  const model = modelOf(policy, models);
  if (model === undefined) return `${policy.modelId} is not on this server`;
  return model.state === ModelState.READY ? undefined : `${policy.modelId} is broken on this server`;
}

/** The value of a policy in a list of choices: the id of a model, or `baseline_` and its name, as in links. */
export function policyKey(policy: MomentPolicy): string {
  return "modelId" in policy ? policy.modelId : `baseline_${baselineSlugs.get(policy.baseline) ?? ""}`;
}

/** The policy of a {@link policyKey}; undefined for any other text. */
export function parsePolicy(key: string): MomentPolicy | undefined {
  const slug = /^baseline_([a-z-]+)$/.exec(key)?.[1];
  if (slug !== undefined) {
    for (const [baseline, name] of baselineSlugs) if (name === slug) return { baseline };
    return undefined;
  }
  return /^[a-z0-9][a-z0-9.-]{0,127}$/.test(key) ? { modelId: key } : undefined;
}

/** Sampling in words: `greedy` or `T = 0.5`. */
export function samplingText(sampling: MomentSampling): string {
  return sampling === "greedy" ? "greedy" : `T = ${sampling.temperature}`;
}

/** Two lanes have the same key when they take the same steps on the same maze with the same seed. */
export function contestantKey({ policy, sampling }: MomentLane): string {
  // Baselines have no scores to sample from.
  return "modelId" in policy ? `${policyKey(policy)} ${samplingText(sampling)}` : policyKey(policy);
}

const greedy = (policy: MomentPolicy): MomentLane => ({ policy, sampling: "greedy" });

/**
 * The race that a first visit shows: the active model, an early checkpoint that shows what training is worth, a value-based model, and the
 * best that planning without learning does. What the server lacks makes way for another baseline.
 */
export function defaultLanes(models: readonly Model[]): MomentLane[] {
  const ready = models.filter((model) => model.state === ModelState.READY);
  const active = ready.find((model) => model.active) ?? ready[0];
  const others = ready.filter((model) => model !== active);
  const early = others.find((model) => model.modelId.includes("early"));
  const valueBased = others.find((model) => model.algorithm === Algorithm.DQN);
  return [
    ...[active, early, valueBased].flatMap((model) => (model ? [greedy({ modelId: model.modelId })] : [])),
    greedy({ baseline: Baseline.NEAREST_FRONTIER }),
    greedy({ baseline: Baseline.MEMORY_HEURISTIC }),
    greedy({ baseline: Baseline.WALL_FOLLOWER }),
    greedy({ baseline: Baseline.LEAST_RECENTLY_VISITED }),
  ].slice(0, MOST_LANES);
}

/** Somebody who is not in the race yet, for the lane that is added next: models first, then the strongest baseline. */
export function nextContestant(lanes: readonly MomentLane[], models: readonly Model[]): MomentLane {
  const running = new Set(lanes.map(contestantKey));
  const candidates = [
    ...models.filter((model) => model.state === ModelState.READY).map(({ modelId }) => greedy({ modelId })),
    ...baselines.map(({ baseline }) => greedy({ baseline })).reverse(),
  ];
  return (
    candidates.find((candidate) => !running.has(contestantKey(candidate))) ??
    greedy({ baseline: Baseline.NEAREST_FRONTIER })
  );
}
