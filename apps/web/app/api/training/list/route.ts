import {
  ListTrainingsRequestSchema,
  ListTrainingsResponseSchema,
  TrainingService,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Runs, the newest first. Query: `pageSize`, `pageToken`, as in ListTrainingsRequest. */
export function GET(request: Request): Promise<Response> {
  return unary(
    ListTrainingsResponseSchema,
    async () => {
      const message = queryMessage(ListTrainingsRequestSchema, new URL(request.url).searchParams, {});
      return goClient(TrainingService).listTrainings(message);
    },
    { saysWhatIsAway: true },
  );
}
