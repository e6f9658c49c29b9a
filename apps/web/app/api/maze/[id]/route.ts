import { GetMazeResponseSchema, MazeService } from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { goClient } from "@/server/go-server";
import { unary } from "@/server/unary";

/** One maze of a set, or a generated one by its id. */
export function GET(_request: Request, context: RouteContext<"/api/maze/[id]">): Promise<Response> {
  return unary(GetMazeResponseSchema, async () => {
    const { id } = await context.params;
    return goClient(MazeService).getMaze({ mazeId: id });
  });
}
