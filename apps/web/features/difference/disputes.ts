import type { ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { actionProbabilities } from "@rlmaze/episode-playback/decision";
import { goalDistances, optimalActions } from "@rlmaze/episode-playback/distances";
import type { MazeGrid } from "@rlmaze/episode-playback/maze-grid";
import type { PlaybackPolicyMap } from "@rlmaze/episode-playback/policy-map";
import { DIFFERENCE } from "@rlmaze/maze-canvas/policy-difference";
import type { DifferenceLayer } from "@rlmaze/maze-canvas/view";

/** Who is right in a disputed cell: right is an action on a shortest path. */
export type Verdict = "a" | "b" | "both" | "neither";

/** In the order in which they are listed. */
export const verdicts: readonly Verdict[] = ["a", "b", "both", "neither"];

/** What one model would do in a cell. */
export interface Choice {
  /** 0–3: UP, DOWN, LEFT, RIGHT. */
  readonly action: number;
  /** Four shares that sum to 1. */
  readonly probabilities: readonly number[];
  /** The four scores as the network gave them: logits or Q-values. */
  readonly scores: readonly number[];
  readonly kind: ScoreKind;
  /** V(s), or the largest Q-value. */
  readonly stateValue: number;
  /** Whether the action is on a shortest path. */
  readonly right: boolean;
}

/** What both models would do in one cell. */
export interface CellChoices {
  readonly cell: number;
  readonly row: number;
  readonly col: number;
  readonly a: Choice;
  readonly b: Choice;
  /** Actions on a shortest path, 0–3, ascending; more than one where two ways are as short. */
  readonly best: readonly number[];
  /** Steps to the goal on the shortest path. */
  readonly toGoal: number;
  /** Undefined where both choose the same. */
  readonly verdict: Verdict | undefined;
}

/** How often the two differ, and who is right then. */
export interface DifferenceSummary {
  /** Open cells from which the goal can be reached, without the goal. */
  readonly compared: number;
  readonly disputed: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Cells where each chooses an action on a shortest path, disputed or not. */
  readonly right: { readonly a: number; readonly b: number };
}

const verdictOf: Readonly<Record<number, Verdict>> = {
  [DIFFERENCE.firstRight]: "a",
  [DIFFERENCE.secondRight]: "b",
  [DIFFERENCE.bothRight]: "both",
  [DIFFERENCE.neitherRight]: "neither",
};

/** Cells where two models choose differently, row by row. */
export function disputedCells(difference: Pick<DifferenceLayer, "categories">): number[] {
  const cells: number[] = [];
  difference.categories.forEach((category, cell) => {
    if (category !== DIFFERENCE.none) cells.push(cell);
  });
  return cells;
}

/** Counts of a whole map. */
export function summaryOf(grid: MazeGrid, difference: DifferenceLayer): DifferenceSummary {
  const counts: Record<Verdict, number> = { a: 0, b: 0, both: 0, neither: 0 };
  const right = { a: 0, b: 0 };
  let compared = 0;
  for (let cell = 0; cell < grid.wall.length; cell++) {
    const best = optimalActions(grid, cell);
    const [a, b] = [difference.first[cell] ?? -1, difference.second[cell] ?? -1];
    if (best.length === 0 || a < 0 || b < 0) continue;
    compared += 1;
    if (best.includes(a)) right.a += 1;
    if (best.includes(b)) right.b += 1;
    const verdict = verdictOf[difference.categories[cell] ?? DIFFERENCE.none];
    if (verdict !== undefined) counts[verdict] += 1;
  }
  const disputed = counts.a + counts.b + counts.both + counts.neither;
  return { compared, disputed, counts, right };
}

/** What both models would do in a cell; undefined for walls, the goal, and cells that a map lacks. */
export function choicesIn(
  grid: MazeGrid,
  maps: { readonly a: PlaybackPolicyMap; readonly b: PlaybackPolicyMap },
  difference: DifferenceLayer,
  cell: number,
): CellChoices | undefined {
  const best = optimalActions(grid, cell);
  const a = choiceOf(maps.a, cell, best);
  const b = choiceOf(maps.b, cell, best);
  if (best.length === 0 || a === undefined || b === undefined) return undefined;
  return {
    cell,
    row: Math.floor(cell / grid.cols),
    col: cell % grid.cols,
    a,
    b,
    best,
    toGoal: goalDistances(grid)[cell] ?? 0,
    verdict: verdictOf[difference.categories[cell] ?? DIFFERENCE.none],
  };
}

function choiceOf(map: PlaybackPolicyMap, cell: number, best: readonly number[]): Choice | undefined {
  const action = map.bestActions[cell] ?? -1;
  if (action < 0) return undefined;
  const scores = Array.from(map.values.subarray(4 * cell, 4 * cell + 4));
  return {
    action,
    scores,
    probabilities: actionProbabilities(map.kind, scores),
    kind: map.kind,
    stateValue: map.stateValues[cell] ?? Number.NaN,
    right: best.includes(action),
  };
}

/** One sentence about a whole map, for the page and for screen readers. */
export function summarySentence(summary: DifferenceSummary, names: { readonly a: string; readonly b: string }): string {
  const { compared, disputed, counts } = summary;
  if (disputed === 0) return `${names.a} and ${names.b} choose the same in all ${compared} cells.`;
  const where = `They differ in ${disputed} of ${compared} cells`;
  if (counts.a === counts.b) {
    return counts.a === 0
      ? `${where}; neither is ever the only one who is right.`
      : `${where}; each is right alone in ${counts.a}.`;
  }
  const [winner, more, less] = counts.a > counts.b ? [names.a, counts.a, counts.b] : [names.b, counts.b, counts.a];
  return `${where}; ${winner} is right alone in ${more}, the other in ${less}.`;
}
