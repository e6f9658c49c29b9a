import type { MazeGrid } from "./maze-grid";
import { neighbour } from "./moves";

type Grid = Pick<MazeGrid, "rows" | "cols" | "wall" | "start" | "goal">;

/** Distances of a grid that was measured: a grid never changes, and several panels ask for the same one. */
const measured = new WeakMap<Grid, Int32Array>();

/** Steps from every cell to the goal by the shortest path; −1 for walls and cells that can't reach it. Read only; computed once a grid. */
export function goalDistances(grid: Grid): Int32Array {
  let distances = measured.get(grid);
  if (!distances) {
    distances = distancesFrom(grid, grid.goal);
    measured.set(grid, distances);
  }
  return distances;
}

/** Steps from every cell to a given one by breadth-first search; −1 for walls and cells that can't reach it. */
export function distancesFrom(grid: Grid, origin: number): Int32Array {
  const distances = new Int32Array(grid.wall.length).fill(-1);
  const queue = new Int32Array(grid.wall.length);
  let length = 0;
  if (grid.wall[origin] === 0) {
    distances[origin] = 0;
    queue[length++] = origin;
  }
  for (let at = 0; at < length; at++) {
    const cell = queue[at] ?? 0;
    for (let action = 0; action < 4; action++) {
      const next = neighbour(grid, cell, action);
      if (next < 0 || grid.wall[next] === 1 || distances[next] !== -1) continue;
      distances[next] = (distances[cell] ?? 0) + 1;
      queue[length++] = next;
    }
  }
  return distances;
}

/**
 * Cells of a shortest path from a cell to the goal, both included; of equal ones the one that the SHORTEST_PATH baseline walks (the first
 * action in the order UP, DOWN, LEFT, RIGHT). Empty when the goal can't be reached.
 */
export function shortestPathCells(grid: Grid, from: number = grid.start): number[] {
  const distances = goalDistances(grid);
  if ((distances[from] ?? -1) < 0) return [];
  const cells = [from];
  let cell = from;
  while (cell !== grid.goal) {
    const [action] = optimalActions(grid, cell);
    if (action === undefined) return [];
    cell = neighbour(grid, cell, action);
    cells.push(cell);
  }
  return cells;
}

/** Actions (0–3) that lead one step nearer to the goal, ascending; empty on the goal, on walls and where it can't be reached. */
export function optimalActions(grid: Grid, cell: number): number[] {
  const distances = goalDistances(grid);
  const here = distances[cell] ?? -1;
  const actions: number[] = [];
  if (here <= 0) return actions;
  for (let action = 0; action < 4; action++) {
    const next = neighbour(grid, cell, action);
    if (next >= 0 && distances[next] === here - 1) actions.push(action);
  }
  return actions;
}
