import {
  GenerateMazeResponseSchema,
  GetMazeResponseSchema,
  ListMazeSetsResponseSchema,
  type ListMazesResponse,
  ListMazesResponseSchema,
} from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { ListModelsResponseSchema } from "@rlmaze/api/rlmaze/model/v1/model_list_pb";
import { GetStatusResponseSchema } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { type InfiniteData, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { getMessage } from "@/lib/bff";

/** How often the header asks how the server is. */
export const STATUS_INTERVAL_MS = 5_000;
/** How often it asks while the server does not answer: a restart should be seen quickly. */
export const STATUS_RETRY_MS = 1_500;
/** Thumbnails of one page of the maze picker. */
const MAZE_PAGE_SIZE = 48;

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => getMessage(GetStatusResponseSchema, "/api/health", signal),
  refetchInterval: (query) => (query.state.status === "error" ? STATUS_RETRY_MS : STATUS_INTERVAL_MS),
  retry: false,
});

export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: async ({ signal }) => (await getMessage(ListModelsResponseSchema, "/api/models", signal)).models,
  staleTime: 15_000,
});

export const mazeSetsQuery = queryOptions({
  queryKey: ["maze-sets"],
  queryFn: async ({ signal }) => (await getMessage(ListMazeSetsResponseSchema, "/api/mazes", signal)).sets,
  staleTime: Number.POSITIVE_INFINITY,
});

export const mazesQuery = (setId: string) =>
  infiniteQueryOptions<ListMazesResponse, Error, InfiniteData<ListMazesResponse, string>, string[], string>({
    queryKey: ["mazes", setId],
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({ pageSize: String(MAZE_PAGE_SIZE), pageToken: pageParam });
      return getMessage(ListMazesResponseSchema, `/api/mazes/${encodeURIComponent(setId)}?${parameters}`, signal);
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const mazeQuery = (mazeId: string) =>
  queryOptions({
    queryKey: ["maze", mazeId],
    queryFn: async ({ signal }) =>
      (await getMessage(GetMazeResponseSchema, `/api/maze/${encodeURIComponent(mazeId)}`, signal)).maze,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What the generator is asked for; an empty seed lets the server pick one. */
export interface GeneratorChoice {
  readonly size: number;
  readonly seed: string;
  /** 0–1 */
  readonly loopRatio: number;
}

/** Asks the server for a generated maze. */
export async function generateMaze(choice: GeneratorChoice) {
  const parameters = new URLSearchParams({ rows: String(choice.size), loopRatio: String(choice.loopRatio) });
  if (choice.seed !== "") parameters.set("seed", choice.seed);
  return (await getMessage(GenerateMazeResponseSchema, `/api/maze/generate?${parameters}`)).maze;
}
