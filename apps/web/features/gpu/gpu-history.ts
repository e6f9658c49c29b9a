import type { GpuSample } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import type { GpuObserver } from "@rlmaze/api-client/gpu-watch";
import { type GpuReading, readingOf, withReading } from "./gpu-readings";

/** What the page shows of the GPUs: an immutable value, replaced with each reading. */
export interface GpuSnapshot {
  readonly readings: readonly GpuReading[];
  /** When the newest one arrived, milliseconds since the epoch by this client's clock; 0 before the first. */
  readonly receivedAt: number;
  readonly connection: ConnectionState;
}

/** The memory of one trainer's GPUs, outside of React: it stays while the person looks at another page. */
export class GpuHistory implements GpuObserver {
  readonly #listeners = new Set<() => void>();
  #snapshot: GpuSnapshot = {
    readings: [],
    receivedAt: 0,
    connection: { kind: "disconnected", reason: { kind: "idle" } },
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly getSnapshot = (): GpuSnapshot => this.#snapshot;

  onSample(sample: GpuSample, receivedAt: number): void {
    this.#replace({ readings: withReading(this.#snapshot.readings, readingOf(sample, receivedAt)), receivedAt });
  }

  onConnection(connection: ConnectionState): void {
    this.#replace({ connection });
  }

  #replace(part: Partial<GpuSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    for (const listener of this.#listeners) listener();
  }
}
