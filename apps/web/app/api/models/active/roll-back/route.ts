import {
  ModelService,
  RollBackActiveModelRequestSchema,
  RollBackActiveModelResponseSchema,
} from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import { goClient } from "@/server/go-server";
import { requireOwnOrigin } from "@/server/origin";
import { readMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Undoes the activation in force. Body: `{"expectedActivationId": "…", "reason": "…", "actor": "…"}`. */
export function POST(request: Request): Promise<Response> {
  return unary(RollBackActiveModelResponseSchema, async () => {
    requireOwnOrigin(request);
    const message = await readMessage(RollBackActiveModelRequestSchema, request);
    return goClient(ModelService).rollBackActiveModel(message);
  });
}
