import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { PolicyRefSchema, SamplingSchema, Step } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  type EpisodeFinished,
  type EpisodeStarted,
  type Heartbeat,
  InferenceService,
  type RunEpisodeRequest,
  RunEpisodeRequestSchema,
  type RunEpisodeResponse,
  RunEpisodeResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { MazeRefSchema } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { EMPTY_ACTIONS_DIGEST, extendActionsDigest } from "./actions-digest";
import type { ConnectionState } from "./connection-state";
import type { ErrorDescription } from "./describe-error";
import type { EpisodeCursor } from "./episode-cursor";
import { messagesOverWebSocket } from "./message-stream";
import { type RunOptions, randomSeed, streamWays } from "./run-options";
import { StreamKeeper, type StreamTiming } from "./stream-keeper";
import { uuidV7 } from "./uuid-v7";

/** What to run. The field meanings, ranges and defaults are those of RunEpisodeRequest. */
export interface EpisodeSpec {
  readonly maze: MessageInitShape<typeof MazeRefSchema>;
  /** Left out: the active model. */
  readonly policy?: MessageInitShape<typeof PolicyRefSchema>;
  /** Left out: a random one, picked by the client, so that a retry before the first message asks for the same episode. */
  readonly seed?: bigint;
  /** Left out: greedy. */
  readonly sampling?: MessageInitShape<typeof SamplingSchema>;
  /** 0.1–1000; 0 is as fast as possible. */
  readonly stepsPerSecond: number;
  /** 0–100. Default 0. */
  readonly shareMs?: number;
  /** Default false. */
  readonly withPolicyMap?: boolean;
  /** Steps of one stream; 0, the default, is no limit. Single stepping is 1 and then `resume()`. */
  readonly maxSteps?: number;
}

/** The parts of a spec that may change while an episode runs: each change is a new stream at the next step. */
export type EpisodePace = Partial<Pick<EpisodeSpec, "stepsPerSecond" | "shareMs" | "withPolicyMap" | "maxSteps">>;

/**
 * Told what arrives, in order: `onStarted` once a stream, every step exactly once over all streams, `onFinished` at most once.
 * Calls come outside of any rendering; an observer writes to a store and returns at once.
 */
export interface EpisodeObserver {
  /** A stream began; `resumed` is true when it goes on with an episode that this observer already saw started. */
  onStarted?(started: EpisodeStarted, context: { readonly resumed: boolean; readonly receivedAt: number }): void;
  /** One or more consecutive steps; `receivedAt` is milliseconds since the epoch on the client's clock. */
  onSteps?(steps: readonly Step[], receivedAt: number): void;
  onFinished?(finished: EpisodeFinished, receivedAt: number): void;
  onHeartbeat?(heartbeat: Heartbeat, receivedAt: number): void;
  onConnection?(state: ConnectionState): void;
}

/** Everything a run needs. */
export interface RunEpisodeOptions extends RunOptions {
  readonly spec: EpisodeSpec;
  readonly observer: EpisodeObserver;
  /** Goes on with an episode of an earlier run instead of starting one. */
  readonly cursor?: EpisodeCursor;
}

/** Limits of a run in milliseconds. */
export type EpisodeTiming = StreamTiming;

/** One episode that runs, over as many streams as it takes. All methods may be called at any time and more than once. */
export interface EpisodeRun {
  readonly connection: ConnectionState;
  /** Where the episode can be gone on with; undefined until `started` has arrived. */
  readonly cursor: EpisodeCursor | undefined;
  /** Closes the stream and keeps the place. */
  pause(): void;
  /** Opens a stream at the next step, after `pause()`, an exhausted `maxSteps`, or a failure. Does nothing while one is open. */
  resume(): void;
  /** Changes speed, sharing or policy map; an open stream is replaced at the next step without a `reconnecting` in between. */
  change(pace: EpisodePace): void;
  /** Ends the wait of `reconnecting` now. */
  retryNow(): void;
  /** Closes the stream for good and returns the place. */
  stop(): EpisodeCursor | undefined;
}

/**
 * Runs one episode and keeps it running: a lost connection, a frozen server or a restart is answered by reconnecting at the next step, so
 * that the observer gets every step once. The first stream opens before the call returns.
 */
export function runEpisode(options: RunEpisodeOptions): EpisodeRun {
  return new ReconnectingEpisode(options);
}

class ReconnectingEpisode implements EpisodeRun {
  readonly #observer: EpisodeObserver;
  readonly #keeper: StreamKeeper<RunEpisodeRequest, RunEpisodeResponse>;
  #spec: EpisodeSpec;
  #episodeId: string;
  #seed: bigint;
  #cursor: EpisodeCursor | undefined;
  #seenStarted = false;
  /** Step at which a limited stream ends; 0 when it is not limited. */
  #budgetEnd = 0;

  constructor(options: RunEpisodeOptions) {
    this.#observer = options.observer;
    this.#spec = options.spec;
    this.#cursor = options.cursor;
    this.#seed = options.cursor?.seed ?? options.spec.seed ?? randomSeed();
    this.#episodeId = options.cursor?.episodeId ?? uuidV7(Date.now() + (options.clockOffsetMs ?? 0));
    const client = createClient(InferenceService, options.transport);
    this.#keeper = new StreamKeeper({
      ...streamWays(
        options,
        (request, signal) => client.runEpisode(request, { signal }),
        (url) =>
          messagesOverWebSocket({
            url,
            call: "runEpisode",
            request: RunEpisodeRequestSchema,
            response: RunEpisodeResponseSchema,
            open: options.openWebSocket,
          }),
      ),
      call: {
        request: () => this.#request(),
        take: (response) => this.#take(response),
        isBudgetSpent: () => this.#budgetEnd > 0 && (this.#cursor?.afterStep ?? 0) >= this.#budgetEnd,
        amend: (error) => this.#amend(error),
        onConnection: (state) => this.#observer.onConnection?.(state),
      },
    });
    this.resume();
  }

  get connection(): ConnectionState {
    return this.#keeper.connection;
  }

  get cursor(): EpisodeCursor | undefined {
    return this.#cursor;
  }

  pause(): void {
    if (this.#keeper.isWanted) this.#keeper.close({ kind: "paused" });
  }

  resume(): void {
    if (this.#keeper.isOpen) return;
    this.#setBudget();
    this.#keeper.open();
  }

  change(pace: EpisodePace): void {
    this.#spec = { ...this.#spec, ...pace };
    this.#setBudget();
    this.#keeper.replace();
  }

  retryNow(): void {
    this.#keeper.retryNow();
  }

  stop(): EpisodeCursor | undefined {
    if (!this.#keeper.isOver) this.#keeper.close({ kind: "stopped" });
    return this.#cursor;
  }

  #setBudget(): void {
    const maxSteps = this.#spec.maxSteps ?? 0;
    this.#budgetEnd = maxSteps > 0 ? (this.#cursor?.afterStep ?? 0) + maxSteps : 0;
  }

  /** This clock is more than a day off: the server may name the episode. */
  #amend(error: ErrorDescription): boolean {
    if (error.field !== "episode_id" || this.#cursor || !this.#episodeId) return false;
    this.#episodeId = "";
    return true;
  }

  #request(): RunEpisodeRequest {
    const spec = this.#spec;
    const cursor = this.#cursor;
    const afterStep = cursor?.afterStep ?? 0;
    const policy = cursor?.policy ?? spec.policy;
    const sampling = cursor?.sampling ?? spec.sampling;
    return create(RunEpisodeRequestSchema, {
      episodeId: this.#episodeId,
      maze: spec.maze,
      ...(policy ? { policy } : {}),
      ...(sampling ? { sampling } : {}),
      seed: this.#seed,
      stepsPerSecond: spec.stepsPerSecond,
      shareMs: spec.shareMs ?? 0,
      withPolicyMap: spec.withPolicyMap ?? false,
      maxSteps: this.#budgetEnd > 0 ? Math.max(1, this.#budgetEnd - afterStep) : 0,
      afterStep,
      ...(cursor && afterStep > 0 ? { resumeToken: cursor.resumeToken, actionsDigest: cursor.actionsDigest } : {}),
    });
  }

  /** Takes one message; returns true when it is the last one. */
  #take(response: RunEpisodeResponse): boolean {
    const receivedAt = Date.now();
    const { event } = response;
    switch (event.case) {
      case "started":
        this.#takeStarted(event.value, receivedAt);
        return false;
      case "steps":
        this.#takeSteps(event.value.steps, receivedAt);
        return false;
      case "finished":
        this.#observer.onFinished?.(event.value, receivedAt);
        return true;
      case "heartbeat":
        this.#observer.onHeartbeat?.(event.value, receivedAt);
        return false;
      default:
        // A newer server may send what this page does not know.
        return false;
    }
  }

  #takeStarted(started: EpisodeStarted, receivedAt: number): void {
    const afterStep = this.#cursor?.afterStep ?? 0;
    if (started.firstStep !== afterStep + 1) {
      throw new ConnectError(`the stream starts at step ${started.firstStep}, not ${afterStep + 1}`, Code.Internal);
    }
    this.#episodeId = started.episodeId;
    this.#seed = started.seed;
    this.#cursor = {
      episodeId: started.episodeId,
      resumeToken: started.resumeToken,
      policy: started.policy,
      seed: started.seed,
      sampling: started.sampling,
      afterStep,
      actionsDigest: this.#cursor?.actionsDigest ?? EMPTY_ACTIONS_DIGEST,
    };
    const resumed = this.#seenStarted || afterStep > 0;
    this.#seenStarted = true;
    this.#observer.onStarted?.(started, { resumed, receivedAt });
  }

  #takeSteps(steps: readonly Step[], receivedAt: number): void {
    const cursor = this.#cursor;
    if (!cursor) throw new ConnectError("steps arrived before started", Code.Internal);
    let { afterStep, actionsDigest } = cursor;
    const fresh: Step[] = [];
    for (const step of steps) {
      if (step.index <= afterStep) continue;
      if (step.index !== afterStep + 1) throw new ConnectError(`step ${afterStep + 1} is missing`, Code.DataLoss);
      afterStep = step.index;
      actionsDigest = extendActionsDigest(actionsDigest, step.action);
      fresh.push(step);
    }
    if (fresh.length === 0) return;
    this.#cursor = { ...cursor, afterStep, actionsDigest };
    this.#observer.onSteps?.(fresh, receivedAt);
  }
}
