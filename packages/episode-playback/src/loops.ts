import type { MazeGrid } from "./maze-grid";
import { type EpisodeHistory, type ObservationVersion, observe } from "./observation";
import type { Walk } from "./walk";

/** A cycle of positions that the agent is in. */
export interface Loop {
  /** Cells in the order in which they are walked, `period` of them, from the one at `since`; a bump repeats its cell. */
  readonly cells: readonly number[];
  /** Moves of one round; 1 is bumping into a wall again and again. */
  readonly period: number;
  /** Step at which the first round began. */
  readonly since: number;
  /** Step at which the second round was complete, so that it could be named. */
  readonly namedAt: number;
  /** Whole rounds up to the step that was asked for, at least 2. */
  readonly rounds: number;
}

/** Longest cycle that is found, in moves. Episodes up to 50 × 50 (5,000 steps) hold no longer one twice. */
export const LONGEST_PERIOD = 2500;

/**
 * Finds cycles while the steps come. The law: after step t there is a loop of period p when the agent's last two rounds of p moves were
 * the same cells (`position(i) = position(i − p)` for all i from t − p to t). A loop that was named stays for as long as the agent goes on in it;
 * when none does, the one with the shortest period is named.
 *
 * A step inside a named loop costs one comparison. Any other one looks at the earlier visits of the agent's cell, most of which fall by one
 * or two comparisons.
 */
export class LoopLog {
  readonly #walk: Walk;
  /** Four numbers a loop: namedAt, last step, since, period. Ascending. */
  #spans = new Int32Array(0);
  #spanCount = 0;
  #going = false;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  /** Forgets everything: the walk begins anew. */
  clear(): void {
    this.#spanCount = 0;
    this.#going = false;
  }

  /** Takes note of the walk's newest step; returns true when a loop is named by it. To be called after each step. */
  look(): boolean {
    const { cells, before, steps: step } = this.#walk;
    const last = 4 * (this.#spanCount - 1);
    if (this.#going) {
      const period = this.#spans[last + 3] ?? 0;
      if (cells[step - period] === cells[step]) {
        this.#spans[last + 1] = step;
        return false;
      }
      this.#going = false;
    }
    for (let visit = before[step] ?? -1; visit >= 0; visit = before[visit] ?? -1) {
      const period = step - visit;
      if (period > LONGEST_PERIOD || 2 * period > step) break;
      if (!this.#repeats(step, period)) continue;
      this.#name(step, period);
      return true;
    }
    return false;
  }

  /** The loop that the agent is in after a step; undefined when it is in none. */
  at(step: number): Loop | undefined {
    const span = this.#spanAt(step);
    if (span < 0) return undefined;
    const since = this.#spans[span + 2] ?? 0;
    const period = this.#spans[span + 3] ?? 1;
    return {
      cells: Array.from(this.#walk.cells.subarray(since, since + period)),
      period,
      since,
      namedAt: this.#spans[span] ?? 0,
      rounds: Math.floor((step - since) / period),
    };
  }

  /** The two last rounds are the same cells. */
  #repeats(step: number, period: number): boolean {
    const { cells } = this.#walk;
    if (cells[step - 2 * period] !== cells[step]) return false;
    for (let at = step - 1; at > step - period; at--) if (cells[at] !== cells[at - period]) return false;
    return true;
  }

  #name(step: number, period: number): void {
    const { cells } = this.#walk;
    let since = step - 2 * period;
    while (since > 0 && cells[since - 1] === cells[since - 1 + period]) since--;
    const at = 4 * this.#spanCount;
    if (at === this.#spans.length) this.#spans = grown(this.#spans, Math.max(64, 2 * at));
    this.#spans.set([step, step, since, period], at);
    this.#spanCount += 1;
    this.#going = true;
  }

  #spanAt(step: number): number {
    let low = 0;
    let high = this.#spanCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#spans[4 * middle] ?? 0) <= step) low = middle + 1;
      else high = middle;
    }
    const at = 4 * (low - 1);
    return low > 0 && step <= (this.#spans[at + 1] ?? -1) ? at : -1;
  }
}

/**
 * Whether a policy that decides by its observation alone, greedily, can never leave a loop: in the last round it saw exactly what it saw in the
 * round before, so it will decide the same again. (Cells outside of the loop look older with every step, so equal observations mean that
 * only cells of the loop, and cells never visited, are in view.) Says nothing about sampling, nor about baselines, whose state is not the observation.
 */
export function staysForever(
  version: ObservationVersion,
  grid: MazeGrid,
  history: EpisodeHistory,
  loop: Pick<Loop, "period">,
  step: number,
): boolean {
  if (step < 2 * loop.period) return false;
  for (let at = step; at > step - loop.period; at--) {
    const now = observe(version, grid, history, at);
    const before = observe(version, grid, history, at - loop.period);
    if (history.positionAt(at) !== history.positionAt(at - loop.period)) return false;
    if (now.some((value, index) => value !== before[index])) return false;
  }
  return true;
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const into = new Int32Array(length);
  into.set(from);
  return into;
}
