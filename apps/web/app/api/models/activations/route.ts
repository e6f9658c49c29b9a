import {
  ListActivationsRequestSchema,
  ListActivationsResponseSchema,
  ModelService,
} from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** The history of the active model, the newest first. Query: `pageSize`, `pageToken`, `at`, as in ListActivationsRequest. */
export function GET(request: Request): Promise<Response> {
  return unary(ListActivationsResponseSchema, async () => {
    const message = queryMessage(ListActivationsRequestSchema, new URL(request.url).searchParams, {});
    return goClient(ModelService).listActivations(message);
  });
}
