import {
  ListMazesRequestSchema,
  ListMazesResponseSchema,
  MazeService,
} from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

/** One page of a set. Query: `pageSize`, `pageToken`, `difficulty`, as in ListMazesRequest. */
export function GET(request: Request, context: RouteContext<"/api/mazes/[setId]">): Promise<Response> {
  return unary(ListMazesResponseSchema, async () => {
    const { setId } = await context.params;
    const message = queryMessage(ListMazesRequestSchema, new URL(request.url).searchParams, { setId });
    return goClient(MazeService).listMazes(message);
  });
}
