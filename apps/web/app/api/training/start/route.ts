import {
  StartTrainingRequestSchema,
  StartTrainingResponseSchema,
  TrainingService,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { goClient } from "@/server/go-server";
import { requireOwnOrigin } from "@/server/origin";
import { readMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Starts a run, or resumes one. Body: a StartTrainingRequest; `requestId` makes a repeated call harmless. */
export function POST(request: Request): Promise<Response> {
  return unary(
    StartTrainingResponseSchema,
    async () => {
      requireOwnOrigin(request);
      const message = await readMessage(StartTrainingRequestSchema, request);
      // The quota of starts counts visitors, not this server.
      const visitor = request.headers.get("X-Forwarded-For");
      return goClient(TrainingService).startTraining(message, {
        headers: visitor === null ? {} : { "X-Forwarded-For": visitor },
      });
    },
    { saysWhatIsAway: true },
  );
}
