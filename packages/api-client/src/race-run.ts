import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { PolicyRefSchema, SamplingSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  type Heartbeat,
  InferenceService,
  type RaceFinished,
  type RaceLaneSteps,
  RaceLaneStepsSchema,
  type RaceStarted,
  type RunRaceRequest,
  RunRaceRequestSchema,
  type RunRaceResponse,
  RunRaceResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { MazeRefSchema } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { EMPTY_ACTIONS_DIGEST, extendActionsDigest } from "./actions-digest";
import type { ConnectionState } from "./connection-state";
import type { ErrorDescription } from "./describe-error";
import { messagesOverWebSocket } from "./message-stream";
import type { RaceCursor, RaceLaneCursor } from "./race-cursor";
import { type RunOptions, randomSeed, streamWays } from "./run-options";
import { StreamKeeper } from "./stream-keeper";
import { uuidV7 } from "./uuid-v7";

/** One contestant. */
export interface RaceLaneSpec {
  /** Left out: the active model. */
  readonly policy?: MessageInitShape<typeof PolicyRefSchema>;
  /** Left out: greedy. */
  readonly sampling?: MessageInitShape<typeof SamplingSchema>;
}

/** What to race. The field meanings, ranges and defaults are those of RunRaceRequest. */
export interface RaceSpec {
  readonly maze: MessageInitShape<typeof MazeRefSchema>;
  /** One to four. */
  readonly lanes: readonly RaceLaneSpec[];
  /** Left out: a random one, picked by the client, so that a retry before the first message asks for the same race. */
  readonly seed?: bigint;
  /** 0.1–1000; 0 is as fast as possible. */
  readonly stepsPerSecond: number;
  /** 0–100. Default 0. */
  readonly shareMs?: number;
  /** Ticks of one stream; 0, the default, is no limit. Single stepping is 1 and then `resume()`. */
  readonly maxSteps?: number;
}

/** The parts of a spec that may change while a race runs: each change is a new stream at the next tick. */
export type RacePace = Partial<Pick<RaceSpec, "stepsPerSecond" | "shareMs" | "maxSteps">>;

/**
 * Told what arrives, in order: `onStarted` once a stream, every tick of every lane exactly once over all streams, `onFinished` at most once.
 */
export interface RaceObserver {
  /** A stream began; `resumed` is true when it goes on with a race that this observer already saw started. */
  onStarted?(started: RaceStarted, context: { readonly resumed: boolean; readonly receivedAt: number }): void;
  /** What the lanes did in one or more consecutive ticks; lanes that ended before are left out. `receivedAt`: milliseconds since the epoch, client's clock. */
  onSteps?(lanes: readonly RaceLaneSteps[], receivedAt: number): void;
  onFinished?(finished: RaceFinished, receivedAt: number): void;
  onHeartbeat?(heartbeat: Heartbeat, receivedAt: number): void;
  onConnection?(state: ConnectionState): void;
}

/** Everything a race needs. */
export interface RunRaceOptions extends RunOptions {
  readonly spec: RaceSpec;
  readonly observer: RaceObserver;
  /** Goes on with an earlier race instead of starting one. */
  readonly cursor?: RaceCursor;
}

/** One race that runs, over as many streams as it takes. All methods are those of an `EpisodeRun`. */
export interface RaceRun {
  readonly connection: ConnectionState;
  /** Where the race can be gone on with; undefined until `started` has arrived. */
  readonly cursor: RaceCursor | undefined;
  pause(): void;
  resume(): void;
  change(pace: RacePace): void;
  retryNow(): void;
  stop(): RaceCursor | undefined;
}

/** Runs up to four episodes in step and keeps them running, as `runEpisode` does for one. The first stream opens before the call returns. */
export function runRace(options: RunRaceOptions): RaceRun {
  return new ReconnectingRace(options);
}

class ReconnectingRace implements RaceRun {
  readonly #observer: RaceObserver;
  readonly #keeper: StreamKeeper<RunRaceRequest, RunRaceResponse>;
  #spec: RaceSpec;
  readonly #episodeIds: string[];
  readonly #seed: bigint;
  #cursor: RaceCursor | undefined;
  #seenStarted = false;
  /** Tick at which a limited stream ends; 0 when it is not limited. */
  #budgetEnd = 0;

  constructor(options: RunRaceOptions) {
    this.#observer = options.observer;
    this.#spec = options.spec;
    this.#cursor = options.cursor;
    this.#seed = options.cursor?.seed ?? options.spec.seed ?? randomSeed();
    const now = Date.now() + (options.clockOffsetMs ?? 0);
    this.#episodeIds = options.spec.lanes.map((_, lane) => options.cursor?.lanes[lane]?.episodeId ?? uuidV7(now));
    const client = createClient(InferenceService, options.transport);
    this.#keeper = new StreamKeeper({
      ...streamWays(
        options,
        (request, signal) => client.runRace(request, { signal }),
        (url) =>
          messagesOverWebSocket({
            url,
            call: "runRace",
            request: RunRaceRequestSchema,
            response: RunRaceResponseSchema,
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

  get cursor(): RaceCursor | undefined {
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

  change(pace: RacePace): void {
    this.#spec = { ...this.#spec, ...pace };
    this.#setBudget();
    this.#keeper.replace();
  }

  retryNow(): void {
    this.#keeper.retryNow();
  }

  stop(): RaceCursor | undefined {
    if (!this.#keeper.isOver) this.#keeper.close({ kind: "stopped" });
    return this.#cursor;
  }

  #setBudget(): void {
    const maxSteps = this.#spec.maxSteps ?? 0;
    this.#budgetEnd = maxSteps > 0 ? (this.#cursor?.afterStep ?? 0) + maxSteps : 0;
  }

  /** This clock is more than a day off: the server may name the episodes. */
  #amend(error: ErrorDescription): boolean {
    if (!error.field.endsWith("episode_id") || this.#cursor || this.#episodeIds.every((id) => !id)) return false;
    this.#episodeIds.fill("");
    return true;
  }

  #request(): RunRaceRequest {
    const spec = this.#spec;
    const cursor = this.#cursor;
    const afterStep = cursor?.afterStep ?? 0;
    return create(RunRaceRequestSchema, {
      maze: spec.maze,
      seed: this.#seed,
      stepsPerSecond: spec.stepsPerSecond,
      shareMs: spec.shareMs ?? 0,
      maxSteps: this.#budgetEnd > 0 ? Math.max(1, this.#budgetEnd - afterStep) : 0,
      afterStep,
      lanes: spec.lanes.map((lane, at) => {
        const known = cursor?.lanes[at];
        const policy = known?.policy ?? lane.policy;
        const sampling = known?.sampling ?? lane.sampling;
        return {
          episodeId: this.#episodeIds[at] ?? "",
          ...(policy ? { policy } : {}),
          ...(sampling ? { sampling } : {}),
          ...(known && afterStep > 0 ? { resumeToken: known.resumeToken, actionsDigest: known.actionsDigest } : {}),
        };
      }),
    });
  }

  /** Takes one message; returns true when it is the last one. */
  #take(response: RunRaceResponse): boolean {
    const receivedAt = Date.now();
    const { event } = response;
    switch (event.case) {
      case "started":
        this.#takeStarted(event.value, receivedAt);
        return false;
      case "steps":
        this.#takeSteps(event.value.lanes, receivedAt);
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

  #takeStarted(started: RaceStarted, receivedAt: number): void {
    const before = this.#cursor;
    const afterStep = before?.afterStep ?? 0;
    if (started.firstStep !== afterStep + 1) {
      throw new ConnectError(`the stream starts at tick ${started.firstStep}, not ${afterStep + 1}`, Code.Internal);
    }
    if (started.lanes.length !== this.#spec.lanes.length) {
      throw new ConnectError(`${started.lanes.length} lanes started, not ${this.#spec.lanes.length}`, Code.Internal);
    }
    this.#cursor = {
      seed: started.seed,
      afterStep,
      lanes: started.lanes.map((lane, at) => ({
        episodeId: lane.episodeId,
        resumeToken: lane.resumeToken,
        policy: lane.policy,
        sampling: lane.sampling,
        lastStep: before?.lanes[at]?.lastStep ?? 0,
        actionsDigest: before?.lanes[at]?.actionsDigest ?? EMPTY_ACTIONS_DIGEST,
        ended: before?.lanes[at]?.ended ?? false,
      })),
    };
    started.lanes.forEach((lane, at) => {
      this.#episodeIds[at] = lane.episodeId;
    });
    const resumed = this.#seenStarted || afterStep > 0;
    this.#seenStarted = true;
    this.#observer.onStarted?.(started, { resumed, receivedAt });
  }

  /** Takes a message whole or not at all, so that all lanes stand at the same tick when the stream is cut. */
  #takeSteps(arrived: readonly RaceLaneSteps[], receivedAt: number): void {
    const cursor = this.#cursor;
    if (!cursor) throw new ConnectError("steps arrived before started", Code.Internal);
    const lanes = [...cursor.lanes];
    const fresh: RaceLaneSteps[] = [];
    for (const message of arrived) {
      const lane = lanes[message.lane];
      if (!lane) throw new ConnectError(`there is no lane ${message.lane}`, Code.Internal);
      const { next, steps } = extended(lane, message);
      lanes[message.lane] = next;
      if (steps.length === message.steps.length) fresh.push(message);
      else if (steps.length > 0) fresh.push(create(RaceLaneStepsSchema, { ...message, steps }));
    }
    if (fresh.length === 0) return;
    const running = lanes.filter((lane) => !lane.ended);
    const afterStep = Math.max(...lanes.map((lane) => lane.lastStep));
    const late = running.findIndex((lane) => lane.lastStep !== afterStep);
    if (late >= 0)
      throw new ConnectError(`a lane stands at tick ${running[late]?.lastStep}, not ${afterStep}`, Code.DataLoss);
    this.#cursor = { ...cursor, afterStep, lanes };
    this.#observer.onSteps?.(fresh, receivedAt);
  }
}

/** A lane after the steps of a message, and those of them that are new. */
function extended(
  lane: RaceLaneCursor,
  message: RaceLaneSteps,
): { readonly next: RaceLaneCursor; readonly steps: RaceLaneSteps["steps"] } {
  let { lastStep, actionsDigest } = lane;
  const steps: RaceLaneSteps["steps"] = [];
  for (const step of message.steps) {
    if (step.index <= lastStep) continue;
    if (step.index !== lastStep + 1)
      throw new ConnectError(`step ${lastStep + 1} of lane ${message.lane} is missing`, Code.DataLoss);
    lastStep = step.index;
    actionsDigest = extendActionsDigest(actionsDigest, step.action);
    steps.push(step);
  }
  return { next: { ...lane, lastStep, actionsDigest, ended: lane.ended || message.finished !== undefined }, steps };
}
