import {
  EvaluateModelRequestSchema,
  EvaluateModelResponseSchema,
  EvaluationService,
} from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_service_pb";
import { goClient } from "@/server/go-server";
import { requireOwnOrigin } from "@/server/origin";
import { streamed } from "@/server/streamed";
import { readMessage } from "@/server/unary";

export const dynamic = "force-dynamic";

/** The largest sets take some seconds on a busy machine, and as long again behind other work. */
const EVALUATION_TIMEOUT_MS = 120_000;

/**
 * Evaluates a policy on a set. Body: `{"policy": {"modelId": "…"}, "setId": "…"}`. Answers with one EvaluateModelResponse a line; the last one holds
 * the evaluation.
 */
export function POST(request: Request): Promise<Response> {
  return streamed(EvaluateModelResponseSchema, request, async (signal) => {
    requireOwnOrigin(request);
    const message = await readMessage(EvaluateModelRequestSchema, request);
    return goClient(EvaluationService).evaluateModel(message, { signal, timeoutMs: EVALUATION_TIMEOUT_MS });
  });
}
