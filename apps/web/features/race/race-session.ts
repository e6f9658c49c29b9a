import type { Transport } from "@connectrpc/connect";
import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import type { ErrorDescription } from "@rlmaze/api-client/describe-error";
import { type RaceRun, runRace } from "@rlmaze/api-client/race-run";
import type { StreamTiming } from "@rlmaze/api-client/stream-keeper";
import { createRacePlayback, type RacePlayback } from "@rlmaze/episode-playback/race-playback";
import type { MomentLane } from "@/lib/moment-link";
import { mazeRefOf, policyRefOf, samplingMessageOf } from "@/lib/moment-requests";

/** What races next: the choices of a person, resolved to a maze. */
export interface RaceChoice {
  readonly maze: Maze;
  /** One to four. */
  readonly lanes: readonly MomentLane[];
  readonly seed: bigint;
}

/**
 * `ready`: nothing runs yet; `running`: steps come or will come again after a reconnect; `paused`: the stream is closed and the place kept;
 * `finished`: all lanes have ended; `failed`: the server refused and says why.
 */
export type Activity = "ready" | "running" | "paused" | "finished" | "failed";

/** State of a session; an immutable value that is replaced on every change. */
export interface RaceState {
  readonly activity: Activity;
  readonly connection: ConnectionState;
  readonly stepsPerSecond: number;
  readonly error: ErrorDescription | undefined;
  /** Counts the races that were started in this session. */
  readonly races: number;
}

/** What a session needs. */
export interface RaceSessionOptions {
  readonly transport: Transport;
  readonly webSocketUrl?: string;
  /** 0.1–1000; 0 is as fast as possible. */
  readonly stepsPerSecond: number;
  readonly timing?: Partial<StreamTiming>;
}

/** Steps of so many milliseconds share a message at speeds where the eye cannot tell single steps apart. */
const SHARE_MS = 16;
const SHARE_FROM_SPEED = 60;

const idle: ConnectionState = { kind: "disconnected", reason: { kind: "idle" } };

/**
 * One place on the page where races run, one after the other, outside of React. It owns the playback that everything is drawn from and the
 * run that fills it. While one looks back the stream goes on. All methods may be called at any time.
 */
export class RaceSession {
  readonly playback: RacePlayback = createRacePlayback();
  readonly #options: RaceSessionOptions;
  readonly #listeners = new Set<() => void>();
  #state: RaceState;
  #choice: RaceChoice | undefined;
  #run: RaceRun | undefined;
  /** Tells the callbacks of the run that counts from those of runs that were left. */
  #current: symbol | undefined;
  /** True while a single step is on its way: the controls stay as they are when paused. */
  #stepping = false;
  /** Step to stop at and show, when a link names one; undefined otherwise. */
  #target: number | undefined;

  constructor(options: RaceSessionOptions) {
    this.#options = options;
    this.#state = {
      activity: "ready",
      connection: idle,
      stepsPerSecond: options.stepsPerSecond,
      error: undefined,
      races: 0,
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): RaceState => this.#state;

  /** Chooses what `play` starts, ends what ran, and shows the maze at step 0. */
  choose(choice: RaceChoice): void {
    this.#leave();
    this.#choice = choice;
    this.playback.showMaze(choice.maze, choice.lanes.length);
    this.playback.flush();
  }

  /** Starts, goes on from where one looks, or, after the end, starts again. */
  play(): void {
    if (!this.playback.following) {
      this.playback.replay(this.#state.stepsPerSecond);
      return;
    }
    if (this.#state.activity === "running") return;
    if (this.#run !== undefined && this.#state.activity === "paused") {
      this.#stepping = false;
      this.#run.change({ maxSteps: 0 });
      this.#run.resume();
      return;
    }
    this.#start(0);
  }

  /** Holds what moves: the play from memory, or the race itself. */
  stop(): void {
    if (this.playback.mode === "replay") {
      this.playback.hold();
      return;
    }
    this.#run?.pause();
  }

  /** One step on: out of memory while one looks back, from the server at the newest step. */
  step(): void {
    if (!this.playback.following) {
      this.playback.stepBy(1);
      return;
    }
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
    if (this.#state.activity !== "finished") this.#start(1);
  }

  /** One step back; the race goes on meanwhile. */
  back(): void {
    this.playback.stepBy(-1);
  }

  /** Shows an earlier step; the race goes on meanwhile. */
  show(step: number): void {
    this.playback.show(step);
  }

  /** Returns to the newest step. */
  live(): void {
    this.playback.follow();
  }

  /** Back to step 0 of the same maze; nothing runs. */
  reset(): void {
    this.#leave();
    this.playback.reset();
    this.playback.flush();
  }

  /** Runs the chosen race up to a step at once and stays there, for a link. */
  goTo(step: number): void {
    if (step <= 0) {
      this.reset();
      return;
    }
    this.#target = step;
    this.#start(step);
  }

  setSpeed(stepsPerSecond: number): void {
    if (this.#state.stepsPerSecond === stepsPerSecond) return;
    this.#set({ stepsPerSecond });
    // A stream that hurries to the step of a link keeps its haste; the speed holds from there on.
    if (this.#target === undefined) this.#run?.change({ stepsPerSecond, shareMs: shareMs(stepsPerSecond) });
    if (this.playback.mode === "replay") this.playback.replay(stepsPerSecond);
  }

  retryNow(): void {
    this.#run?.retryNow();
  }

  dispose(): void {
    this.#current = undefined;
    this.#run?.stop();
    this.#run = undefined;
    this.playback.dispose();
    this.#listeners.clear();
  }

  #leave(): void {
    const run = this.#run;
    this.#run = undefined;
    this.#current = undefined;
    this.#stepping = false;
    this.#target = undefined;
    run?.stop();
    this.#set({ activity: "ready", connection: idle, error: undefined });
  }

  #start(maxSteps: number): void {
    const choice = this.#choice;
    if (choice === undefined) return;
    const target = this.#target;
    this.#leave();
    this.#target = target;
    this.playback.reset();
    this.#stepping = maxSteps > 0;
    this.#set({ races: this.#state.races + 1, activity: this.#stepping ? "paused" : "running" });
    const stepsPerSecond = target === undefined ? this.#state.stepsPerSecond : 0;
    const token = Symbol("run");
    this.#current = token;
    this.#run = runRace({
      spec: {
        maze: mazeRefOf(choice.maze),
        lanes: choice.lanes.map((lane) => ({
          policy: policyRefOf(lane.policy),
          sampling: samplingMessageOf(lane.sampling),
        })),
        seed: choice.seed,
        stepsPerSecond,
        shareMs: shareMs(stepsPerSecond),
        maxSteps,
      },
      transport: this.#options.transport,
      giveBackWhenHidden: true,
      ...(this.#options.webSocketUrl === undefined ? {} : { webSocketUrl: this.#options.webSocketUrl }),
      ...(this.#options.timing === undefined ? {} : { timing: this.#options.timing }),
      observer: {
        onStarted: (started) => this.playback.onStarted(started),
        onSteps: (lanes, receivedAt) => this.playback.onSteps(lanes, receivedAt),
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
        this.#arrive({ connection, activity: "finished" });
        break;
      case "paused":
      case "step_budget":
        this.#arrive({ connection, activity: "paused" });
        break;
      case "failed":
        this.#stepping = false;
        this.#set({ connection, activity: "failed", error: connection.reason.error });
        break;
      default:
        this.#set({ connection });
    }
  }

  #arrive(change: Partial<RaceState>): void {
    this.#stepping = false;
    const target = this.#target;
    this.#target = undefined;
    if (target !== undefined) {
      this.playback.show(target);
      const { stepsPerSecond } = this.#state;
      this.#run?.change({ stepsPerSecond, shareMs: shareMs(stepsPerSecond) });
    }
    this.playback.flush();
    this.#set(change);
  }

  #set(change: Partial<RaceState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function shareMs(stepsPerSecond: number): number {
  return stepsPerSecond === 0 || stepsPerSecond >= SHARE_FROM_SPEED ? SHARE_MS : 0;
}
