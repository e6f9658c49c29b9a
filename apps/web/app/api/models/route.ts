import { ListModelsResponseSchema } from "@rlmaze/api/rlmaze/model/v1/model_list_pb";
import { ModelService } from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import { goClient } from "@/server/go-server";
import { unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Every registered model, broken ones too. */
export function GET(): Promise<Response> {
  return unary(ListModelsResponseSchema, () => goClient(ModelService).listModels({}));
}
