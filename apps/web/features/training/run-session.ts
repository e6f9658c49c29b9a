import type { Transport } from "@connectrpc/connect";
import type { GetTrainingHistoryResponse } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import type { StreamTiming } from "@rlmaze/api-client/stream-keeper";
import { isFinalTraining, type TrainingWatch, watchTraining } from "@rlmaze/api-client/training-watch";
import { BffError } from "@/lib/bff";
import { RunRecord } from "./run-record";

/** Where a session is. An immutable value that is replaced on every change. */
export type RunSessionState =
  | { readonly kind: "loading" }
  /** There is no such run, or it cannot be read; `retrying` when it is tried again by itself. */
  | { readonly kind: "failed"; readonly error: Error; readonly retrying: boolean }
  | { readonly kind: "open"; readonly record: RunRecord; readonly connection: ConnectionState };

/** What a session needs. */
export interface RunSessionOptions {
  readonly runId: string;
  /** Reads the run as it is kept. */
  readonly readHistory: (signal: AbortSignal) => Promise<GetTrainingHistoryResponse>;
  readonly transport: Transport;
  readonly webSocketUrl?: string;
  readonly timing?: Partial<StreamTiming>;
  /** 2000: wait before a history that could not be read is asked for again. */
  readonly retryMs?: number;
  /** 5000: how often a run that ended is looked at again while something may follow its end. */
  readonly lookAgainMs?: number;
}

/** A run that ended so long ago is what it will be. */
const SETTLED_MS = 10 * 60_000;

/** One open run, outside of React: its history first, then every event that follows, over whatever happens to the connection. */
export class RunSession {
  readonly #options: RunSessionOptions;
  readonly #listeners = new Set<() => void>();
  readonly #end = new AbortController();
  #state: RunSessionState = { kind: "loading" };
  #record: RunRecord | undefined;
  #watch: TrainingWatch | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Connection of a look at a run that has ended, while it brought nothing. */
  #unsaid: ConnectionState | undefined;

  constructor(options: RunSessionOptions) {
    this.#options = options;
    void this.#read();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): RunSessionState => this.#state;

  retryNow(): void {
    if (this.#watch !== undefined) this.#watch.retryNow();
    else if (this.#state.kind === "failed") void this.#read();
  }

  dispose(): void {
    this.#end.abort();
    clearTimeout(this.#timer);
    this.#watch?.stop();
    this.#record?.dispose();
    this.#listeners.clear();
  }

  async #read(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const history = await this.#options.readHistory(this.#end.signal);
      if (!this.#end.signal.aborted) this.#open(history);
    } catch (reason) {
      if (this.#end.signal.aborted) return;
      const error = reason instanceof Error ? reason : new Error(String(reason));
      const retrying = error instanceof BffError && error.retryable;
      this.#set({ kind: "failed", error, retrying });
      if (retrying) this.#timer = setTimeout(() => void this.#read(), this.#options.retryMs ?? 2000);
    }
  }

  #open(history: GetTrainingHistoryResponse): void {
    const record = new RunRecord(history);
    const { runId, transport, webSocketUrl, timing } = this.#options;
    this.#record = record;
    this.#watch = watchTraining({
      runId,
      afterSequence: record.sequence,
      transport,
      giveBackWhenHidden: true,
      ...(webSocketUrl === undefined ? {} : { webSocketUrl }),
      ...(timing === undefined ? {} : { timing }),
      observer: {
        onTraining: (training, receivedAt) => {
          record.onTraining(training, receivedAt);
          // A trainer that was away is back and its run goes on.
          if (this.#unsaid !== undefined && !isFinalTraining(training.state)) this.#tell(record, this.#unsaid);
        },
        onEvents: (events, receivedAt) => record.onEvents(events, receivedAt),
        onGap: () => record.onGap(),
        onConnection: (connection) => this.#onConnection(record, connection),
      },
    });
  }

  #onConnection(record: RunRecord, connection: ConnectionState): void {
    const before = this.#state;
    const ended = connection.kind === "disconnected" && connection.reason.kind === "finished";
    // A look at a run that has ended is none of the page's business.
    const isQuiet =
      before.kind === "open" &&
      before.connection.kind === "disconnected" &&
      before.connection.reason.kind === "finished" &&
      connection.kind !== "disconnected" &&
      isFinalTraining(record.training.state);
    if (isQuiet) this.#unsaid = connection;
    else this.#tell(record, connection);
    if (ended && this.#mayFollow(record)) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#watch?.resume(), this.#options.lookAgainMs ?? 5000);
    }
  }

  /** A model may be registered later, and a run of a trainer that was away may turn out to go on. */
  #mayFollow(record: RunRecord): boolean {
    const { training, happenedAt } = record;
    if (Date.now() - happenedAt > SETTLED_MS) return false;
    if (training.state === TrainingState.COMPLETED) return training.modelId === "";
    return training.state === TrainingState.FAILED;
  }

  #tell(record: RunRecord, connection: ConnectionState): void {
    this.#unsaid = undefined;
    this.#set({ kind: "open", record, connection });
  }

  #set(state: RunSessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
