import {
  GetTrainingHistoryRequestSchema,
  GetTrainingHistoryResponseSchema,
  TrainingHistoryService,
} from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** A run with its curves, however long it is. Query: `runId`, `maxPoints`, as in GetTrainingHistoryRequest. */
export function GET(request: Request): Promise<Response> {
  return unary(
    GetTrainingHistoryResponseSchema,
    async () => {
      const message = queryMessage(GetTrainingHistoryRequestSchema, new URL(request.url).searchParams, {});
      return goClient(TrainingHistoryService).getTrainingHistory(message);
    },
    { saysWhatIsAway: true },
  );
}
