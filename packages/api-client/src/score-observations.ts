import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import type { ActionScores, PolicyRef, PolicyRefSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";

/** Most observations of one call, as the contract has it. */
export const MOST_OBSERVATIONS = 100;

/** What a network says to observations that were made here. */
export interface ScoredObservations {
  /** One for each observation, in their order. */
  readonly scores: readonly ActionScores[];
  /** Policy that was asked, with the model_id filled in. */
  readonly policy: PolicyRef | undefined;
  /** Observation version that the model was trained on: `plain/1`, `trail/1` or `memory/1`. */
  readonly observation: string;
}

/**
 * Asks a network what it would choose: ScoreObservations for any number of observations of 25 values each, a hundred a call. All calls ask the
 * same model, also when the active one is switched in between. Rejects with a ConnectError; an aborted signal with `canceled`.
 */
export async function scoreObservations(
  transport: Transport,
  observations: readonly ArrayLike<number>[],
  options: {
    readonly policy?: MessageInitShape<typeof PolicyRefSchema>;
    readonly signal?: AbortSignal;
    readonly timeoutMs?: number;
  } = {},
): Promise<ScoredObservations> {
  if (observations.length === 0) return { scores: [], policy: undefined, observation: "" };
  const client = createClient(InferenceService, transport);
  const { signal, timeoutMs = 5000 } = options;
  const scores: ActionScores[] = [];
  let { policy }: { policy?: MessageInitShape<typeof PolicyRefSchema> } = options;
  let answered: PolicyRef | undefined;
  let observation = "";
  for (let from = 0; from < observations.length; from += MOST_OBSERVATIONS) {
    const batch = observations.slice(from, from + MOST_OBSERVATIONS);
    const reply = await client.scoreObservations(
      { ...(policy ? { policy } : {}), observations: batch.map((values) => ({ values: Array.from(values) })) },
      { timeoutMs, ...(signal ? { signal } : {}) },
    );
    if (reply.scores.length !== batch.length) {
      throw new ConnectError(`${reply.scores.length} scores for ${batch.length} observations`, Code.Internal);
    }
    scores.push(...reply.scores);
    answered = reply.policy;
    observation = reply.observation;
    policy = answered ?? policy;
  }
  return { scores, policy: answered, observation };
}
