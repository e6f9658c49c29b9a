import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { CurveKey, GetTrainingHistoryResponse } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { type Training, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import type { Course } from "./gpu-readings";

const MINUTE_MS = 60_000;

/** A curve of a training on the clock: minutes before `now`, so that it lies beside what the GPU did. Empty while the run has not begun. */
export function trainingCourse(
  history: Pick<GetTrainingHistoryResponse, "training" | "curves"> | undefined,
  key: CurveKey,
  now: number,
): Course {
  const startedAt = history?.training?.startedAt;
  const curve = history?.curves.find((one) => one.key === key);
  if (startedAt === undefined || curve === undefined) return { xs: [], ys: [] };
  const start = timestampMs(startedAt);
  return { xs: curve.elapsedS.map((elapsed) => (start + elapsed * 1000 - now) / MINUTE_MS), ys: curve.values };
}

/** Whether a run holds its device. */
export function isRunning({ state }: Pick<Training, "state">): boolean {
  return state === TrainingState.RUNNING || state === TrainingState.STOPPING;
}

/** The run that holds a GPU, or the CPU (`undefined`); of several trainers only those of the named one count. */
export function trainingOn(
  trainings: readonly Training[],
  gpuIndex: number | undefined,
  trainer: string,
): Training | undefined {
  const device = gpuIndex === undefined ? "cpu" : `cuda:${gpuIndex}`;
  return trainings.find(
    (training) =>
      isRunning(training) &&
      (trainer === "" || training.trainer === "" || training.trainer === trainer) &&
      (training.device === device || (training.device === "cuda" && gpuIndex === 0)),
  );
}
