import type { MazeGrid } from "./maze-grid";
import { neighbour, VIEW_REACH } from "./moves";

const NEVER = 0x7fffffff;
const NO_EXIT = -1;

/**
 * What the agent has seen and what it knows to lead nowhere (§5 of ml/conformance/README.md), for every step at once: cells are stamped
 * with the step from which on it is so, so that any step can be asked without going there. A step costs the cells that came into view.
 *
 * It removes dead ends as the server does. The removal without an agent to protect only grows, so it is kept and carried on; an agent that
 * stands on a removed cell saves the chain of exits from its cell to one that counts, and nothing else.
 */
export class Exploration {
  #grid: MazeGrid | undefined;
  /** Step at which a cell first was in view. */
  #seenSince = new Int32Array(0);
  /** Step at which a cell was removed. */
  #deadSince = new Int32Array(0);
  /** Neighbours inside the grid that are unseen, or open and not removed. */
  #counts = new Int8Array(0);
  /** Of a removed cell: the neighbour that still counted when it was removed. */
  #exits = new Int32Array(0);
  #goalSeenAt = NEVER;
  readonly #work: number[] = [];

  /** Step at which the goal first was in view; undefined when it never was. */
  get goalSeenAt(): number | undefined {
    return this.#goalSeenAt === NEVER ? undefined : this.#goalSeenAt;
  }

  /** Begins an episode: the agent looks around at the start. */
  begin(grid: MazeGrid): void {
    this.#grid = grid;
    const length = grid.wall.length;
    this.#seenSince = new Int32Array(length).fill(NEVER);
    this.#deadSince = new Int32Array(length).fill(NEVER);
    this.#exits = new Int32Array(length).fill(NO_EXIT);
    this.#counts = new Int8Array(length);
    for (let cell = 0; cell < length; cell++) {
      for (let action = 0; action < 4; action++) {
        if (neighbour(grid, cell, action) >= 0) this.#counts[cell] = (this.#counts[cell] ?? 0) + 1;
      }
    }
    this.#goalSeenAt = NEVER;
    this.look(grid.start, 0);
  }

  /** The agent stands on a cell after a step, later than all before. */
  look(cell: number, step: number): void {
    const grid = this.#grid;
    if (!grid) return;
    const row = Math.floor(cell / grid.cols);
    const col = cell % grid.cols;
    const lastRow = Math.min(grid.rows - 1, row + VIEW_REACH);
    const lastCol = Math.min(grid.cols - 1, col + VIEW_REACH);
    for (let r = Math.max(0, row - VIEW_REACH); r <= lastRow; r++) {
      for (let c = Math.max(0, col - VIEW_REACH); c <= lastCol; c++) this.#see(grid, r * grid.cols + c, step);
    }
    if (this.#work.length > 0) this.#settle(grid, step);
  }

  /** Whether a cell has been in view up to a step. */
  isSeen(cell: number, step: number): boolean {
    return (this.#seenSince[cell] ?? NEVER) <= step;
  }

  /** Steps at which cells first were in view; the largest Int32 for never. Read only: a cell is seen at a step when this is not later. */
  get seenSince(): Int32Array {
    return this.#seenSince;
  }

  /** Cells that have been in view up to a step, as a mask over the grid. */
  seenCells(step: number): Uint8Array {
    return Uint8Array.from(this.#seenSince, (since) => (since <= step ? 1 : 0));
  }

  /** Whether an agent that stands on `agent` after a step knows that a cell leads nowhere. */
  isDead(cell: number, step: number, agent: number): boolean {
    return this.#isRemoved(cell, step) && !this.#savedBy(agent, step).includes(cell);
  }

  /** Cells that an agent on `agent` knows to lead nowhere after a step, as a mask over the grid. */
  deadCells(step: number, agent: number): Uint8Array {
    const dead = Uint8Array.from(this.#deadSince, (since) => (since <= step ? 1 : 0));
    for (const cell of this.#savedBy(agent, step)) dead[cell] = 0;
    return dead;
  }

  /** Answers `isDead` for many cells of one moment. */
  deadAt(step: number, agent: number): (cell: number) => boolean {
    const saved = this.#savedBy(agent, step);
    return (cell) => this.#isRemoved(cell, step) && !saved.includes(cell);
  }

  #isRemoved(cell: number, step: number): boolean {
    return (this.#deadSince[cell] ?? NEVER) <= step;
  }

  #see(grid: MazeGrid, cell: number, step: number): void {
    if (this.#seenSince[cell] !== NEVER) return;
    this.#seenSince[cell] = step;
    if (cell === grid.goal) this.#goalSeenAt = step;
    if (grid.wall[cell] === 1) this.#discount(grid, cell);
    else this.#work.push(cell);
  }

  /** Tells the neighbours of a cell that it counts no longer. */
  #discount(grid: MazeGrid, cell: number): void {
    for (let action = 0; action < 4; action++) {
      const next = neighbour(grid, cell, action);
      if (next < 0) continue;
      const left = (this.#counts[next] ?? 0) - 1;
      this.#counts[next] = left;
      if (left <= 1 && this.#seenSince[next] !== NEVER && grid.wall[next] === 0) this.#work.push(next);
    }
  }

  #settle(grid: MazeGrid, step: number): void {
    for (let cell = this.#work.pop(); cell !== undefined; cell = this.#work.pop()) {
      if (cell === grid.goal || this.#deadSince[cell] !== NEVER || (this.#counts[cell] ?? 0) > 1) continue;
      this.#deadSince[cell] = step;
      for (let action = 0; action < 4; action++) {
        const next = neighbour(grid, cell, action);
        if (next < 0) continue;
        const unseen = this.#seenSince[next] === NEVER;
        if (unseen || (grid.wall[next] === 0 && this.#deadSince[next] === NEVER)) this.#exits[cell] = next;
      }
      this.#discount(grid, cell);
    }
  }

  /** Cells that are not removed only because the agent stands where it stands. */
  #savedBy(agent: number, step: number): number[] {
    const grid = this.#grid;
    if (!grid || !this.#isRemoved(agent, step)) return [];
    const chain = [agent];
    for (let cell = agent; ; ) {
      const exit = this.#exits[cell] ?? NO_EXIT;
      // The chain ends nowhere: only the agent's own cell is kept.
      if (exit === NO_EXIT) return [agent];
      if (!this.isSeen(exit, step)) return chain;
      // It was unseen when the cell before it was removed, and turned out to be wall.
      if (grid.wall[exit] === 1) return [agent];
      if (!this.#isRemoved(exit, step)) return chain;
      chain.push(exit);
      cell = exit;
    }
  }
}
