import type { Difficulty } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { distancesFrom } from "@rlmaze/episode-playback/distances";
import { difficultyOf } from "@/features/mazes/drawn-maze";
import type { Drawing } from "./drawing";

/** What follows from a drawing, made anew after every edit. */
export interface DrawingFacts {
  readonly solvable: boolean;
  /** Steps of the shortest path; 0 when there is none. */
  readonly shortestPath: number;
  /** Undefined when there is no way. */
  readonly difficulty: Difficulty | undefined;
  /** Step limit of an episode. */
  readonly maxSteps: number;
  readonly openCells: number;
  /** Open cells that no way leads to from the start, ascending; the goal among them when there is no way to it. */
  readonly unreachable: readonly number[];
  /** When there is no way: the fewest walls to open for one. Empty otherwise. */
  readonly missing: readonly number[];
}

/** Judges a drawing as the server would: breadth-first search from the start. */
export function drawingFacts(drawing: Drawing): DrawingFacts {
  const steps = distancesFrom(drawing, drawing.start);
  const unreachable: number[] = [];
  let openCells = 0;
  drawing.wall.forEach((wall, cell) => {
    if (wall) return;
    openCells++;
    if (steps[cell] === -1) unreachable.push(cell);
  });
  const shortestPath = Math.max(0, steps[drawing.goal] ?? 0);
  const solvable = shortestPath > 0;
  return {
    solvable,
    shortestPath,
    difficulty: solvable ? difficultyOf(drawing.rows, drawing.cols, shortestPath) : undefined,
    maxSteps: 2 * drawing.rows * drawing.cols,
    openCells,
    unreachable,
    missing: solvable ? [] : wallsToOpen(drawing),
  };
}

/**
 * The fewest walls whose opening makes a way from start to goal, by a breadth-first search in which open cells cost nothing and walls one
 * (0-1 BFS). Between any two cells there is such a way.
 */
export function wallsToOpen({ rows, cols, wall, start, goal }: Drawing): number[] {
  const cost = new Int32Array(rows * cols).fill(-1);
  const before = new Int32Array(rows * cols).fill(-1);
  let ring = [start];
  cost[start] = 0;
  for (let walls = 0; ring.length > 0 && cost[goal] === -1; walls++) {
    const next: number[] = [];
    for (const cell of ring) {
      for (const beside of neighbours(rows, cols, cell)) {
        if (cost[beside] !== -1) continue;
        cost[beside] = walls + (wall[beside] ?? 0);
        before[beside] = cell;
        (wall[beside] ? next : ring).push(beside);
      }
    }
    ring = next;
  }
  const walls: number[] = [];
  for (let cell = goal; cell !== start && cell !== -1; cell = before[cell] ?? -1) if (wall[cell]) walls.push(cell);
  return walls;
}

function neighbours(rows: number, cols: number, cell: number): number[] {
  const row = Math.floor(cell / cols);
  const col = cell % cols;
  return [
    ...(row > 0 ? [cell - cols] : []),
    ...(row < rows - 1 ? [cell + cols] : []),
    ...(col > 0 ? [cell - 1] : []),
    ...(col < cols - 1 ? [cell + 1] : []),
  ];
}
