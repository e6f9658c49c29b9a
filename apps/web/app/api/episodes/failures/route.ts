import {
  EpisodeLogService,
  ListFailuresRequestSchema,
  ListFailuresResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { goClient } from "@/server/go-server";
import { queryMessage, unary } from "@/server/unary";

export const dynamic = "force-dynamic";

/** Failures by policy and maze. Query: `days`, `modelId` or `baseline`, `mazeId`, `limit`, as in ListFailuresRequest. */
export function GET(request: Request): Promise<Response> {
  return unary(
    ListFailuresResponseSchema,
    async () => {
      const message = queryMessage(ListFailuresRequestSchema, new URL(request.url).searchParams, {});
      return goClient(EpisodeLogService).listFailures(message);
    },
    { saysWhatIsAway: true },
  );
}
