import type { MazeGrid } from "@rlmaze/episode-playback/maze-grid";
import type { PlaybackPolicyMap } from "@rlmaze/episode-playback/policy-map";
import { pathActions } from "./path-actions";
import type { DifferenceLayer } from "./view";

/** Categories of a cell in a difference of two policies; right is an action on a shortest path. */
export const DIFFERENCE = {
  /** Wall, goal, unreachable, or the same choice. */
  none: 0,
  firstRight: 1,
  secondRight: 2,
  /** Two ways that are as short. */
  bothRight: 3,
  neitherRight: 4,
} as const;

/** Compares the best actions of two policies in every cell of a maze. */
export function policyDifference(
  grid: MazeGrid,
  first: Pick<PlaybackPolicyMap, "bestActions">,
  second: Pick<PlaybackPolicyMap, "bestActions">,
): DifferenceLayer {
  const right = pathActions(grid);
  const categories = new Uint8Array(grid.wall.length);
  for (let cell = 0; cell < categories.length; cell++) {
    const one = first.bestActions[cell] ?? -1;
    const other = second.bestActions[cell] ?? -1;
    const mask = right[cell] ?? 0;
    if (one < 0 || other < 0 || one === other || mask === 0) continue;
    const firstIsRight = (mask >> one) & 1;
    const secondIsRight = (mask >> other) & 1;
    if (firstIsRight && secondIsRight) categories[cell] = DIFFERENCE.bothRight;
    else if (firstIsRight) categories[cell] = DIFFERENCE.firstRight;
    else if (secondIsRight) categories[cell] = DIFFERENCE.secondRight;
    else categories[cell] = DIFFERENCE.neitherRight;
  }
  return { categories, first: first.bestActions, second: second.bestActions };
}

/** Cells of every category, for the words beside the map. */
export function differenceCounts(difference: Pick<DifferenceLayer, "categories">): {
  readonly firstRight: number;
  readonly secondRight: number;
  readonly bothRight: number;
  readonly neitherRight: number;
} {
  const counts = [0, 0, 0, 0, 0];
  for (const category of difference.categories) counts[category] = (counts[category] ?? 0) + 1;
  const [, firstRight = 0, secondRight = 0, bothRight = 0, neitherRight = 0] = counts;
  return { firstRight, secondRight, bothRight, neitherRight };
}
