import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type Training, type TrainingEvent, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import {
  type EventGap,
  type TrainingHeartbeat,
  TrainingService,
  type WatchTrainingRequest,
  WatchTrainingRequestSchema,
  type WatchTrainingResponse,
  WatchTrainingResponseSchema,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import type { ConnectionState } from "./connection-state";
import { messagesOverWebSocket } from "./message-stream";
import { type RunOptions, streamWays } from "./run-options";
import { StreamKeeper } from "./stream-keeper";

/** Told what arrives: the run at the beginning of each stream, every event exactly once and in order over all streams. */
export interface TrainingObserver {
  /** The run as it is now; events up to its `lastSequence` are already in it, though they may arrive behind it. */
  onTraining?(training: Training, receivedAt: number): void;
  /** One or more consecutive events. `receivedAt`: milliseconds since the epoch, client's clock. */
  onEvents?(events: readonly TrainingEvent[], receivedAt: number): void;
  onHeartbeat?(heartbeat: TrainingHeartbeat, receivedAt: number): void;
  /** This watcher was too slow and events were left out for it; they are being asked for again and will arrive. */
  onGap?(gap: EventGap): void;
  onConnection?(state: ConnectionState): void;
}

/** Everything a watch needs. */
export interface WatchTrainingOptions extends Omit<RunOptions, "clockOffsetMs"> {
  readonly runId: string;
  /** The last event that the observer has, for example from GetTrainingHistory; 0, the default, asks for all. */
  readonly afterSequence?: bigint;
  readonly observer: TrainingObserver;
}

/** One watch over a run, over as many streams as it takes. All methods may be called at any time and more than once. */
export interface TrainingWatch {
  readonly connection: ConnectionState;
  /** The last event that the observer has. */
  readonly sequence: bigint;
  /** Ends the wait of `reconnecting` now. */
  retryNow(): void;
  /** Opens a stream again after a failure, or for what followed the end of the run. Does nothing while one is open. */
  resume(): void;
  /** Ends the watch for good and returns the place. */
  stop(): bigint;
}

/**
 * Watches a training run until it is final: a lost connection, a frozen server or a gap is answered by another stream after the last event, so
 * that the observer gets every event once. The first stream opens before the call returns. The connection ends as `finished` when the run
 * is final and the server has nothing more to tell.
 */
export function watchTraining(options: WatchTrainingOptions): TrainingWatch {
  return new ReconnectingWatch(options);
}

/** Whether a run in this state has ended. */
export function isFinalTraining(state: TrainingState): boolean {
  return state === TrainingState.STOPPED || state === TrainingState.COMPLETED || state === TrainingState.FAILED;
}

class ReconnectingWatch implements TrainingWatch {
  readonly #runId: string;
  readonly #observer: TrainingObserver;
  readonly #keeper: StreamKeeper<WatchTrainingRequest, WatchTrainingResponse>;
  #sequence: bigint;
  #isFinal = false;
  #connection: ConnectionState;

  constructor(options: WatchTrainingOptions) {
    this.#runId = options.runId;
    this.#observer = options.observer;
    this.#sequence = options.afterSequence ?? 0n;
    const client = createClient(TrainingService, options.transport);
    this.#keeper = new StreamKeeper({
      ...streamWays(
        options,
        (request, signal) => client.watchTraining(request, { signal }),
        (url) =>
          messagesOverWebSocket({
            url,
            call: "watchTraining",
            request: WatchTrainingRequestSchema,
            response: WatchTrainingResponseSchema,
            open: options.openWebSocket,
          }),
      ),
      call: {
        request: () => create(WatchTrainingRequestSchema, { runId: this.#runId, afterSequence: this.#sequence }),
        take: (response) => this.#take(response),
        // Facts may follow the event that made a run final: its end is that of the stream.
        isBudgetSpent: () => this.#isFinal,
        amend: () => false,
        onConnection: (state) => this.#onConnection(state),
      },
    });
    this.#connection = this.#keeper.connection;
    this.#keeper.open();
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  get sequence(): bigint {
    return this.#sequence;
  }

  retryNow(): void {
    this.#keeper.retryNow();
  }

  resume(): void {
    this.#keeper.open();
  }

  stop(): bigint {
    if (!this.#keeper.isOver) this.#keeper.close({ kind: "stopped" });
    return this.#sequence;
  }

  #onConnection(state: ConnectionState): void {
    const ended = state.kind === "disconnected" && state.reason.kind === "step_budget";
    this.#connection = ended ? { kind: "disconnected", reason: { kind: "finished" } } : state;
    this.#observer.onConnection?.(this.#connection);
  }

  /** Takes one message; none of them is known to be the last one. */
  #take(response: WatchTrainingResponse): boolean {
    const receivedAt = Date.now();
    const { message } = response;
    switch (message.case) {
      case "training":
        this.#isFinal = isFinalTraining(message.value.state);
        this.#observer.onTraining?.(message.value, receivedAt);
        break;
      case "events":
        this.#takeEvents(message.value.events, receivedAt);
        break;
      case "gap":
        this.#takeGap(message.value);
        break;
      case "heartbeat":
        this.#observer.onHeartbeat?.(message.value, receivedAt);
        break;
      default:
        // A newer server may send what this page does not know.
        break;
    }
    return false;
  }

  #takeEvents(events: readonly TrainingEvent[], receivedAt: number): void {
    const fresh: TrainingEvent[] = [];
    let missing: bigint | undefined;
    for (const event of events) {
      if (event.sequence <= this.#sequence) continue;
      if (event.sequence !== this.#sequence + 1n) {
        missing = this.#sequence + 1n;
        break;
      }
      this.#sequence = event.sequence;
      if (event.event.case === "stateChange") this.#isFinal = isFinalTraining(event.event.value.state);
      fresh.push(event);
    }
    if (fresh.length > 0) this.#observer.onEvents?.(fresh, receivedAt);
    // What is here counts; another stream brings what is missing.
    if (missing !== undefined) throw new ConnectError(`event ${missing} is missing`, Code.DataLoss);
  }

  #takeGap(gap: EventGap): void {
    if (gap.lastSequence <= this.#sequence) return;
    this.#observer.onGap?.(gap);
    this.#keeper.replace();
  }
}
