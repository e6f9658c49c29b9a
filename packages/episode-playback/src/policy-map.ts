import type { PolicyMap, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";

/** The policy's opinion on every cell, flat like the grid. */
export interface PlaybackPolicyMap {
  /** Step after which it was computed. */
  readonly atStep: number;
  readonly kind: ScoreKind;
  /** Four scores a cell, UP, DOWN, LEFT, RIGHT; NaN for walls. */
  readonly values: Float32Array;
  /** V(s) or the largest Q-value of a cell; NaN for walls. */
  readonly stateValues: Float32Array;
  /** Best action of a cell, 0–3; −1 for walls. The first of equals, as greedy takes it. */
  readonly bestActions: Int8Array;
  /** Smallest and largest state value of all cells but the goal; 0 and 0 without any. */
  readonly low: number;
  readonly high: number;
}

/**
 * Spreads a policy map over a grid of so many cells. Cells that the grid does not have are left out. The goal's value does not count in the
 * range: no step is ever taken from there, so the network never learned it, and what it guesses can be several times any other value.
 */
export function spreadPolicyMap(map: PolicyMap, cellCount: number, goal: number): PlaybackPolicyMap {
  const values = new Float32Array(4 * cellCount).fill(Number.NaN);
  const stateValues = new Float32Array(cellCount).fill(Number.NaN);
  const bestActions = new Int8Array(cellCount).fill(-1);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  map.cells.forEach((cell, at) => {
    if (cell < 0 || cell >= cellCount) return;
    let best = 0;
    for (let action = 0; action < 4; action++) {
      const score = map.values[4 * at + action] ?? Number.NaN;
      values[4 * cell + action] = score;
      if (score > (map.values[4 * at + best] ?? Number.NaN)) best = action;
    }
    bestActions[cell] = best;
    const value = map.stateValues[at] ?? Number.NaN;
    stateValues[cell] = value;
    if (cell === goal) return;
    if (value < low) low = value;
    if (value > high) high = value;
  });
  if (low > high) low = high = 0;
  return { atStep: map.atStep, kind: map.kind, values, stateValues, bestActions, low, high };
}

/** Bytes of policy maps that are kept for looking back, and the most and fewest of them. */
const KEPT_BYTES = 16 * 1024 * 1024;
const MOST_KEPT = 1024;
const FEWEST_KEPT = 16;

/**
 * The policy maps of an episode by step. Memory is bounded: when it is full, maps go from where they stand closest, so that
 * the whole past stays covered, the newest quarter without a gap.
 */
export class PolicyMapHistory {
  /** Ascending by `atStep`. */
  readonly #maps: PlaybackPolicyMap[] = [];

  clear(): void {
    this.#maps.length = 0;
  }

  /** Keeps a map; one of the same step is replaced. */
  keep(map: PlaybackPolicyMap): void {
    const maps = this.#maps;
    const at = this.#countUntil(map.atStep);
    const replaces = maps[at - 1]?.atStep === map.atStep;
    maps.splice(replaces ? at - 1 : at, replaces ? 1 : 0, map);
    const bytes = map.values.byteLength + map.stateValues.byteLength + map.bestActions.byteLength;
    if (maps.length > Math.max(FEWEST_KEPT, Math.min(MOST_KEPT, KEPT_BYTES / bytes))) maps.splice(this.#densest(), 1);
  }

  /** Latest map not after a step; undefined without one. Its `atStep` says how old it is. */
  at(step: number): PlaybackPolicyMap | undefined {
    return this.#maps[this.#countUntil(step) - 1];
  }

  /** Index of the map that is missed least: its neighbours are nearest to each other. The first one and the newest quarter stay. */
  #densest(): number {
    const maps = this.#maps;
    let densest = 1;
    let narrowest = Number.POSITIVE_INFINITY;
    for (let at = 1; at < 0.75 * maps.length; at++) {
      const gap = (maps[at + 1]?.atStep ?? 0) - (maps[at - 1]?.atStep ?? 0);
      if (gap >= narrowest) continue;
      narrowest = gap;
      densest = at;
    }
    return densest;
  }

  #countUntil(step: number): number {
    let low = 0;
    let high = this.#maps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#maps[middle]?.atStep ?? 0) <= step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
