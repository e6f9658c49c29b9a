import {
  CompareRunsRequestSchema,
  CompareRunsResponseSchema,
  ExperimentService,
} from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { goClient } from "@/server/go-server";
import { MLFLOW_TIMEOUT_MS } from "@/server/mlflow-timeout";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Up to eight runs beside one another. Query: `runIds` and `keys` (again for each), `maxPoints`, as in CompareRunsRequest. */
export function GET(request: Request): Promise<Response> {
  return unary(
    CompareRunsResponseSchema,
    async () => {
      const message = queryMessage(CompareRunsRequestSchema, new URL(request.url).searchParams, {});
      return goClient(ExperimentService).compareRuns(message, { timeoutMs: MLFLOW_TIMEOUT_MS });
    },
    { saysWhatIsAway: true },
  );
}
