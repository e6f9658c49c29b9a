import type { MazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { VIEW_REACH } from "@rlmaze/episode-playback/moves";
import type { AgentSteps } from "./view";

/** A step that never comes: larger than any step of an episode. */
const NEVER = 0x7fffffff;

/**
 * What an episode did to each cell first: when the agent saw it, and when it chose badly there. Steps are read once as they arrive, so that
 * looking back needs no second reading: at step s a cell has the mark when its first step is not after s.
 */
export class EpisodeMarks {
  /** First step after which a cell was inside the 5 × 5 window. */
  readonly firstSeen: Int32Array;
  /** First step that left from this cell without coming nearer to the goal. */
  readonly firstWorse: Int32Array;
  readonly #grid: MazeGrid;
  readonly #distances: Int32Array;
  #episode = "";
  #read = -1;
  #lastCell = -1;

  /** `distances` are the steps to the goal of every cell, −1 for none. */
  constructor(grid: MazeGrid, distances: Int32Array) {
    this.#grid = grid;
    this.#distances = distances;
    this.firstSeen = new Int32Array(grid.wall.length).fill(NEVER);
    this.firstWorse = new Int32Array(grid.wall.length).fill(NEVER);
  }

  /** Reads the steps up to the given one that were not read yet. Another episode, or one that was taken back, is read from its start. */
  follow(steps: Pick<AgentSteps, "liveStep" | "positionAt">, upTo: number, episode: string): void {
    const isAnother =
      episode !== this.#episode ||
      steps.liveStep < this.#read ||
      (this.#read >= 0 && steps.positionAt(this.#read) !== this.#lastCell);
    if (isAnother) {
      this.firstSeen.fill(NEVER);
      this.firstWorse.fill(NEVER);
      this.#episode = episode;
      this.#read = -1;
    }
    const last = Math.min(upTo, steps.liveStep);
    for (let step = this.#read + 1; step <= last; step++) {
      const cell = steps.positionAt(step);
      this.#see(cell, step);
      if (step > 0) this.#judge(this.#lastCell, cell, step);
      this.#lastCell = cell;
      this.#read = step;
    }
  }

  #see(cell: number, step: number): void {
    const { rows, cols } = this.#grid;
    const row = Math.floor(cell / cols);
    const col = cell % cols;
    for (let r = Math.max(0, row - VIEW_REACH); r <= Math.min(rows - 1, row + VIEW_REACH); r++) {
      for (let c = Math.max(0, col - VIEW_REACH); c <= Math.min(cols - 1, col + VIEW_REACH); c++) {
        const at = r * cols + c;
        if ((this.firstSeen[at] ?? 0) > step) this.firstSeen[at] = step;
      }
    }
  }

  #judge(from: number, to: number, step: number): void {
    const before = this.#distances[from] ?? -1;
    const after = this.#distances[to] ?? -1;
    if (before < 0 || (after >= 0 && after < before)) return;
    if ((this.firstWorse[from] ?? 0) > step) this.firstWorse[from] = step;
  }
}
