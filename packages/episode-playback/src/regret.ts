import { goalDistances } from "./distances";
import type { MazeGrid } from "./maze-grid";

type Grid = Pick<MazeGrid, "rows" | "cols" | "wall" | "start" | "goal">;

/** How far an episode is behind the shortest path. */
export interface Regret {
  /** Steps lost so far: `step + distance to the goal − shortest path`. Never falls, never below 0; NaN when the goal can't be reached. */
  readonly steps: number;
  /** Steps from here to the goal by the shortest path. */
  readonly distance: number;
  /**
   * SPL that the episode ends with if every step from here on is on a shortest path: `shortest / (shortest + regret)`. It only falls, and at
   * the goal it is the SPL of the contract.
   */
  readonly spl: number;
}

/** Regret after a step, at which the agent stands on a cell. */
export function regretAt(grid: Grid, step: number, cell: number): Regret {
  const distances = goalDistances(grid);
  const shortest = distances[grid.start] ?? -1;
  const distance = distances[cell] ?? -1;
  if (shortest < 0 || distance < 0) return { steps: Number.NaN, distance: Number.NaN, spl: Number.NaN };
  return { steps: step + distance - shortest, distance, spl: shortest / Math.max(shortest, step + distance) };
}

/**
 * Steps that one move lost: 0 when it was on a shortest path, 1 for a bump, 2 for a move away from the goal. The sum over all steps is the
 * regret.
 */
export function regretOfMove(grid: Grid, from: number, to: number): number {
  const distances = goalDistances(grid);
  return 1 + (distances[to] ?? 0) - (distances[from] ?? 0);
}
