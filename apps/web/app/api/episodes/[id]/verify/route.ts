import { EpisodeLogService, VerifyEpisodeResponseSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { goClient } from "@/server/go-server";
import { requireOwnOrigin } from "@/server/origin";
import { unary } from "@/server/unary";

/** Runs a logged episode again and compares it with the log; nothing is stored. No body. */
export function POST(request: Request, context: RouteContext<"/api/episodes/[id]/verify">): Promise<Response> {
  return unary(
    VerifyEpisodeResponseSchema,
    async () => {
      requireOwnOrigin(request);
      const { id } = await context.params;
      return goClient(EpisodeLogService).verifyEpisode({ episodeId: id });
    },
    { saysWhatIsAway: true },
  );
}
