import { type MetricHistory, type Run, RunState } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import {
  CompareRunsResponseSchema,
  GetMetricHistoryResponseSchema,
  ListExperimentsResponseSchema,
  type ListRunsResponse,
  ListRunsResponseSchema,
} from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { type InfiniteData, infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { BffError, getMessage } from "@/lib/bff";
import type { Order } from "./list-address";

/** How often lists and curves are read again while a run goes on. */
const LIVE_MS = 3_000;
/** How often the list is read while nothing goes on: a run may start elsewhere. */
const IDLE_MS = 15_000;
/** Runs of one page of the list. */
const PAGE_SIZE = 40;
/** Points of a small curve: about one in two of its pixels. */
const SMALL_POINTS = 48;
/** Points of a curve in the comparison: more than its chart has pixels. */
const CHART_POINTS = 600;
/** The most points that the contract gives of one curve. */
const EXACT_POINTS = 20_000;

const isLive = (runs: readonly Run[] | undefined) =>
  runs?.some(({ state }) => state === RunState.RUNNING || state === RunState.SCHEDULED) === true;

/** A filter that MLflow refused will be refused again. */
const mayHelp = (failures: number, reason: Error) => failures < 2 && reason instanceof BffError && reason.retryable;

export const experimentsQuery = queryOptions({
  queryKey: ["experiments"],
  queryFn: async ({ signal }) =>
    (await getMessage(ListExperimentsResponseSchema, "/api/experiments", signal)).experiments,
  refetchInterval: IDLE_MS,
  retry: mayHelp,
});

export const runsQuery = (experimentId: string, filter: string, order: Order) =>
  infiniteQueryOptions<ListRunsResponse, Error, InfiniteData<ListRunsResponse, string>, string[], string>({
    queryKey: ["runs", experimentId, filter, order],
    queryFn: ({ pageParam, signal }) => {
      const parameters = new URLSearchParams({
        experimentIds: experimentId,
        filter,
        order: order === "best" ? "RUN_ORDER_BEST" : "RUN_ORDER_NEWEST",
        pageSize: String(PAGE_SIZE),
        pageToken: pageParam,
      });
      return getMessage(ListRunsResponseSchema, `/api/experiments/runs?${parameters}`, signal);
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: (query) => {
      if (query.state.status === "error") return LIVE_MS;
      return isLive(query.state.data?.pages.flatMap((page) => page.runs)) ? LIVE_MS : IDLE_MS;
    },
    placeholderData: keepPreviousData,
    retry: mayHelp,
  });

/** The small curve of a run in the list. What has ended does not change any more. */
export const smallCurveQuery = (runId: string, key: string, live: boolean) =>
  queryOptions({
    queryKey: ["small-curve", runId, key, live],
    queryFn: async ({ signal }) => (await history(runId, key, SMALL_POINTS, signal)) ?? null,
    staleTime: live ? 0 : Number.POSITIVE_INFINITY,
    refetchInterval: live ? 2 * LIVE_MS : false,
    enabled: key !== "",
    retry: mayHelp,
  });

async function history(
  runId: string,
  key: string,
  maxPoints: number,
  signal?: AbortSignal,
): Promise<MetricHistory | undefined> {
  const parameters = new URLSearchParams({ key, maxPoints: String(maxPoints) });
  const path = `/api/experiments/runs/${encodeURIComponent(runId)}/history?${parameters}`;
  return (await getMessage(GetMetricHistoryResponseSchema, path, signal)).history;
}

/** A curve as MLflow has it; thinned only where it has more points than the contract gives. */
export function exactHistory(runId: string, key: string, signal?: AbortSignal): Promise<MetricHistory | undefined> {
  return history(runId, key, EXACT_POINTS, signal);
}

export const comparisonQuery = (runIds: readonly string[], keys: readonly string[]) =>
  queryOptions({
    queryKey: ["comparison", [...runIds], [...keys]],
    queryFn: ({ signal }) => {
      const parameters = new URLSearchParams({ maxPoints: String(CHART_POINTS) });
      for (const runId of runIds) parameters.append("runIds", runId);
      for (const key of keys) parameters.append("keys", key);
      return getMessage(CompareRunsResponseSchema, `/api/experiments/compare?${parameters}`, signal);
    },
    enabled: runIds.length > 0,
    refetchInterval: (query) => {
      if (query.state.status === "error") return LIVE_MS;
      return isLive(query.state.data?.runs) ? LIVE_MS : false;
    },
    placeholderData: keepPreviousData,
    retry: mayHelp,
  });
