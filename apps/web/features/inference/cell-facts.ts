import { type Decision, decideAt } from "@rlmaze/episode-playback/decision";
import { goalDistances, optimalActions } from "@rlmaze/episode-playback/distances";
import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";

/** What is known about one cell at the shown step. */
export interface CellFacts {
  readonly cell: number;
  readonly row: number;
  readonly col: number;
  readonly kind: "wall" | "path" | "start" | "goal";
  readonly visits: number;
  /** Steps since the last visit; undefined when never visited. */
  readonly age: number | undefined;
  /** Steps to the goal by the shortest path; undefined for walls and where there is none. */
  readonly distance: number | undefined;
  /** Actions (0–3) on a shortest path; empty for walls, the goal, and where there is none. */
  readonly optimal: readonly number[];
  /** What the policy would do there; undefined for walls and without a policy map. */
  readonly policy: Decision | undefined;
  /** Whether the policy's action is on a shortest path; undefined where there is nothing to compare. */
  readonly agrees: boolean | undefined;
}

type Moment = Pick<EpisodePlayback, "grid" | "visits" | "lastVisit" | "shownStep" | "policyMap">;

/** Facts of a cell by its flat index; undefined outside of the maze. */
export function cellFacts(playback: Moment, cell: number): CellFacts | undefined {
  const { grid } = playback;
  if (grid === undefined || cell < 0 || cell >= grid.rows * grid.cols) return undefined;
  const wall = grid.wall[cell] === 1;
  const last = playback.lastVisit[cell] ?? -1;
  const distance = goalDistances(grid)[cell] ?? -1;
  const optimal = optimalActions(grid, cell);
  const policy = playback.policyMap === undefined ? undefined : decideAt(playback.policyMap, cell);
  return {
    cell,
    row: Math.floor(cell / grid.cols),
    col: cell % grid.cols,
    kind: wall ? "wall" : cell === grid.start ? "start" : cell === grid.goal ? "goal" : "path",
    visits: playback.visits[cell] ?? 0,
    age: last < 0 ? undefined : playback.shownStep - last,
    distance: distance < 0 ? undefined : distance,
    optimal,
    policy,
    agrees: policy === undefined || optimal.length === 0 ? undefined : optimal.includes(policy.best),
  };
}
