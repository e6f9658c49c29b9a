import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Gpu, type GpuSample, GpuState } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";

/** One reading of all GPUs. */
export interface GpuReading {
  /** When it was taken by the trainer's clock, milliseconds since the epoch. */
  readonly takenAt: number;
  readonly state: GpuState;
  /** In words what is wrong; empty when OK. */
  readonly message: string;
  readonly gpus: readonly Gpu[];
}

/** So much is kept, in milliseconds: as long as the longest window of the charts. */
export const KEPT_MS = 15 * 60_000;

/** A reading as it arrived. `receivedAt` is this client's clock, for a trainer that does not tell its own. */
export function readingOf(sample: GpuSample, receivedAt: number): GpuReading {
  return {
    takenAt: sample.takenAt === undefined ? receivedAt : timestampMs(sample.takenAt),
    state: sample.state,
    message: sample.message,
    gpus: sample.gpus,
  };
}

/**
 * Readings with one more at the end. What is too old falls out; one that was taken earlier than the last one (a trainer whose clock was set
 * back) begins anew, because a chart's places ascend.
 */
export function withReading(readings: readonly GpuReading[], next: GpuReading): readonly GpuReading[] {
  const last = readings.at(-1);
  if (last !== undefined && next.takenAt < last.takenAt) return [next];
  if (last !== undefined && next.takenAt === last.takenAt) return [...readings.slice(0, -1), next];
  const from = readings.findIndex(({ takenAt }) => takenAt >= next.takenAt - KEPT_MS);
  return [...(from < 0 ? [] : readings.slice(from)), next];
}

/** The newest reading with GPUs in it; undefined when there is none. */
export function lastGood(readings: readonly GpuReading[]): GpuReading | undefined {
  return readings.findLast(({ state }) => state === GpuState.OK);
}

/** A figure of a GPU over time. `xs` are minutes before `now`, ascending to 0. */
export interface Course {
  readonly xs: readonly number[];
  /** Null where the driver reports nothing, and where nothing was read for a while. */
  readonly ys: readonly (number | null)[];
}

/** Readings come each second; after so long without one, a line would tell of what nobody saw. */
const HOLE_MS = 5_000;
const MINUTE_MS = 60_000;

/** The course of one figure of one GPU. */
export function courseOf(
  readings: readonly GpuReading[],
  index: number,
  now: number,
  pick: (gpu: Gpu) => number | undefined,
): Course {
  const xs: number[] = [];
  const ys: (number | null)[] = [];
  let before: number | undefined;
  for (const { takenAt, gpus } of readings) {
    if (before !== undefined && takenAt - before > HOLE_MS) {
      xs.push(((before + takenAt) / 2 - now) / MINUTE_MS);
      ys.push(null);
    }
    const gpu = gpus.find((one) => one.index === index);
    const value = gpu === undefined ? undefined : pick(gpu);
    xs.push((takenAt - now) / MINUTE_MS);
    ys.push(value === undefined || !Number.isFinite(value) ? null : value);
    before = takenAt;
  }
  return { xs, ys };
}
