import type { MazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { neighbour } from "@rlmaze/episode-playback/moves";

/** The action back: UP and DOWN, LEFT and RIGHT. */
const OPPOSITE = [1, 0, 3, 2] as const;

/**
 * Writes a shortest path from a cell to the goal into `sides`: for every cell of the way the sides through which it goes, as bits 0–3 for UP,
 * DOWN, LEFT, RIGHT; 0 elsewhere. Of ways that are as short it takes the first action in that order, as the shortest-path baseline does.
 */
export function markRoute(grid: MazeGrid, actions: Uint8Array, from: number, sides: Uint8Array): void {
  sides.fill(0);
  let cell = from;
  for (let bits = actions[cell] ?? 0; bits !== 0; bits = actions[cell] ?? 0) {
    const action = 31 - Math.clz32(bits & -bits);
    const next = neighbour(grid, cell, action);
    if (next < 0) return;
    sides[cell] = (sides[cell] ?? 0) | (1 << action);
    sides[next] = (sides[next] ?? 0) | (1 << (OPPOSITE[action] ?? 0));
    cell = next;
  }
}

/** The bit of a cell that belongs to a region, beside the bits of its sides. */
export const IN_REGION = 16;

/** Writes the outline of a set of cells into `sides`: `IN_REGION` and, as bits 0–3, the sides where the region ends; 0 outside. */
export function markOutline(grid: MazeGrid, cells: Iterable<number>, sides: Uint8Array): void {
  sides.fill(0);
  for (const cell of cells) if (cell >= 0 && cell < sides.length) sides[cell] = IN_REGION;
  for (let cell = 0; cell < sides.length; cell++) {
    if (!sides[cell]) continue;
    for (let action = 0; action < 4; action++) {
      const next = neighbour(grid, cell, action);
      if (next < 0 || !sides[next]) sides[cell] = (sides[cell] ?? 0) | (1 << action);
    }
  }
}
