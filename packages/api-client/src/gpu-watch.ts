import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { GpuSample } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import {
  TrainingService,
  type WatchGpuRequest,
  WatchGpuRequestSchema,
  type WatchGpuResponse,
  WatchGpuResponseSchema,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import type { ConnectionState } from "./connection-state";
import { messagesOverWebSocket } from "./message-stream";
import { type RunOptions, streamWays } from "./run-options";
import { StreamKeeper } from "./stream-keeper";

/** Told what arrives, in order. */
export interface GpuObserver {
  /** A reading, also one without a GPU. `receivedAt`: milliseconds since the epoch, client's clock. */
  onSample?(sample: GpuSample, receivedAt: number): void;
  onConnection?(state: ConnectionState): void;
}

/** Everything a watch needs. */
export interface WatchGpuOptions extends Omit<RunOptions, "clockOffsetMs"> {
  /** Between two readings, 500–10000; the default is a second. Above, the silence between two of them would look like a lost stream. */
  readonly intervalMs?: number;
  /** Trainer to read, as named in GetStatus; the default is the first one that answers. */
  readonly trainer?: string;
  readonly observer: GpuObserver;
}

/** One watch over the GPUs, over as many streams as it takes. */
export interface GpuWatch {
  readonly connection: ConnectionState;
  /** Ends the wait of `reconnecting` now. */
  retryNow(): void;
  /** Ends the watch for good. */
  stop(): void;
}

/**
 * Watches the GPUs of the trainer until it is stopped. A stream that is lost, silent or held back is replaced as `runEpisode` does it; readings that nobody took
 * meanwhile do not exist, so there is nothing to catch up with. Only a server that knows neither the call nor the trainer ends the watch as `failed`.
 */
export function watchGpu(options: WatchGpuOptions): GpuWatch {
  const { observer, intervalMs = 1000, trainer = "" } = options;
  const client = createClient(TrainingService, options.transport);
  const keeper = new StreamKeeper<WatchGpuRequest, WatchGpuResponse>({
    ...streamWays(
      options,
      (request, signal) => client.watchGpu(request, { signal }),
      (url) =>
        messagesOverWebSocket({
          url,
          call: "watchGpu",
          request: WatchGpuRequestSchema,
          response: WatchGpuResponseSchema,
          open: options.openWebSocket,
        }),
    ),
    call: {
      request: () => create(WatchGpuRequestSchema, { intervalMs, trainer }),
      take: ({ sample }) => {
        if (sample === undefined) throw new ConnectError("a reading without a sample", Code.DataLoss);
        observer.onSample?.(sample, Date.now());
        return false;
      },
      isBudgetSpent: () => false,
      amend: () => false,
      onConnection: (state) => observer.onConnection?.(state),
    },
  });
  keeper.open();
  return {
    get connection() {
      return keeper.connection;
    },
    retryNow: () => keeper.retryNow(),
    stop: () => {
      if (!keeper.isOver) keeper.close({ kind: "stopped" });
    },
  };
}
