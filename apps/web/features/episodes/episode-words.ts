import { Baseline, Outcome, type PolicyRef, type Sampling } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { LoggedEpisode } from "@rlmaze/api/rlmaze/inference/v1/logged_episode_pb";
import { baselineSlugs, type MomentPolicy, type MomentSampling } from "@/lib/moment-link";

/** What a baseline is called: "Wall follower". */
export function baselineTitle(baseline: Baseline): string {
  const words = (baselineSlugs.get(baseline) ?? "baseline").replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Value of a baseline in the address and in lists: `baseline_wall-follower`. */
export function baselineKey(baseline: Baseline): string {
  return `baseline_${baselineSlugs.get(baseline) ?? ""}`;
}

/** The baseline of a {@link baselineKey}; unspecified for any other text. */
export function baselineOf(key: string): Baseline {
  for (const baseline of baselineSlugs.keys()) if (baselineKey(baseline) === key) return baseline;
  return Baseline.UNSPECIFIED;
}

/** Whoever names a policy: an episode, or a count of them. */
interface Acted {
  readonly policy?: PolicyRef | undefined;
}

/** Who acted, as links name it; undefined where the log does not say. */
export function policyOf({ policy }: Acted): MomentPolicy | undefined {
  if (policy?.policy.case === "baseline") return { baseline: policy.policy.value };
  return policy?.policy.case === "modelId" && policy.policy.value !== "" ? { modelId: policy.policy.value } : undefined;
}

/** Who acted, in words. */
export function policyTitle(acted: Acted): string {
  const policy = policyOf(acted);
  if (policy === undefined) return "nobody";
  return "modelId" in policy ? policy.modelId : baselineTitle(policy.baseline);
}

/** Who acted, as the address of the page names it. */
export function policyKey(acted: Acted): string {
  const policy = policyOf(acted);
  if (policy === undefined) return "";
  return "modelId" in policy ? policy.modelId : baselineKey(policy.baseline);
}

export function samplingOf(sampling: Sampling | undefined): MomentSampling {
  return sampling?.sampling.case === "softmax" ? { temperature: sampling.sampling.value.temperature } : "greedy";
}

/** Where it ran: the maze's id, or the size of a drawn one. */
export function mazeTitle({ mazeId, drawnRows }: LoggedEpisode): string {
  return mazeId === "" ? `drawn, ${drawnRows.length} × ${drawnRows[0]?.length ?? 0}` : mazeId;
}

export function outcomeTitle(outcome: Outcome): string {
  if (outcome === Outcome.REACHED_GOAL) return "Reached goal";
  return outcome === Outcome.STEP_LIMIT ? "Step limit" : "Unknown";
}
