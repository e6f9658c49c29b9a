import {
  EvaluationService,
  GetLeaderboardRequestSchema,
  GetLeaderboardResponseSchema,
} from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** What was evaluated on a set, the best first. Query: `setId`. */
export function GET(request: Request): Promise<Response> {
  return unary(GetLeaderboardResponseSchema, async () => {
    const message = queryMessage(GetLeaderboardRequestSchema, new URL(request.url).searchParams, {});
    return goClient(EvaluationService).getLeaderboard(message);
  });
}
