import {
  GetActiveModelResponseSchema,
  ModelService,
  SetActiveModelRequestSchema,
  SetActiveModelResponseSchema,
} from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import { goClient } from "@/server/go-server";
import { requireOwnOrigin } from "@/server/origin";
import { readMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** The model that acts when none is named. */
export function GET(): Promise<Response> {
  return unary(GetActiveModelResponseSchema, () => goClient(ModelService).getActiveModel({}));
}

/** Makes a model the active one. Body: a SetActiveModelRequest, `{"modelId": "…", "reason": "…", "expectedActivationId": "…", …}`. */
export function POST(request: Request): Promise<Response> {
  return unary(SetActiveModelResponseSchema, async () => {
    requireOwnOrigin(request);
    const message = await readMessage(SetActiveModelRequestSchema, request);
    return goClient(ModelService).setActiveModel(message);
  });
}
