import { GetTrainingHistoryResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { ListTrainingsResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { queryOptions } from "@tanstack/react-query";
import { getMessage } from "@/lib/bff";

/** What runs on the devices is asked so often: a run starts or ends now and then. */
const RUNS_MS = 3_000;
/** The curves beside the GPU's are read so often; they stand for minutes. */
const CURVES_MS = 2_000;
/** Points of a curve: more than its chart has pixels. */
const POINTS = 600;
/** The newest runs; whatever holds a device is among them. */
const RUNS = 50;

export const newestTrainingsQuery = queryOptions({
  queryKey: ["newest-trainings"],
  queryFn: async ({ signal }) =>
    (await getMessage(ListTrainingsResponseSchema, `/api/training/list?pageSize=${RUNS}`, signal)).trainings,
  refetchInterval: RUNS_MS,
  retry: false,
});

export const deviceCurvesQuery = (runId: string) =>
  queryOptions({
    queryKey: ["device-curves", runId],
    queryFn: ({ signal }) =>
      getMessage(
        GetTrainingHistoryResponseSchema,
        `/api/training/history?${new URLSearchParams({ runId, maxPoints: String(POINTS) })}`,
        signal,
      ),
    enabled: runId !== "",
    refetchInterval: CURVES_MS,
    retry: false,
  });
