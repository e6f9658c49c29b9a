import { createClient, type Transport } from "@connectrpc/connect";
import type { PolicyMap } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import { describeError, type ErrorDescription } from "@rlmaze/api-client/describe-error";
import { type EpisodeRun, type EpisodeTiming, runEpisode } from "@rlmaze/api-client/episode-run";
import { createEpisodePlayback, type EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import type { ObservationVersion } from "@rlmaze/episode-playback/observation";
import { type PlaybackPolicyMap, spreadPolicyMap } from "@rlmaze/episode-playback/policy-map";
import type { MomentSampling } from "@/lib/moment-link";
import { mazeRefOf, samplingMessageOf } from "@/lib/moment-requests";
import { askAboutHistory } from "./ask-about-history";

/** What is compared: two models on one maze, at a moment of the episode of the first. */
export interface DifferenceChoice {
  readonly maze: Maze;
  /** Id of the model whose episode is walked. */
  readonly a: string;
  /** The other one, and how it sees the world. */
  readonly b: { readonly modelId: string; readonly observation: ObservationVersion };
  readonly seed: bigint;
  /** How `a` takes its actions; `b` is only asked. */
  readonly sampling: MomentSampling;
}

/** Both opinions on one moment. */
export interface MapPair {
  readonly atStep: number;
  readonly a: PlaybackPolicyMap;
  readonly b: PlaybackPolicyMap;
}

/** State of a session; an immutable value that is replaced on every change. */
export interface DifferenceState {
  /** `empty`: nothing is chosen; `walking`: the episode of `a` is on its way; `ready`: it is here, whole; `failed`: the server refused. */
  readonly phase: "empty" | "walking" | "ready" | "failed";
  readonly connection: ConnectionState;
  readonly error: ErrorDescription | undefined;
  /** Newest maps; undefined until both are there. While another moment is asked for they are those of the one before. */
  readonly maps: MapPair | undefined;
  /** Whether `maps` are not those of the shown step, because they are on their way or the server is away. */
  readonly stale: boolean;
  /** Attempts in a row that brought no maps; 0 when all is well. */
  readonly attempts: number;
}

/** What a session needs. */
export interface DifferenceOptions {
  readonly transport: Transport;
  readonly webSocketUrl?: string;
  readonly timing?: Partial<EpisodeTiming>;
  /** Milliseconds of rest before maps are asked for, so that a dragged slider asks once. Default 60. */
  readonly restMs?: number;
}

const idle: ConnectionState = { kind: "disconnected", reason: { kind: "idle" } };

/** Pairs that are kept for going back and forth. A pair of 30 × 30 takes 45 KB. */
const KEPT_PAIRS = 128;
const REST_MS = 60;
const MAP_TIMEOUT_MS = 8_000;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 4_000;

const empty: DifferenceState = {
  phase: "empty",
  connection: idle,
  error: undefined,
  maps: undefined,
  stale: false,
  attempts: 0,
};

/**
 * Compares two models along the episode of the first, outside of React. It owns the playback of that episode, and asks both models
 * about the shown step: what would you do in every cell, with this way behind you? All methods may be called at any time.
 */
export class DifferenceSession {
  readonly playback: EpisodePlayback = createEpisodePlayback();
  readonly #options: DifferenceOptions;
  readonly #listeners = new Set<() => void>();
  readonly #kept = new Map<number, MapPair>();
  #state = empty;
  #choice: DifferenceChoice | undefined;
  #run: EpisodeRun | undefined;
  #asked: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Tells the callbacks of the run that counts from those of runs that were left. */
  #walking: symbol | undefined;
  /** Step to show once the episode has come so far. */
  #wanted: number | undefined;

  constructor(options: DifferenceOptions) {
    this.#options = options;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): DifferenceState => this.#state;

  /**
   * Compares something else. The way of the same model through the same maze is kept, and its moment with it; only the models are asked anew
   * then. Of another way `step` is shown first, or its end when it is shorter.
   */
  choose(choice: DifferenceChoice, step: number): void {
    const before = this.#choice;
    const sameWay = before !== undefined && this.#state.phase !== "failed" && wayOf(before) === wayOf(choice);
    this.#choice = choice;
    this.#kept.clear();
    if (sameWay) {
      this.#set({ maps: undefined, error: undefined, attempts: 0 });
      this.#ask();
    } else {
      this.#walk(choice, step);
    }
  }

  /** Shows a step of the episode, 0 to its last one; the maps follow. */
  show(step: number): void {
    this.#wanted = undefined;
    this.playback.show(step);
    this.#ask();
  }

  /** Tries again now: what is being waited for, or what was refused. */
  retryNow(): void {
    if (this.#state.phase === "failed" && this.#choice !== undefined && this.#run?.cursor === undefined) {
      this.#walk(this.#choice, this.#wanted ?? 0);
    } else {
      this.#run?.retryNow();
      this.#ask();
    }
  }

  dispose(): void {
    this.#leave();
    this.playback.dispose();
    this.#listeners.clear();
  }

  #leave(): void {
    this.#walking = undefined;
    clearTimeout(this.#timer);
    this.#asked?.abort();
    const run = this.#run;
    this.#run = undefined;
    run?.stop();
  }

  #walk(choice: DifferenceChoice, step: number): void {
    this.#leave();
    this.playback.showMaze(choice.maze);
    this.#wanted = step;
    this.#set({ ...empty, phase: "walking", stale: true });
    const token = Symbol("walk");
    this.#walking = token;
    const current = () => this.#walking === token;
    this.#run = runEpisode({
      spec: {
        maze: mazeRefOf(choice.maze),
        policy: { policy: { case: "modelId", value: choice.a } },
        sampling: samplingMessageOf(choice.sampling),
        seed: choice.seed,
        stepsPerSecond: 0,
      },
      transport: this.#options.transport,
      ...(this.#options.webSocketUrl === undefined ? {} : { webSocketUrl: this.#options.webSocketUrl }),
      ...(this.#options.timing === undefined ? {} : { timing: this.#options.timing }),
      observer: {
        onStarted: (started) => {
          if (!current()) return;
          this.playback.onStarted(started);
          this.playback.show(this.playback.shownStep);
        },
        onSteps: (steps, receivedAt) => {
          if (!current()) return;
          this.playback.onSteps(steps, receivedAt);
          // The way is not watched here: it stays at the wanted step while the rest of it arrives.
          this.playback.show(Math.min(this.#wanted ?? this.playback.shownStep, this.playback.liveStep));
        },
        onFinished: (finished) => {
          if (current()) this.playback.onFinished(finished);
        },
        onConnection: (connection) => {
          if (current()) this.#onConnection(connection);
        },
      },
    });
  }

  #onConnection(connection: ConnectionState): void {
    if (connection.kind === "disconnected" && connection.reason.kind === "failed") {
      this.#set({ connection, phase: "failed", error: connection.reason.error, stale: false });
    } else if (connection.kind === "disconnected" && connection.reason.kind === "finished") {
      this.#set({ connection, phase: "ready", error: undefined });
      this.show(this.#wanted ?? this.playback.shownStep);
    } else {
      this.#set({ connection });
    }
  }

  /** Brings the maps of the shown step, from those that are kept or from the server. */
  #ask(): void {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    const choice = this.#choice;
    if (choice === undefined || this.#state.phase !== "ready") return;
    const step = this.playback.shownStep;
    const kept = this.#kept.get(step);
    if (kept !== undefined) {
      this.#show(kept);
      return;
    }
    const asked = new AbortController();
    this.#asked = asked;
    this.#set({ stale: true });
    this.#timer = setTimeout(() => void this.#fetch(choice, step, asked), this.#options.restMs ?? REST_MS);
  }

  async #fetch(choice: DifferenceChoice, step: number, asked: AbortController): Promise<void> {
    try {
      const pair = await this.#pairAt(choice, step, asked.signal);
      if (asked.signal.aborted) return;
      this.#kept.set(step, pair);
      const [oldest] = this.#kept.keys();
      if (this.#kept.size > KEPT_PAIRS && oldest !== undefined) this.#kept.delete(oldest);
      this.#show(pair);
    } catch (reason) {
      if (asked.signal.aborted) return;
      const error = describeError(reason);
      if (!error.retryable) {
        this.#set({ phase: "failed", error, stale: false });
        return;
      }
      const attempts = this.#state.attempts + 1;
      this.#set({ error, attempts });
      const wait = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** (attempts - 1));
      this.#timer = setTimeout(() => void this.#fetch(choice, step, asked), wait);
    }
  }

  async #pairAt(choice: DifferenceChoice, step: number, signal: AbortSignal): Promise<MapPair> {
    const { grid } = this.playback;
    if (grid === undefined) throw new RangeError("there is no maze");
    const client = createClient(InferenceService, this.#options.transport);
    const options = { signal, timeoutMs: MAP_TIMEOUT_MS };
    const [own, other] = await Promise.all([
      client.mapPolicy(
        {
          maze: mazeRefOf(choice.maze),
          policy: { policy: { case: "modelId", value: choice.a } },
          sampling: samplingMessageOf(choice.sampling),
          seed: choice.seed,
          afterStep: step,
        },
        options,
      ),
      askAboutHistory(client, choice.b, this.playback, step, options),
    ]);
    const spread = (map: PolicyMap) => spreadPolicyMap(map, grid.wall.length, grid.goal);
    if (own.policyMap === undefined) throw new RangeError("the answer brought no map");
    return { atStep: step, a: spread(own.policyMap), b: spread(other) };
  }

  #show(pair: MapPair): void {
    this.#set({ maps: pair, stale: false, error: undefined, attempts: 0 });
  }

  #set(change: Partial<DifferenceState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Two choices walk the same way when this text is the same. */
function wayOf({ maze, a, seed, sampling }: DifferenceChoice): string {
  return JSON.stringify([maze.mazeId, maze.rows, a, String(seed), sampling]);
}
