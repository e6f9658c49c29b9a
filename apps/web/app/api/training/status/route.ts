import {
  GetTrainingRequestSchema,
  GetTrainingResponseSchema,
  TrainingService,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** One run as it is now. Query: `runId`. */
export function GET(request: Request): Promise<Response> {
  return unary(
    GetTrainingResponseSchema,
    async () => {
      const message = queryMessage(GetTrainingRequestSchema, new URL(request.url).searchParams, {});
      return goClient(TrainingService).getTraining(message);
    },
    { saysWhatIsAway: true },
  );
}
