import type { VerifyEpisodeResponse } from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { Action } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { actionName } from "@/lib/format";

/** What is known about whether an episode is what the log says. */
export type Proof =
  | { readonly state: "running" }
  | { readonly state: "identical" }
  /** `text` names what differs first, `detail` says how. */
  | { readonly state: "differs"; readonly text: string; readonly detail: string }
  /** It could not be run again, or not now. */
  | { readonly state: "failed"; readonly message: string };

const fieldNames: Readonly<Record<string, string>> = {
  steps: "steps",
  bumps: "bumps",
  outcome: "outcome",
  total_reward: "reward",
  spl: "SPL",
};

/** What the server found out, in words. */
export function proofOf(answer: VerifyEpisodeResponse): Proof {
  if (answer.identical) return { state: "identical" };
  const step = answer.firstDifferentStep;
  if (step > 0) {
    return {
      state: "differs",
      text: `differs at step ${step}`,
      detail: `Logged is ${move(answer.loggedAction)}; running it again gives ${move(answer.recomputedAction)}.`,
    };
  }
  const fields = answer.differentFields.map((field) => fieldNames[field] ?? field).join(", ");
  return {
    state: "differs",
    text: `differs in ${fields}`,
    detail: "Every step is the one that was logged; the result is not.",
  };
}

function move(action: Action): string {
  return action === Action.UNSPECIFIED ? "no step" : actionName(action);
}
