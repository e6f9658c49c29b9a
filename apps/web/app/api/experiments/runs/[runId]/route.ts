import { ExperimentService, GetRunResponseSchema } from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { goClient } from "@/server/go-server";
import { MLFLOW_TIMEOUT_MS } from "@/server/mlflow-timeout";
import { unary } from "@/server/unary";

/** One run, with its configuration. */
export function GET(_request: Request, context: RouteContext<"/api/experiments/runs/[runId]">): Promise<Response> {
  return unary(
    GetRunResponseSchema,
    async () => {
      const { runId } = await context.params;
      return goClient(ExperimentService).getRun({ runId }, { timeoutMs: MLFLOW_TIMEOUT_MS });
    },
    { saysWhatIsAway: true },
  );
}
