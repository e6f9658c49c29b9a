import type { Gpu } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import { decimal, percent } from "@/lib/format";

/** What stands where the driver reports nothing. */
export const NOT_AVAILABLE = "N/A";

/** Bytes in GB of 1,000,000,000, as the makers count them. */
export function gigabytes(bytes: number): string {
  const size = bytes / 1e9;
  return `${decimal(size, size < 10 ? 2 : 1)} GB`;
}

/** One figure of a GPU: how it is read out of a reading, and how it is written. */
export interface GpuFigure {
  readonly key: "utilisation" | "memory" | "temperature" | "power";
  readonly name: string;
  readonly color: string;
  readonly pick: (gpu: Gpu) => number | undefined;
  readonly write: (value: number) => string;
  /** What it is measured against; undefined when nobody knows. */
  readonly limit: (gpu: Gpu) => number | undefined;
  /** Words beside the value. */
  readonly note: (gpu: Gpu) => string;
}

export const gpuFigures: readonly GpuFigure[] = [
  {
    key: "utilisation",
    name: "Utilisation",
    color: "--curve-1",
    pick: (gpu) => gpu.utilisation,
    write: (value) => percent(value, 0),
    limit: () => 1,
    note: () => "share of time that its processors work",
  },
  {
    key: "memory",
    name: "Memory",
    color: "--curve-5",
    pick: (gpu) => (gpu.memoryUsedBytes === undefined ? undefined : Number(gpu.memoryUsedBytes)),
    write: gigabytes,
    limit: (gpu) => (gpu.memoryTotalBytes === undefined ? undefined : Number(gpu.memoryTotalBytes)),
    note: (gpu) => {
      const [used, total] = [gpu.memoryUsedBytes, gpu.memoryTotalBytes];
      if (total === undefined) return "of an unknown size";
      const share = used === undefined || total === 0n ? "" : `, ${percent(Number(used) / Number(total), 0)}`;
      return `of ${gigabytes(Number(total))}${share}`;
    },
  },
  {
    key: "temperature",
    name: "Temperature",
    color: "--curve-2",
    pick: (gpu) => gpu.temperatureCelsius,
    write: (value) => `${decimal(value, 0)} °C`,
    limit: () => undefined,
    note: () => "of the core",
  },
  {
    key: "power",
    name: "Power",
    color: "--curve-4",
    pick: (gpu) => gpu.powerWatts,
    write: (value) => `${decimal(value, value < 100 ? 1 : 0)} W`,
    limit: (gpu) => gpu.powerLimitWatts,
    note: (gpu) =>
      gpu.powerLimitWatts === undefined ? "without a known limit" : `of at most ${decimal(gpu.powerLimitWatts, 0)} W`,
  },
];

/** A place on the axis of the charts, minutes before now. */
export function minutesAgo(x: number): string {
  const seconds = Math.round(-x * 60);
  if (seconds <= 0) return "now";
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  if (minutes === 0) return `\u2212${rest} s`;
  return rest === 0 ? `\u2212${minutes} min` : `\u2212${minutes} min ${rest} s`;
}
