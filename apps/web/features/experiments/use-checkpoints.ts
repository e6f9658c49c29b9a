"use client";

import type { MetricHistory, Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { GetTrainingHistoryResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import type { TrainingCheckpoint } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { queryOptions, useQueries } from "@tanstack/react-query";
import { getMessage } from "@/lib/bff";
import { stepAt } from "./chart-place";
import { nearestCheckpoint } from "./checkpoints";
import type { Comparison } from "./compare-address";
import { isLive } from "./run-words";

/** What a run was worth at the chosen place. */
export interface PlaceOfRun {
  readonly runId: string;
  /** Environment steps that the run had learned there; undefined when it had not begun, or had ended. */
  readonly step: number | undefined;
  /** Nearest checkpoint of the training; undefined while it is asked for, and when there is none. */
  readonly checkpoint: TrainingCheckpoint | undefined;
  readonly state: "loading" | "known" | "none" | "failed";
}

/** The curves are drawn from MLflow; of the training only its checkpoints are wanted. */
const FEWEST_POINTS = 2;

const checkpointsQuery = (run: Run) =>
  queryOptions({
    queryKey: ["training-checkpoints", run.trainingRunId, isLive(run)],
    queryFn: async ({ signal }) => {
      const parameters = new URLSearchParams({ runId: run.trainingRunId, maxPoints: String(FEWEST_POINTS) });
      const path = `/api/training/history?${parameters}`;
      return (await getMessage(GetTrainingHistoryResponseSchema, path, signal)).checkpoints;
    },
    staleTime: isLive(run) ? 5_000 : Number.POSITIVE_INFINITY,
  });

/** For every run that is drawn the checkpoint nearest to the chosen place; nothing is asked before a place is chosen. */
export function useCheckpoints(
  runs: readonly Run[],
  comparison: Pick<Comparison, "at" | "along" | "hidden">,
  histories: readonly MetricHistory[],
): readonly PlaceOfRun[] {
  const { at, along, hidden } = comparison;
  const shown = at === undefined ? [] : runs.filter(({ runId }) => !hidden.includes(runId));
  const answers = useQueries({
    queries: shown.map((run) => ({ ...checkpointsQuery(run), enabled: run.trainingRunId !== "" })),
  });
  return shown.map((run, index) => {
    const own = histories.filter(({ runId }) => runId === run.runId);
    const step = at === undefined ? undefined : stepAt(own, along, at);
    const answer = answers[index];
    const checkpoint = nearestCheckpoint(answer?.data ?? [], step ?? at ?? 0);
    const state =
      run.trainingRunId === ""
        ? "none"
        : answer?.isError === true
          ? "failed"
          : answer?.data === undefined
            ? "loading"
            : checkpoint === undefined
              ? "none"
              : "known";
    return { runId: run.runId, step, checkpoint, state };
  });
}
