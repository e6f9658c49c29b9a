import { ExperimentService, GetExperimentResponseSchema } from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { goClient } from "@/server/go-server";
import { MLFLOW_TIMEOUT_MS } from "@/server/mlflow-timeout";
import { unary } from "@/server/unary";

/** One experiment. Its id is a number; `runs` and `compare` are routes of their own. */
export function GET(_request: Request, context: RouteContext<"/api/experiments/[id]">): Promise<Response> {
  return unary(
    GetExperimentResponseSchema,
    async () => {
      const { id } = await context.params;
      return goClient(ExperimentService).getExperiment({ experimentId: id }, { timeoutMs: MLFLOW_TIMEOUT_MS });
    },
    { saysWhatIsAway: true },
  );
}
