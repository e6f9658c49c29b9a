import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampNow } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Algorithm } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { type GpuSchema, GpuState } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import {
  CurveKey,
  GetTrainingHistoryResponseSchema,
  type TrainingHistoryService,
} from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { type Training, TrainingSchema, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import type { TrainingService, WatchGpuResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { randomNumbers } from "./fixture-world";

/** How the made-up trainer's GPUs are. */
export type FixtureGpus = "one" | "two" | "not-available" | "no-driver" | "no-gpu" | "timed-out" | "unreadable";

const GIB = 2 ** 30;
const TOTAL = 1_000_000;
/** When the made-up run began: two minutes ago. */
const STARTED = Date.now() - 120_000;

function gpus(kind: FixtureGpus, second: number): MessageInitShape<typeof GpuSchema>[] {
  const busy = 0.62 + 0.3 * Math.sin(second / 7);
  const first = {
    index: 0,
    name: "NVIDIA GeForce RTX 5070",
    utilisation: busy,
    memoryUsedBytes: BigInt(Math.round((3 + busy) * GIB)),
    memoryTotalBytes: BigInt(12 * GIB),
    temperatureCelsius: 55 + 8 * busy,
    powerWatts: 90 + 120 * busy,
    powerLimitWatts: 250,
  };
  if (kind === "one") return [first];
  if (kind === "two") {
    return [first, { ...first, index: 1, name: "NVIDIA H200", utilisation: 0, powerWatts: 76.5, powerLimitWatts: 700 }];
  }
  return kind === "not-available" ? [{ index: 0, name: "Tesla T4", memoryUsedBytes: BigInt(GIB) }] : [];
}

const states: Partial<Record<FixtureGpus, { state: GpuState; message: string }>> = {
  "no-driver": {
    state: GpuState.NO_DRIVER,
    message: "No NVIDIA driver is installed here (nvidia-smi is missing). Trainings run on the CPU.",
  },
  "no-gpu": { state: GpuState.NO_GPU, message: "The driver finds no GPU. Trainings run on the CPU." },
  "timed-out": {
    state: GpuState.TIMED_OUT,
    message: "The driver did not answer within 2 s; it may hang. See `nvidia-smi`.",
  },
  unreadable: { state: GpuState.UNREADABLE, message: "nvidia-smi answered something that is no table of GPUs." },
};

/** A run that goes on, on the first GPU where there is one. */
function runningTraining(kind: FixtureGpus): Training {
  const hasGpu = states[kind] === undefined;
  return create(TrainingSchema, {
    runId: "ppo-quick-00000000000006",
    state: TrainingState.RUNNING,
    name: "ppo-quick",
    title: "Quick PPO",
    algorithm: Algorithm.PPO,
    device: hasGpu ? "cuda:0" : "cpu",
    totalTimesteps: BigInt(TOTAL),
    startedAt: timestampFromMs(STARTED),
    latest: {
      timesteps: 412_000n,
      episodes: 9_000n,
      reward: 0.58,
      successRate: 0.91,
      stepsPerSecond: 3_420,
      cpuPercent: 187,
      memoryBytes: 812_000_000n,
    },
  });
}

/** A made-up TrainingService: it reads GPUs and has one run. */
export function fixtureTrainings(kind: FixtureGpus): Partial<ServiceImpl<typeof TrainingService>> {
  return {
    listTrainings: () => ({ trainings: [runningTraining(kind)] }),
    async *watchGpu({ intervalMs }, context) {
      for (let second = 0; !context.signal.aborted; second++) {
        const sample: MessageInitShape<typeof WatchGpuResponseSchema> = {
          sample: { takenAt: timestampNow(), state: GpuState.OK, gpus: gpus(kind, second), ...states[kind] },
        };
        yield sample;
        await new Promise((resolve) => setTimeout(resolve, intervalMs));
      }
    },
  };
}

/** The curves of the made-up run. */
export function fixtureTrainingHistory(kind: FixtureGpus): ServiceImpl<typeof TrainingHistoryService> {
  return {
    getTrainingHistory: () => {
      const random = randomNumbers(7);
      const count = 200;
      const timesteps = Array.from({ length: count }, (_, at) => BigInt((at + 1) * 2000));
      const elapsedS = timesteps.map((_, at) => ((at + 1) * 120) / count);
      const curve = (key: CurveKey, value: (share: number) => number) => ({
        key,
        timesteps,
        elapsedS,
        values: timesteps.map((_, at) => value(at / count)),
        points: BigInt(count),
      });
      return create(GetTrainingHistoryResponseSchema, {
        training: runningTraining(kind),
        lastSequence: 1n,
        curves: [
          curve(CurveKey.EPISODE_REWARD, (share) => 0.8 - 2.2 * Math.exp(-5 * share) + 0.2 * (random() - 0.5)),
          curve(CurveKey.CPU_PERCENT, () => 180 + 15 * random()),
          curve(CurveKey.MEMORY_BYTES, (share) => 6e8 + 2e8 * Math.min(1, 3 * share)),
        ],
      });
    },
  };
}
