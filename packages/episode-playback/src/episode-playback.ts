import type { Action, Outcome, PolicyMap, ScoreKind, Step } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { EpisodeFinished, EpisodeStarted } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { ColumnPlayback } from "./column-playback";
import type { EpisodeEvent, EpisodeEventKind, EpisodeEvents } from "./events";
import type { Exploration } from "./exploration";
import type { Loop } from "./loops";
import type { MazeGrid } from "./maze-grid";
import type { PlaybackPolicyMap } from "./policy-map";
import type { Regret } from "./regret";
import type { StreamDelay } from "./stream-delay";
import type { ViewerMode } from "./viewer-clock";

/** What the network said before one step. `probabilities` and `values` are in the order UP, DOWN, LEFT, RIGHT. */
export interface StepScores {
  readonly kind: ScoreKind;
  readonly values: readonly [number, number, number, number];
  readonly probabilities: readonly [number, number, number, number];
  /** V(s) for logits, the largest Q-value for Q-values. */
  readonly stateValue: number;
  /** Entropy of the probabilities in nats, 0 to ln 4. */
  readonly entropy: number;
}

/** One row of the step log. */
export interface StepRow {
  /** Counts from 1. */
  readonly step: number;
  readonly row: number;
  readonly col: number;
  readonly action: Action;
  readonly hitWall: boolean;
  readonly reachedGoal: boolean;
  readonly reward: number;
  readonly cumulativeReward: number;
  /** Undefined for baselines. */
  readonly scores: StepScores | undefined;
  /** Server's clock when the step was computed, milliseconds since the epoch; NaN when it was not told. */
  readonly serverTime: number;
  /** Client's clock when the step arrived. */
  readonly receivedAt: number;
}

/** How the episode ended. */
export interface EpisodeResult {
  readonly outcome: Outcome;
  readonly steps: number;
  readonly bumps: number;
  readonly totalReward: number;
  readonly spl: number;
  readonly logged: boolean;
}

/** What panels show: an immutable value, replaced at most `snapshotHz` times a second. */
export interface PlaybackSnapshot {
  /** Grows with every snapshot. */
  readonly version: number;
  /** `empty`: nothing to show; `ready`: a maze without an episode; `running`: steps may come; `finished`: the result is known. */
  readonly phase: "empty" | "ready" | "running" | "finished";
  readonly episodeId: string;
  /** Model that acts; empty for a baseline. */
  readonly modelId: string;
  readonly mazeId: string;
  readonly seed: bigint;
  readonly observation: string;
  readonly scoreKind: ScoreKind;
  /** Last step that arrived; 0 is the start. */
  readonly liveStep: number;
  /** Step that is shown: equal to `liveStep` while `following`. */
  readonly shownStep: number;
  readonly following: boolean;
  /** Live, replaying from memory, or still at a step. */
  readonly mode: ViewerMode;
  readonly maxSteps: number;
  readonly shortestPath: number;
  /** Position at the shown step. */
  readonly row: number;
  readonly col: number;
  /** The shown step; undefined at the start. */
  readonly shown: StepRow | undefined;
  /** Bumps up to the shown step. */
  readonly bumps: number;
  /** Different cells visited up to the shown step, the start included. */
  readonly visitedCells: number;
  readonly openCells: number;
  /** Steps lost against the shortest path, and the SPL that can still be reached, at the shown step. */
  readonly regret: Regret;
  /** Steps up to the shown one that were not on a shortest path. */
  readonly worseSteps: number;
  /** The cycle that the agent is in at the shown step; undefined when it is in none. */
  readonly loop: Loop | undefined;
  readonly delay: StreamDelay;
  readonly result: EpisodeResult | undefined;
}

/** Options of a playback. */
export interface EpisodePlaybackOptions {
  /** Snapshots a second, at most. Default 8: text that changes faster can't be read. */
  readonly snapshotHz?: number;
}

/**
 * The memory of one episode, outside of React: append-only columns of steps, visits of every cell, the latest policy map, and a cursor to
 * any step that has arrived. It has the methods of an `EpisodeObserver`, so it can be given to `runEpisode` as one
 * (itself or by forwarding calls; a spread copy loses its methods).
 *
 * A drawing loop reads the fields and methods directly, as often as it likes. Panels subscribe and read `getSnapshot`.
 */
export interface EpisodePlayback {
  /** Grid of the maze; undefined while empty. */
  readonly grid: MazeGrid | undefined;
  readonly liveStep: number;
  readonly shownStep: number;
  readonly following: boolean;
  /** Live, replaying from memory, or still at a step. `following` is true when it is live. */
  readonly mode: ViewerMode;
  /** The shown step plus how far the agent is on its way to the next one: 4.25 is a quarter of the way from step 4 to step 5. */
  readonly moment: number;
  /** Steps a second of a replay; 0 is as fast as possible. */
  readonly replaySpeed: number;
  /** Grows with every change of any kind but that of `moment` within a step: a drawing loop compares it to skip frames. */
  readonly revision: number;
  /** Visits of every cell up to the shown step (the start counts as one). Read only; the same array until the maze changes. */
  readonly visits: Uint32Array;
  /** Step of the last visit of every cell up to the shown step, −1 for never. Read only. */
  readonly lastVisit: Int32Array;
  /** Latest policy map not after the shown step; undefined without one. */
  readonly policyMap: PlaybackPolicyMap | undefined;
  /** What the agent has seen and knows to lead nowhere, for any step. */
  readonly exploration: Exploration;
  /** Bumps, loops, first sight of the goal and the like, up to the live step, for jumps. */
  readonly events: EpisodeEvents;
  /** Cumulative reward after steps 1 to `liveStep`; a view, valid until the next step arrives. */
  readonly cumulativeRewards: Float64Array;

  /** Shows a maze before any episode runs in it, and forgets the episode before. */
  showMaze(maze: Pick<Maze, "mazeId" | "rows" | "shortestPath" | "maxSteps">): void;
  /** Forgets the episode and keeps the maze. */
  reset(): void;
  onStarted(started: EpisodeStarted): void;
  onSteps(steps: readonly Step[], receivedAt: number): void;
  onFinished(finished: EpisodeFinished): void;
  /** Takes a map that was asked for by MapPolicy. */
  setPolicyMap(map: PolicyMap): void;
  /** Corrects delays: server's clock less client's. */
  setClockOffset(offsetMs: number): void;

  /**
   * A frame of the drawing loop: moves the shown moment on. `frameTime` is that of requestAnimationFrame, in milliseconds. Without frames
   * (a hidden tab, a test) the shown moment goes to each step at once.
   */
  advance(frameTime: number): void;
  /** How long the agent takes from one cell to the next at most, in milliseconds; 0 for people who want no motion. */
  setGlide(glideMs: number): void;
  /** Shows a step at once, 0 to `liveStep`, and stays there; the last one follows the live step again. */
  show(step: number): void;
  /** Goes so many steps on, or back when negative, and stays there; a single one glides. Onto the live step follows it again. */
  stepBy(steps: number): void;
  /** Goes to the next event and stays there; returns it, or undefined when there is none. */
  showNext(kinds?: readonly EpisodeEventKind[]): EpisodeEvent | undefined;
  /** Goes to the event before and stays there; returns it, or undefined when there is none. */
  showPrevious(kinds?: readonly EpisodeEventKind[]): EpisodeEvent | undefined;
  /** Plays from memory, from the shown step up to the live one, and follows that from then on. During a replay it changes the speed without a jump. */
  replay(stepsPerSecond: number): void;
  /** Stays at the shown step. */
  hold(): void;
  /** Follows the live step again, at once. */
  follow(): void;

  /** Cell index after a step, 0 to `liveStep`. */
  positionAt(step: number): number;
  /** Step of the last visit of a cell not after a step; −1 for never. */
  lastVisitAt(cell: number, step: number): number;
  /** Steps lost against the shortest path after a step, 0 to `liveStep`. */
  regretAt(step: number): Regret;
  /** The cycle that the agent is in after a step, 0 to `liveStep`; undefined when it is in none. */
  loopAt(step: number): Loop | undefined;
  /** One step, 1 to `liveStep`. */
  row(step: number): StepRow;

  /** For `useSyncExternalStore`: calls back when a new snapshot stands ready. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => PlaybackSnapshot;
  /** Makes the snapshot now instead of at the next tick, for tests and for jumps made by a person. */
  flush(): void;
  /** Stops the timer. */
  dispose(): void;
}

/** Makes an empty playback. */
export function createEpisodePlayback(options: EpisodePlaybackOptions = {}): EpisodePlayback {
  return new ColumnPlayback(1000 / (options.snapshotHz ?? 8), false);
}

/** What can be seen of a playback whose moment another one decides, as in a race. */
export type LedEpisodePlayback = Omit<
  EpisodePlayback,
  "advance" | "setGlide" | "show" | "stepBy" | "showNext" | "showPrevious" | "replay" | "hold" | "follow"
> & {
  /** Shows a moment (a step with a fraction), cut to `liveStep`. Makes no snapshot by itself: see `flush`. */
  showMoment(moment: number, mode: ViewerMode): void;
};

/** Makes an empty playback that shows what it is told to; it has no timer of its own. */
export function createLedPlayback(): LedEpisodePlayback {
  return new ColumnPlayback(0, true);
}
