import { GetModelResponseSchema, ModelService } from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import { goClient } from "@/server/go-server";
import { unary } from "@/server/unary";

/** One model. The id "active" is reserved: it is a route of its own. */
export function GET(_request: Request, context: RouteContext<"/api/models/[id]">): Promise<Response> {
  return unary(GetModelResponseSchema, async () => {
    const { id } = await context.params;
    return goClient(ModelService).getModel({ modelId: id });
  });
}
