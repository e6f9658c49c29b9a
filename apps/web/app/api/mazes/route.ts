import { ListMazeSetsResponseSchema, MazeService } from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { goClient } from "@/server/go-server";
import { unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** The committed maze sets. */
export function GET(): Promise<Response> {
  return unary(ListMazeSetsResponseSchema, () => goClient(MazeService).listMazeSets({}));
}
