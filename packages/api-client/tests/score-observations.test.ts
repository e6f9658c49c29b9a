import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { InferenceService, type ScoreObservationsRequest } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { describe, expect, test } from "vitest";
import { MOST_OBSERVATIONS, scoreObservations } from "../src/score-observations";

function scorer(answers = (count: number) => count) {
  const requests: ScoreObservationsRequest[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(InferenceService, {
      scoreObservations: (request) => {
        requests.push(request);
        return {
          policy: { policy: { case: "modelId", value: "ppo-memory-1" } },
          observation: "memory/1",
          scores: request.observations.slice(0, answers(request.observations.length)).map(({ values }) => ({
            kind: ScoreKind.LOGIT,
            values: values.slice(0, 4),
            stateValue: values[12] ?? 0,
          })),
        };
      },
    });
  });
  return { requests, transport };
}

const observations = (count: number): Float32Array[] =>
  Array.from({ length: count }, (_, at) => new Float32Array(25).fill(at / count));

describe("scoring observations", () => {
  test("asks a hundred at a time, in order, all of the same model", async () => {
    const { requests, transport } = scorer();
    const all = observations(2 * MOST_OBSERVATIONS + 5);
    const scored = await scoreObservations(transport, all);
    expect(requests.map((request) => request.observations.length)).toEqual([100, 100, 5]);
    expect(requests[0]?.policy).toBeUndefined();
    expect(requests[2]?.policy).toMatchObject({ policy: { case: "modelId", value: "ppo-memory-1" } });
    expect(scored.scores.map((score) => score.stateValue)).toEqual(all.map((values) => values[12]));
    expect(scored).toMatchObject({ observation: "memory/1" });
  });

  test("of nothing asks nobody", async () => {
    const { requests, transport } = scorer();
    expect(await scoreObservations(transport, [])).toMatchObject({ scores: [] });
    expect(requests).toEqual([]);
  });

  test("is refused when an answer is missing, and ended by its signal", async () => {
    const { transport } = scorer((count) => count - 1);
    await expect(scoreObservations(transport, observations(2))).rejects.toMatchObject({ code: Code.Internal });
    const signal = AbortSignal.abort();
    await expect(scoreObservations(transport, observations(2), { signal })).rejects.toSatisfy(
      (reason) => ConnectError.from(reason).code === Code.Canceled,
    );
  });
});
