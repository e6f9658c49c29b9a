import { enumToJson } from "@bufbuild/protobuf";
import {
  type ListEpisodesResponse,
  ListEpisodesResponseSchema,
  ListFailuresResponseSchema,
  VerifyEpisodeResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { BaselineSchema, OutcomeSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { type InfiniteData, infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { BffError, getMessage, postMessage } from "@/lib/bff";
import { type EpisodeList, outcomeChoices } from "./episode-address";
import { baselineOf } from "./episode-words";

/** How often the list is tried again while it cannot be read. */
const RETRY_MS = 3_000;
/** Episodes of one page of the list. */
const PAGE_SIZE = 50;

/** A filter that the server refused will be refused again. */
const mayHelp = (failures: number, reason: Error) => failures < 2 && reason instanceof BffError && reason.retryable;

/** Who and where, as both lists ask for it. */
function filterOf(list: EpisodeList): Record<string, string> {
  if (!list.policy.startsWith("baseline_")) return { mazeId: list.mazeId, modelId: list.policy };
  return { mazeId: list.mazeId, baseline: enumToJson(BaselineSchema, baselineOf(list.policy)) as string };
}

function parametersOf(list: EpisodeList, pageToken: string): URLSearchParams {
  const parameters = new URLSearchParams({ ...filterOf(list), pageSize: String(PAGE_SIZE), pageToken });
  if (list.outcome !== "") parameters.set("outcome", enumToJson(OutcomeSchema, outcomeChoices[list.outcome]) as string);
  return parameters;
}

export const episodesQuery = (list: EpisodeList) =>
  infiniteQueryOptions<ListEpisodesResponse, Error, InfiniteData<ListEpisodesResponse, string>, string[], string>({
    queryKey: ["episodes", list.policy, list.mazeId, list.outcome],
    queryFn: ({ pageParam, signal }) =>
      getMessage(ListEpisodesResponseSchema, `/api/episodes?${parametersOf(list, pageParam)}`, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
    placeholderData: keepPreviousData,
    refetchOnMount: "always",
    refetchInterval: (query) => (query.state.status === "error" ? RETRY_MS : false),
    retry: mayHelp,
  });

export const failuresQuery = (list: EpisodeList) =>
  queryOptions({
    queryKey: ["failures", list.policy, list.mazeId, list.days],
    queryFn: ({ signal }) =>
      getMessage(
        ListFailuresResponseSchema,
        `/api/episodes/failures?${new URLSearchParams({ ...filterOf(list), days: String(list.days) })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchOnMount: "always",
    refetchInterval: (query) => (query.state.status === "error" ? RETRY_MS : false),
    retry: mayHelp,
  });

/** Has the server run an episode again. */
export function verifyEpisode(episodeId: string) {
  return postMessage(VerifyEpisodeResponseSchema, `/api/episodes/${encodeURIComponent(episodeId)}/verify`, {});
}
