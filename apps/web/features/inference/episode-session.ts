import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import type { SamplingSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import type { ErrorDescription } from "@rlmaze/api-client/describe-error";
import { type EpisodeRun, type EpisodeTiming, runEpisode } from "@rlmaze/api-client/episode-run";
import { type Decision, decide } from "@rlmaze/episode-playback/decision";
import { createEpisodePlayback, type EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { mazeRefOf } from "@/lib/moment-requests";

/** What runs next: the choices of a person, resolved to a maze. */
export interface EpisodeChoice {
  /** One without an id is a drawn one: the server is given its rows. */
  readonly maze: Maze;
  /** Empty: the active model. */
  readonly modelId: string;
  /** Left out: a random one. */
  readonly seed?: bigint;
  readonly sampling: MessageInitShape<typeof SamplingSchema>;
}

/**
 * `ready`: nothing runs yet; `running`: steps come or will come again after a reconnect; `paused`: the stream is closed and the place kept;
 * `finished`: the result is known; `failed`: the server refused and says why.
 */
export type Activity = "ready" | "running" | "paused" | "finished" | "failed";

/** State of a session; an immutable value that is replaced on every change. */
export interface SessionState {
  readonly activity: Activity;
  readonly connection: ConnectionState;
  readonly stepsPerSecond: number;
  readonly error: ErrorDescription | undefined;
  /** Cumulative rewards of the episode before this one; empty when there was none. */
  readonly lastRewards: Float64Array;
  /** Counts the episodes that were started in this session. */
  readonly episodes: number;
}

/** What a session needs. */
export interface SessionOptions {
  readonly transport: Transport;
  readonly webSocketUrl?: string;
  readonly stepsPerSecond: number;
  readonly timing?: Partial<EpisodeTiming>;
}

/** Mazes up to this many rows and columns carry their policy map in the stream; larger ones are asked for on demand. */
const STREAMED_MAP_SIZE = 30;
/** Steps of so many milliseconds share a message at speeds where the eye cannot tell single steps apart. */
const SHARE_MS = 16;
const SHARE_FROM_SPEED = 60;

const idle: ConnectionState = { kind: "disconnected", reason: { kind: "idle" } };
const noRewards = new Float64Array(0);

/**
 * One place on the page where episodes run, one after the other, outside of React. It owns the playback that everything is drawn from and
 * the run that fills it. All methods may be called at any time.
 */
export class EpisodeSession {
  readonly playback: EpisodePlayback;
  readonly #options: SessionOptions;
  readonly #listeners = new Set<() => void>();
  #state: SessionState;
  #choice: EpisodeChoice | undefined;
  #run: EpisodeRun | undefined;
  /** Tells the callbacks of the run that counts from those of runs that were left. */
  #current: symbol | undefined;
  #withPolicyMap = false;
  /** True while a single step is on its way: the controls stay as they are when paused. */
  #stepping = false;
  /** True when the tab was hidden while running: its stream is given back to the browser's few connections. */
  #hidden = false;
  #clockOffsetMs = 0;
  /** True while a replay is to go over into new steps when it has come to the newest one. */
  #goesOn = false;
  readonly #endWatch: () => void;
  #mapRequest: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.playback = createEpisodePlayback();
    this.#endWatch = this.playback.subscribe(() => this.#onPlayback());
    this.#state = {
      activity: "ready",
      connection: idle,
      stepsPerSecond: options.stepsPerSecond,
      error: undefined,
      lastRewards: noRewards,
      episodes: 0,
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): SessionState => this.#state;

  /** Whether steps come, or will come again after a reconnect. */
  get isRunning(): boolean {
    return this.#state.activity === "running";
  }

  /** Chooses what `play` starts, ends what ran, and shows the maze at step 0. */
  choose(choice: EpisodeChoice): void {
    const sameMaze = this.#choice?.maze.mazeId === choice.maze.mazeId;
    this.#leave(sameMaze);
    this.#choice = choice;
    this.playback.showMaze(choice.maze);
    this.playback.flush();
  }

  /**
   * Goes on from what is shown. On an earlier step that is what has already arrived, then the stream; on the newest step the stream starts,
   * goes on, or, after the end, starts again.
   */
  play(): void {
    if (this.playback.mode !== "live" && this.playback.shownStep < this.playback.liveStep) {
      this.#goesOn = this.#state.activity === "paused";
      this.playback.replay(this.#state.stepsPerSecond);
      return;
    }
    this.playback.follow();
    if (this.#run !== undefined && this.#state.activity === "running") return;
    if (this.#run !== undefined && this.#state.activity === "paused") {
      this.#stepping = false;
      const { stepsPerSecond } = this.#state;
      this.#run.change({ maxSteps: 0, stepsPerSecond, shareMs: shareMs(stepsPerSecond) });
      this.#run.resume();
      return;
    }
    this.#start({ maxSteps: 0 });
  }

  /** Holds the shown step: a replay stops where it is; on the newest step the stream is closed and the place kept. */
  stop(): void {
    if (this.playback.mode === "replay") {
      this.hold();
      return;
    }
    this.#hidden = false;
    this.#run?.pause();
  }

  /** Stays at the shown step, whatever arrives. */
  hold(): void {
    this.#goesOn = false;
    this.playback.hold();
  }

  /** One step forward: from memory when there is one, else one of the server, then paused again. */
  step(): void {
    if (this.playback.mode !== "live" && this.playback.shownStep < this.playback.liveStep) {
      this.stepBy(1);
      return;
    }
    this.playback.follow();
    if (this.#state.activity === "running") {
      this.#run?.pause();
      return;
    }
    if (this.#run !== undefined && this.#state.activity === "paused") {
      this.#stepping = true;
      this.#run.change({ maxSteps: 1 });
      this.#run.resume();
      return;
    }
    this.#start({ maxSteps: 1 });
  }

  /** Goes steps on or back among those that have arrived, and stays there. */
  stepBy(steps: number): void {
    this.#goesOn = false;
    this.playback.stepBy(steps);
  }

  /** Shows a step that has arrived and stays there. A stream that runs goes on; the newest step follows it again. */
  show(step: number): void {
    this.#goesOn = false;
    this.playback.show(step);
  }

  /** Shows the newest step and follows it. */
  live(): void {
    this.#goesOn = false;
    this.playback.follow();
  }

  /** Runs the chosen episode as fast as possible to a step and pauses there, as a link asks for; step 0 shows the start. */
  open(step: number): void {
    if (step > 0) this.#start({ maxSteps: step, stepsPerSecond: 0 });
  }

  /** Back to step 0 of the same maze; nothing runs. */
  reset(): void {
    this.#leave(true);
    this.playback.reset();
    this.playback.flush();
  }

  setSpeed(stepsPerSecond: number): void {
    if (this.#state.stepsPerSecond === stepsPerSecond) return;
    this.#set({ stepsPerSecond });
    if (this.playback.mode === "replay") this.playback.replay(stepsPerSecond);
    this.#run?.change({ stepsPerSecond, shareMs: shareMs(stepsPerSecond) });
  }

  /** Whether arrows or values are on the board, so that the policy map is needed. */
  setWithPolicyMap(wanted: boolean): void {
    if (this.#withPolicyMap === wanted) return;
    this.#withPolicyMap = wanted;
    this.#run?.change({ withPolicyMap: wanted && this.#streamsMap() });
  }

  setClockOffset(offsetMs: number): void {
    this.#clockOffsetMs = offsetMs;
    this.playback.setClockOffset(offsetMs);
  }

  retryNow(): void {
    this.#run?.retryNow();
  }

  /** Tells that the tab went out of sight or came back; a running stream is closed and later resumed at its step. */
  setHidden(hidden: boolean): void {
    if (hidden && this.#state.activity === "running" && !this.#stepping) {
      this.#hidden = true;
      this.#run?.pause();
    } else if (!hidden && this.#hidden) {
      this.#hidden = false;
      this.#run?.resume();
    }
  }

  /**
   * Asks for the policy map of the shown step when it is wanted and the stream did not bring it: before the first step, while
   * paused, on an earlier step, and on mazes too large for the stream. Resolves when it is there or not needed.
   */
  async fetchPolicyMap(): Promise<void> {
    this.#mapRequest?.abort();
    const choice = this.#choice;
    const shown = this.playback.shownStep;
    const running = this.#state.activity === "running" && this.playback.following && this.#streamsMap();
    if (!this.#withPolicyMap || choice === undefined || running || this.playback.policyMap?.atStep === shown) return;
    const request = new AbortController();
    this.#mapRequest = request;
    const cursor = this.#run?.cursor;
    try {
      const reply = await createClient(InferenceService, this.#options.transport).mapPolicy(
        {
          maze: mazeRefOf(choice.maze),
          policy: cursor?.policy ?? { policy: { case: "modelId", value: choice.modelId } },
          sampling: cursor?.sampling ?? choice.sampling,
          seed: cursor?.seed ?? choice.seed ?? 0n,
          afterStep: shown,
        },
        { signal: request.signal, timeoutMs: 5_000 },
      );
      const stillShown = !request.signal.aborted && this.#choice === choice && this.playback.shownStep === shown;
      if (stillShown && reply.policyMap) this.playback.setPolicyMap(reply.policyMap);
    } catch {
      // A map is an addition to the picture: without it the board shows no arrows, and the connection state says why.
    }
  }

  /** Asks the network that acts (or would) what it makes of observations. Rejects with the client's error. */
  async score(observations: readonly (readonly number[])[], signal: AbortSignal): Promise<readonly Decision[]> {
    const reply = await createClient(InferenceService, this.#options.transport).scoreObservations(
      {
        policy: this.#run?.cursor?.policy ?? { policy: { case: "modelId", value: this.#choice?.modelId ?? "" } },
        observations: observations.map((values) => ({ values: [...values] })),
      },
      { signal, timeoutMs: 5_000 },
    );
    return reply.scores.map((scores) => decide(scores));
  }

  dispose(): void {
    this.#endWatch();
    this.#mapRequest?.abort();
    this.#run?.stop();
    this.#run = undefined;
    this.playback.dispose();
    this.#listeners.clear();
  }

  #streamsMap(): boolean {
    const rows = this.#choice?.maze.rows ?? [];
    return rows.length <= STREAMED_MAP_SIZE && (rows[0]?.length ?? 0) <= STREAMED_MAP_SIZE;
  }

  /** A replay that has come to the newest step goes over into new ones, if that is what a person asked for. */
  #onPlayback(): void {
    if (!this.#goesOn || this.playback.mode !== "live") return;
    this.#goesOn = false;
    if (this.#state.activity === "paused") this.play();
  }

  /** Ends what ran; keeps its rewards for comparison when the next episode is in the same maze. */
  #leave(keepRewards: boolean): void {
    const rewards = this.playback.cumulativeRewards;
    const lastRewards = keepRewards ? (rewards.length > 0 ? rewards.slice() : this.#state.lastRewards) : noRewards;
    const run = this.#run;
    this.#goesOn = false;
    this.#run = undefined;
    this.#current = undefined;
    this.#stepping = false;
    this.#hidden = false;
    run?.stop();
    this.#set({ activity: "ready", connection: idle, error: undefined, lastRewards });
  }

  #start({
    maxSteps,
    stepsPerSecond = this.#state.stepsPerSecond,
  }: {
    maxSteps: number;
    stepsPerSecond?: number;
  }): void {
    const choice = this.#choice;
    if (choice === undefined) return;
    this.#leave(true);
    this.playback.reset();
    this.#stepping = maxSteps > 0;
    this.#set({ episodes: this.#state.episodes + 1, activity: this.#stepping ? "paused" : "running" });
    const token = Symbol("run");
    this.#current = token;
    this.#run = runEpisode({
      spec: {
        maze: mazeRefOf(choice.maze),
        policy: { policy: { case: "modelId", value: choice.modelId } },
        sampling: choice.sampling,
        ...(choice.seed === undefined ? {} : { seed: choice.seed }),
        stepsPerSecond,
        shareMs: shareMs(stepsPerSecond),
        withPolicyMap: this.#withPolicyMap && this.#streamsMap(),
        maxSteps,
      },
      transport: this.#options.transport,
      ...(this.#options.webSocketUrl === undefined ? {} : { webSocketUrl: this.#options.webSocketUrl }),
      ...(this.#options.timing === undefined ? {} : { timing: this.#options.timing }),
      clockOffsetMs: this.#clockOffsetMs,
      observer: {
        onStarted: (started) => this.playback.onStarted(started),
        onSteps: (steps, receivedAt) => this.playback.onSteps(steps, receivedAt),
        onFinished: (finished) => this.playback.onFinished(finished),
        onConnection: (connection) => {
          // States of a run that was left are of no interest.
          if (this.#current === token) this.#onConnection(connection);
        },
      },
    });
  }

  #onConnection(connection: ConnectionState): void {
    if (connection.kind !== "disconnected") {
      this.#set({ connection, activity: this.#stepping ? "paused" : "running", error: undefined });
      return;
    }
    switch (connection.reason.kind) {
      case "finished":
        this.#stepping = false;
        this.playback.flush();
        this.#set({ connection, activity: "finished" });
        break;
      case "paused":
      case "step_budget":
        this.#stepping = false;
        this.playback.flush();
        this.#set({ connection, activity: "paused" });
        break;
      case "failed":
        this.#stepping = false;
        this.#set({ connection, activity: "failed", error: connection.reason.error });
        break;
      default:
        this.#set({ connection });
    }
  }

  #set(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function shareMs(stepsPerSecond: number): number {
  return stepsPerSecond === 0 || stepsPerSecond >= SHARE_FROM_SPEED ? SHARE_MS : 0;
}
