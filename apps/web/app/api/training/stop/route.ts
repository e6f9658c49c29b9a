import {
  StopTrainingRequestSchema,
  StopTrainingResponseSchema,
  TrainingService,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { goClient } from "@/server/go-server";
import { requireOwnOrigin } from "@/server/origin";
import { readMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Stops a run and answers when it has ended. Body: `{"runId": "…"}`. */
export function POST(request: Request): Promise<Response> {
  return unary(
    StopTrainingResponseSchema,
    async () => {
      requireOwnOrigin(request);
      const message = await readMessage(StopTrainingRequestSchema, request);
      return goClient(TrainingService).stopTraining(message);
    },
    { saysWhatIsAway: true },
  );
}
