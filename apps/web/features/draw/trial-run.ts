import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { PolicyRefSchema, SamplingSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import type { ErrorDescription } from "@rlmaze/api-client/describe-error";
import { type EpisodeRun, runEpisode } from "@rlmaze/api-client/episode-run";
import { createEpisodePlayback, type EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import type { MomentLane } from "@/lib/moment-link";
import { type Drawing, rowsOf } from "./drawing";
import type { DrawingFacts } from "./drawing-facts";

/** `drawing`: nothing runs; `running`: an agent is in the maze; `finished`: it got to the goal or to the step limit; `failed`: the server refused. */
export type TrialActivity = "drawing" | "running" | "paused" | "finished" | "failed";

/** State of a trial; replaced on every change. */
export interface TrialState {
  readonly activity: TrialActivity;
  readonly connection: ConnectionState;
  readonly error: ErrorDescription | undefined;
  /** Who runs or ran, with the model that the server named; undefined before. */
  readonly lane: MomentLane | undefined;
}

/** What a trial needs. */
export interface TrialOptions {
  readonly transport: Transport;
  readonly webSocketUrl?: string;
}

/** What runs. */
export interface TrialChoice {
  readonly lane: MomentLane;
  /** Left out: a random one. */
  readonly seed?: bigint;
  /** 0 is as fast as possible. */
  readonly stepsPerSecond: number;
  /** The run pauses there; 0 goes to the end. */
  readonly toStep?: number;
}

const idle: ConnectionState = { kind: "disconnected", reason: { kind: "idle" } };
/** Steps of so many milliseconds share a message where the eye cannot tell single steps apart. */
const SHARE_MS = 16;
const SHARE_FROM_SPEED = 60;

/**
 * The board of the drawing page: the drawing while one draws, and an agent in it while one tries it. Any change of the drawing ends the trial.
 * It stands outside of React; all methods may be called at any time.
 */
export class TrialRun {
  readonly playback: EpisodePlayback = createEpisodePlayback();
  readonly #options: TrialOptions;
  readonly #listeners = new Set<() => void>();
  #run: EpisodeRun | undefined;
  /** Tells the callbacks of the run that counts from those of runs that were left. */
  #current: symbol | undefined;
  #state: TrialState = { activity: "drawing", connection: idle, error: undefined, lane: undefined };

  constructor(options: TrialOptions) {
    this.#options = options;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): TrialState => this.#state;

  /** Puts a drawing on the board and ends what ran in the one before. */
  show(drawing: Drawing, facts: DrawingFacts): void {
    this.#leave();
    this.playback.showMaze({
      mazeId: "",
      rows: rowsOf(drawing),
      shortestPath: facts.shortestPath,
      maxSteps: facts.maxSteps,
    });
  }

  /** Lets a policy run in the drawing that is on the board. */
  start(drawing: Drawing, choice: TrialChoice): void {
    this.#leave();
    this.playback.reset();
    const token = Symbol("trial");
    this.#current = token;
    this.#set({ activity: "running", error: undefined, lane: choice.lane });
    this.#run = runEpisode({
      spec: {
        maze: { maze: { case: "drawn", value: { rows: rowsOf(drawing) } } },
        policy: policyRef(choice.lane),
        sampling: samplingOf(choice.lane),
        ...(choice.seed === undefined ? {} : { seed: choice.seed }),
        stepsPerSecond: choice.stepsPerSecond,
        shareMs: shareMs(choice.stepsPerSecond),
        maxSteps: choice.toStep ?? 0,
      },
      ...this.#options,
      observer: {
        onStarted: (started) => {
          if (this.#current !== token) return;
          this.playback.onStarted(started);
          // An empty id meant the active model; links must name the one that it was.
          const policy = started.policy?.policy;
          if (policy?.case === "modelId") this.#set({ lane: { ...choice.lane, policy: { modelId: policy.value } } });
        },
        onSteps: (steps, receivedAt) => {
          if (this.#current === token) this.playback.onSteps(steps, receivedAt);
        },
        onFinished: (finished) => {
          if (this.#current === token) this.playback.onFinished(finished);
        },
        onConnection: (connection) => {
          if (this.#current === token) this.#onConnection(connection);
        },
      },
    });
  }

  setSpeed(stepsPerSecond: number): void {
    this.#run?.change({ stepsPerSecond, shareMs: shareMs(stepsPerSecond) });
  }

  pause(): void {
    this.#run?.pause();
  }

  /** Goes on to the end from where it paused. */
  resume(stepsPerSecond: number): void {
    if (this.#state.activity !== "paused") return;
    this.playback.follow();
    this.#run?.change({ maxSteps: 0, stepsPerSecond, shareMs: shareMs(stepsPerSecond) });
    this.#run?.resume();
  }

  /** Takes the agent out of the maze. */
  clear(): void {
    this.#leave();
    this.playback.reset();
  }

  retryNow(): void {
    this.#run?.retryNow();
  }

  dispose(): void {
    this.#current = undefined;
    this.#run?.stop();
    this.playback.dispose();
    this.#listeners.clear();
  }

  #leave(): void {
    this.#current = undefined;
    this.#run?.stop();
    this.#run = undefined;
    if (this.#state.activity !== "drawing") {
      this.#set({ activity: "drawing", connection: idle, error: undefined, lane: undefined });
    }
  }

  #onConnection(connection: ConnectionState): void {
    if (connection.kind !== "disconnected") {
      this.#set({ connection, activity: "running", error: undefined });
      return;
    }
    const { reason } = connection;
    this.playback.flush();
    if (reason.kind === "finished") this.#set({ connection, activity: "finished" });
    else if (reason.kind === "failed") this.#set({ connection, activity: "failed", error: reason.error });
    else if (reason.kind === "paused" || reason.kind === "step_budget") this.#set({ connection, activity: "paused" });
    else this.#set({ connection });
  }

  #set(change: Partial<TrialState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

function policyRef({ policy }: MomentLane): MessageInitShape<typeof PolicyRefSchema> {
  return "modelId" in policy
    ? { policy: { case: "modelId", value: policy.modelId } }
    : { policy: { case: "baseline", value: policy.baseline } };
}

function samplingOf({ sampling }: MomentLane): MessageInitShape<typeof SamplingSchema> {
  return sampling === "greedy"
    ? { sampling: { case: "greedy", value: {} } }
    : { sampling: { case: "softmax", value: { temperature: sampling.temperature } } };
}

function shareMs(stepsPerSecond: number): number {
  return stepsPerSecond === 0 || stepsPerSecond >= SHARE_FROM_SPEED ? SHARE_MS : 0;
}
