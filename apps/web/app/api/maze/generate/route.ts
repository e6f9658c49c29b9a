import {
  GenerateMazeRequestSchema,
  GenerateMazeResponseSchema,
  MazeService,
} from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Generates a maze; nothing is stored. Query: `rows`, `cols`, `seed`, `loopRatio`, as in GenerateMazeRequest. */
export function GET(request: Request): Promise<Response> {
  return unary(GenerateMazeResponseSchema, async () => {
    const message = queryMessage(GenerateMazeRequestSchema, new URL(request.url).searchParams, {});
    return goClient(MazeService).generateMaze(message);
  });
}
