import {
  CheckMazeRequestSchema,
  CheckMazeResponseSchema,
  MazeService,
} from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { goClient } from "@/server/go-server";
import { requireOwnOrigin } from "@/server/origin";
import { readMessage, unary } from "@/server/unary";

/** Judges a drawn maze; nothing is stored. Body: `{"maze": {"rows": ["S.#", …]}}`. */
export function POST(request: Request): Promise<Response> {
  return unary(CheckMazeResponseSchema, async () => {
    requireOwnOrigin(request);
    const message = await readMessage(CheckMazeRequestSchema, request);
    return goClient(MazeService).checkMaze(message);
  });
}
