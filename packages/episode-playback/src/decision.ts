import { ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { optimalActions } from "./distances";
import { entropy } from "./entropy";
import type { MazeGrid } from "./maze-grid";
import type { PlaybackPolicyMap } from "./policy-map";

/** Q-values of neighbouring actions differ by about one step's reward; the contract measures their temperature in this unit. */
export const Q_VALUE_UNIT = 0.01;

/** What a policy makes of four scores. All in the order UP, DOWN, LEFT, RIGHT. */
export interface Decision {
  readonly kind: ScoreKind;
  readonly values: readonly number[];
  /** softmax(values / temperature), for Q-values softmax(values / (0.01 · temperature)); sums to 1. */
  readonly probabilities: readonly number[];
  /** Entropy of the probabilities in bits: 0 when the policy is sure, 2 when all four actions are equal to it. */
  readonly entropyBits: number;
  /** Action (0–3) that greedy takes: the largest score, the first of equals. */
  readonly best: number;
  /** V(s) for logits, the largest Q-value for Q-values. */
  readonly stateValue: number;
}

/**
 * Probabilities of four scores by the contract's rule. `temperature` is that of softmax sampling, 0.01–10; 1 gives the probabilities that the
 * server shows.
 */
export function actionProbabilities(kind: ScoreKind, values: ArrayLike<number>, temperature = 1): number[] {
  const unit = kind === ScoreKind.Q_VALUE ? temperature * Q_VALUE_UNIT : temperature;
  const scaled = Array.from(values, (value) => value / unit);
  const largest = Math.max(...scaled);
  const parts = scaled.map((value) => Math.exp(value - largest));
  const sum = parts.reduce((left, right) => left + right, 0);
  return parts.map((part) => part / sum);
}

/** Index of the largest score, the first of equals, as greedy takes it; −1 without scores. */
export function greedyAction(values: ArrayLike<number>): number {
  let best = values.length > 0 ? 0 : -1;
  for (let action = 1; action < values.length; action++) {
    if ((values[action] ?? Number.NaN) > (values[best] ?? Number.NaN)) best = action;
  }
  return best;
}

/** Reads ActionScores (of a step or of ScoreObservations) at a temperature. */
export function decide(
  scores: { readonly kind: ScoreKind; readonly values: readonly number[]; readonly stateValue: number },
  temperature = 1,
): Decision {
  const probabilities = actionProbabilities(scores.kind, scores.values, temperature);
  return {
    kind: scores.kind,
    values: scores.values,
    probabilities,
    entropyBits: entropy(probabilities) / Math.LN2,
    best: greedyAction(scores.values),
    stateValue: scores.stateValue,
  };
}

/** The decision on one cell of a policy map; undefined for walls. */
export function decideAt(map: PlaybackPolicyMap, cell: number, temperature = 1): Decision | undefined {
  if ((map.bestActions[cell] ?? -1) < 0) return undefined;
  const values = Array.from(map.values.subarray(4 * cell, 4 * cell + 4));
  return decide({ kind: map.kind, values, stateValue: map.stateValues[cell] ?? Number.NaN }, temperature);
}

/** Who chooses an action that is on a shortest path, where two policies choose differently. */
export type DifferenceVerdict = "a" | "b" | "both" | "neither";

/** A cell on which two policies choose differently. */
export interface DifferentCell {
  readonly cell: number;
  /** Best action (0–3) of each. */
  readonly a: number;
  readonly b: number;
  readonly right: DifferenceVerdict;
}

/** Where two policies differ. */
export interface PolicyDifference {
  /** Ascending by cell. */
  readonly cells: readonly DifferentCell[];
  /** Cells on which both have an opinion; the goal is none, because no step is taken from there. */
  readonly compared: number;
  /** How often each is right among `cells`. */
  readonly counts: Readonly<Record<DifferenceVerdict, number>>;
  /** Share of the compared cells on which the best action is on a shortest path, 0–1; NaN when none was compared. */
  readonly optimalShareA: number;
  readonly optimalShareB: number;
}

/** Compares the best actions of two policy maps on one grid, and judges them by the distances to the goal. */
export function policyDifference(
  a: Pick<PlaybackPolicyMap, "bestActions">,
  b: Pick<PlaybackPolicyMap, "bestActions">,
  grid: MazeGrid,
): PolicyDifference {
  const cells: DifferentCell[] = [];
  const counts = { a: 0, b: 0, both: 0, neither: 0 };
  let compared = 0;
  let rightA = 0;
  let rightB = 0;
  for (let cell = 0; cell < grid.wall.length; cell++) {
    const actionA = a.bestActions[cell] ?? -1;
    const actionB = b.bestActions[cell] ?? -1;
    if (actionA < 0 || actionB < 0 || cell === grid.goal) continue;
    const optimal = optimalActions(grid, cell);
    const isRightA = optimal.includes(actionA);
    const isRightB = optimal.includes(actionB);
    compared += 1;
    if (isRightA) rightA += 1;
    if (isRightB) rightB += 1;
    if (actionA === actionB) continue;
    const right = isRightA ? (isRightB ? "both" : "a") : isRightB ? "b" : "neither";
    counts[right] += 1;
    cells.push({ cell, a: actionA, b: actionB, right });
  }
  return { cells, compared, counts, optimalShareA: rightA / compared, optimalShareB: rightB / compared };
}
