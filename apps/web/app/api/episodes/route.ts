import {
  EpisodeLogService,
  ListEpisodesRequestSchema,
  ListEpisodesResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** One page of the episode log, newest first. Query: `modelId` or `baseline`, `mazeId`, `outcome`, `pageSize`, `pageToken`, as in ListEpisodesRequest. */
export function GET(request: Request): Promise<Response> {
  return unary(
    ListEpisodesResponseSchema,
    async () => {
      const message = queryMessage(ListEpisodesRequestSchema, new URL(request.url).searchParams, {});
      return goClient(EpisodeLogService).listEpisodes(message);
    },
    { saysWhatIsAway: true },
  );
}
