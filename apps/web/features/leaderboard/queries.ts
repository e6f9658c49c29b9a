import { create, toJson } from "@bufbuild/protobuf";
import type { Evaluation } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_pb";
import {
  EvaluateModelRequestSchema,
  EvaluateModelResponseSchema,
  type EvaluationProgress,
  GetLeaderboardResponseSchema,
} from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_service_pb";
import { queryOptions } from "@tanstack/react-query";
import { BffError, getMessage } from "@/lib/bff";
import { postStream } from "@/lib/bff-stream";
import type { MomentPolicy } from "@/lib/moment-link";

export const leaderboardQuery = (setId: string) =>
  queryOptions({
    queryKey: ["leaderboard", setId],
    queryFn: async ({ signal }) => {
      const parameters = new URLSearchParams({ setId });
      return (await getMessage(GetLeaderboardResponseSchema, `/api/leaderboard?${parameters}`, signal)).rows;
    },
    staleTime: 15_000,
  });

/** Evaluates a policy on a set and tells how far it is. Throws {@link BffError}. */
export async function evaluatePolicy(
  policy: MomentPolicy,
  setId: string,
  onProgress: (progress: EvaluationProgress) => void,
  signal: AbortSignal,
): Promise<Evaluation> {
  const request = create(EvaluateModelRequestSchema, {
    policy: {
      policy:
        "modelId" in policy ? { case: "modelId", value: policy.modelId } : { case: "baseline", value: policy.baseline },
    },
    setId,
  });
  const body = toJson(EvaluateModelRequestSchema, request);
  for await (const { message } of postStream(EvaluateModelResponseSchema, "/api/leaderboard/evaluate", body, signal)) {
    if (message.case === "evaluation") return message.value;
    if (message.case === "progress") onProgress(message.value);
  }
  throw new BffError("unreachable", "The evaluation was cut before its end; nothing was kept of it.");
}
