import { goalDistances } from "@rlmaze/episode-playback/distances";
import type { MazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { neighbour } from "@rlmaze/episode-playback/moves";

/** Actions of every cell that bring the agent one step nearer to the goal, as bits 0–3 for UP, DOWN, LEFT, RIGHT; 0 for walls, the goal, and cells without a way. */
export function pathActions(grid: MazeGrid): Uint8Array {
  const distances = goalDistances(grid);
  const actions = new Uint8Array(grid.wall.length);
  for (let cell = 0; cell < actions.length; cell++) {
    const distance = distances[cell] ?? -1;
    if (distance <= 0) continue;
    let bits = 0;
    for (let action = 0; action < 4; action++) {
      const next = neighbour(grid, cell, action);
      if (next >= 0 && distances[next] === distance - 1) bits |= 1 << action;
    }
    actions[cell] = bits;
  }
  return actions;
}
