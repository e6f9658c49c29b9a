import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { GetTrainingHistoryResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import {
  GetTrainingDefaultsResponseSchema,
  GetTrainingResponseSchema,
  type ListTrainingsResponse,
  ListTrainingsResponseSchema,
  StartTrainingResponseSchema,
  StopTrainingResponseSchema,
  type TrainingBusy,
  TrainingBusySchema,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { type InfiniteData, infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { BffError, getMessage, postMessage } from "@/lib/bff";

/** Runs of one page of the list. */
const PAGE_SIZE = 50;

export const defaultsQuery = queryOptions({
  queryKey: ["training-defaults"],
  queryFn: ({ signal }) => getMessage(GetTrainingDefaultsResponseSchema, "/api/training/defaults", signal),
  staleTime: 60_000,
});

export const trainingsQuery = infiniteQueryOptions<
  ListTrainingsResponse,
  Error,
  InfiniteData<ListTrainingsResponse, string>,
  string[],
  string
>({
  queryKey: ["trainings"],
  queryFn: ({ pageParam, signal }) => {
    const parameters = new URLSearchParams({ pageSize: String(PAGE_SIZE), pageToken: pageParam });
    return getMessage(ListTrainingsResponseSchema, `/api/training/list?${parameters}`, signal);
  },
  initialPageParam: "",
  getNextPageParam: (page) => page.nextPageToken || undefined,
});

/** A run with its curves, of at most so many points each. */
export const historyQuery = (runId: string, maxPoints = 2000) =>
  queryOptions({
    queryKey: ["training-history", runId, maxPoints],
    queryFn: ({ signal }) => {
      const parameters = new URLSearchParams({ runId, maxPoints: String(maxPoints) });
      return getMessage(GetTrainingHistoryResponseSchema, `/api/training/history?${parameters}`, signal);
    },
  });

/** One run as it is now. */
export const trainingQuery = (runId: string) =>
  queryOptions({
    queryKey: ["training", runId],
    queryFn: async ({ signal }) => {
      const parameters = new URLSearchParams({ runId });
      return (
        (await getMessage(GetTrainingResponseSchema, `/api/training/status?${parameters}`, signal)).training ?? null
      );
    },
  });

/** What to start: a configuration, or the run to go on with. */
export type StartChoice = { readonly configYaml: string; readonly seed?: number } | { readonly resumeFrom: string };

/** Starts a run. The same `requestId` again returns the run that the first call started. Throws BffError. */
export async function startTraining(choice: StartChoice, requestId: string) {
  const { training } = await postMessage(StartTrainingResponseSchema, "/api/training/start", { ...choice, requestId });
  if (training === undefined) throw new BffError("internal", "The server started a run and did not say which.");
  return training;
}

/** Stops a run; one that had ended is returned as it is. Throws BffError. */
export async function stopTraining(runId: string) {
  return (await postMessage(StopTrainingResponseSchema, "/api/training/stop", { runId })).training;
}

/** What holds the devices, where a start was refused for lack of room. */
export function busyOf(error: unknown): TrainingBusy | undefined {
  return error instanceof BffError && error.body.busy !== undefined
    ? fromJson(TrainingBusySchema, error.body.busy as JsonValue, { ignoreUnknownFields: true })
    : undefined;
}
