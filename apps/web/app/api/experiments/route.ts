import {
  ExperimentService,
  ListExperimentsResponseSchema,
} from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { goClient } from "@/server/go-server";
import { MLFLOW_TIMEOUT_MS } from "@/server/mlflow-timeout";
import { unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Every experiment of MLflow, the last changed first. */
export function GET(): Promise<Response> {
  return unary(
    ListExperimentsResponseSchema,
    () => goClient(ExperimentService).listExperiments({}, { timeoutMs: MLFLOW_TIMEOUT_MS }),
    { saysWhatIsAway: true },
  );
}
