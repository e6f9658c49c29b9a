import {
  ExperimentService,
  ListRunsRequestSchema,
  ListRunsResponseSchema,
} from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { goClient } from "@/server/go-server";
import { MLFLOW_TIMEOUT_MS } from "@/server/mlflow-timeout";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** One page of runs. Query: `experimentIds` (again for each), `filter`, `order`, `pageSize`, `pageToken`, as in ListRunsRequest. */
export function GET(request: Request): Promise<Response> {
  return unary(
    ListRunsResponseSchema,
    async () => {
      const message = queryMessage(ListRunsRequestSchema, new URL(request.url).searchParams, {});
      return goClient(ExperimentService).listRuns(message, { timeoutMs: MLFLOW_TIMEOUT_MS });
    },
    { saysWhatIsAway: true },
  );
}
