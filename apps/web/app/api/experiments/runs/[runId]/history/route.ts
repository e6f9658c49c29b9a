import {
  ExperimentService,
  GetMetricHistoryRequestSchema,
  GetMetricHistoryResponseSchema,
} from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { goClient } from "@/server/go-server";
import { MLFLOW_TIMEOUT_MS } from "@/server/mlflow-timeout";
import { queryMessage, unary } from "@/server/unary";

/** The course of one figure of one run. Query: `key`, `maxPoints`, as in GetMetricHistoryRequest. */
export function GET(
  request: Request,
  context: RouteContext<"/api/experiments/runs/[runId]/history">,
): Promise<Response> {
  return unary(
    GetMetricHistoryResponseSchema,
    async () => {
      const { runId } = await context.params;
      const message = queryMessage(GetMetricHistoryRequestSchema, new URL(request.url).searchParams, { runId });
      return goClient(ExperimentService).getMetricHistory(message, { timeoutMs: MLFLOW_TIMEOUT_MS });
    },
    { saysWhatIsAway: true },
  );
}
