import { create } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@connectrpc/connect";
import { type PolicyMap, PolicyMapSchema, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { type ObservationVersion, observe } from "@rlmaze/episode-playback/observation";

/** Observations of one request; the contract takes no more. */
const MOST_OBSERVATIONS = 100;

/**
 * Asks a model about a moment of an episode that another policy walked: what would it do in each open cell, with that way behind it?
 * MapPolicy can't tell, because it replays the model's own episode. So the observations are made here, in the model's own version, and
 * scored on the server. The answer has the form of a policy map. Throws what the call throws.
 */
export async function askAboutHistory(
  client: Client<typeof InferenceService>,
  model: { readonly modelId: string; readonly observation: ObservationVersion },
  playback: Pick<EpisodePlayback, "grid" | "positionAt" | "lastVisitAt" | "exploration">,
  step: number,
  options: CallOptions,
): Promise<PolicyMap> {
  const { grid } = playback;
  if (grid === undefined) throw new RangeError("there is no maze");
  const cells: number[] = [];
  grid.wall.forEach((wall, cell) => {
    if (!wall) cells.push(cell);
  });
  const observations = cells.map((cell) => ({
    values: Array.from(observe(model.observation, grid, playback, step, cell)),
  }));
  const batches: (typeof observations)[] = [];
  for (let from = 0; from < observations.length; from += MOST_OBSERVATIONS) {
    batches.push(observations.slice(from, from + MOST_OBSERVATIONS));
  }
  const replies = await Promise.all(
    batches.map((batch) =>
      client.scoreObservations(
        { policy: { policy: { case: "modelId", value: model.modelId } }, observations: batch },
        options,
      ),
    ),
  );
  const scores = replies.flatMap((reply) => reply.scores);
  return create(PolicyMapSchema, {
    atStep: step,
    kind: scores[0]?.kind ?? ScoreKind.UNSPECIFIED,
    cells,
    values: scores.flatMap((score) => score.values),
    stateValues: scores.map((score) => score.stateValue),
  });
}
