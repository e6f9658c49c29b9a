import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";

/** What colours the cells. */
export type HeatMode = "visits" | "value" | "off";

/**
 * How much of the maze is hidden. `unseen` hides the cells that were in no 5 × 5 window of the agent up to the shown step; `window` hides
 * all but the 25 cells that it sees now. Both outline the window.
 */
export type FogMode = "off" | "unseen" | "window";

/** A way to the goal by breadth-first search: from the start, or from the agent's cell at the shown step. */
export type ShortestPathMode = "off" | "start" | "shown";

/**
 * Where two policies choose differently and who is right; `policyDifference` makes it. It is drawn in place of the heat and of the one
 * policy's arrows. How much of a cell is filled says who is right: its upper left half for the first, its lower right half for the second,
 * all of it for both, an outline for neither; each has a lightness of its own besides. The two arrows stand in their halves.
 */
export interface DifferenceLayer {
  /** `DIFFERENCE.*` of every cell, flat like the grid. */
  readonly categories: Uint8Array;
  /** Best action of the first and of the second policy, 0–3; −1 for walls. Drawn in cells where they differ. */
  readonly first: Int8Array;
  readonly second: Int8Array;
}

/** What a person is about to draw. */
export interface DrawPreview {
  readonly cells: readonly number[];
  readonly as: "wall" | "path" | "start" | "goal";
  /** False for what can't be placed there: it is crossed out. Default true. */
  readonly allowed?: boolean | undefined;
}

/** What the board shows. All that may be left out is off by default; `setView` with undefined turns it off again. */
export interface MazeView {
  readonly heat: HeatMode;
  /** Best-action arrow on every open cell. */
  readonly arrows: boolean;
  readonly trail: boolean;
  /** Row and column numbers at the edge. */
  readonly rulers: boolean;
  /** Steps a second, for the glide's shape: at a slow pace the agent rests between steps. 0 is as fast as possible. */
  readonly stepsPerSecond: number;
  /** Agent jumps instead of gliding; the clock is told. */
  readonly reducedMotion: boolean;
  readonly shortestPath?: ShortestPathMode | undefined;
  /** Beside the policy's arrow, a small triangle at the side to which a shortest path leaves the cell; two where two are as short. */
  readonly pathActions?: boolean | undefined;
  /** A notch in the corner of every cell where, up to the shown step, the agent did something that brought it no nearer to the goal. */
  readonly worseSteps?: boolean | undefined;
  /** Cells of the cycle that the agent is in at the shown step, outlined with dashes. The caller decides (episode-playback's loops). */
  readonly cycle?: readonly number[] | undefined;
  readonly fog?: FogMode | undefined;
  /** Outlines the 5 × 5 window also without fog. */
  readonly window?: boolean | undefined;
  /** Cell that was clicked: brackets at its corners. The cell under the pointer is `setHover`'s. */
  readonly selected?: number | undefined;
  readonly difference?: DifferenceLayer | undefined;
  readonly preview?: DrawPreview | undefined;
  /** False leaves the agent and its trail out, for drawing a maze. Default true. */
  readonly agent?: boolean | undefined;
}

/** The steps of one agent: an `EpisodePlayback` is one, and so is the lane of a `RacePlayback`. `moment` is the shown step, with a fraction while the agent glides. */
export type AgentSteps = Pick<
  EpisodePlayback,
  "grid" | "liveStep" | "shownStep" | "moment" | "revision" | "positionAt" | "row"
>;

/** What a board reads of a playback: the maze, the heat, the policy's arrows, and the agent where there are no lanes. */
export interface BoardSource extends AgentSteps, Pick<EpisodePlayback, "visits" | "policyMap"> {
  /** Tells episodes apart. */
  readonly getSnapshot: () => { readonly episodeId: string };
}

/** Keeper of the shown moment, told of every frame: an `EpisodePlayback` or a `RacePlayback`. */
export type FrameClock = Pick<EpisodePlayback, "advance" | "setGlide">;

/** One of up to four agents on one board, as `race.lanes` holds them. Its place in the list gives it number, shape, lightness and its own side of the corridor. */
export interface Lane {
  readonly steps: AgentSteps;
  /** Keeps the number of the others and draws nothing. Default false. */
  readonly hidden?: boolean | undefined;
}

/** Most lanes on one board. */
export const MOST_LANES = 4;
