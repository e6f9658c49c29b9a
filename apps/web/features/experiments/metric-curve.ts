import type { MetricHistory } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";

/** What lies along a chart: environment steps learned, or seconds since the run started. */
export type Along = "steps" | "time";

/** The course of one figure of one run, or of the mean of several. All columns have the same length; `xs` ascends. */
export interface MetricCurve {
  readonly xs: readonly number[];
  readonly ys: readonly number[];
}

/** A curve with what its seeds span around it. */
export interface Band extends MetricCurve {
  readonly lows: readonly number[];
  readonly highs: readonly number[];
}

/** A history along steps or along time. Where several points share a place the last one counts, as it was logged last. */
export function curveOf(history: MetricHistory, along: Along): MetricCurve {
  const xs: number[] = [];
  const ys: number[] = [];
  const length = Math.min(history.steps.length, history.values.length);
  for (let at = 0; at < length; at++) {
    const x = along === "steps" ? Number(history.steps[at]) : history.elapsedS[at];
    const y = history.values[at];
    if (x === undefined || y === undefined || !Number.isFinite(x) || !Number.isFinite(y)) continue;
    const last = xs.at(-1);
    if (last !== undefined && x < last) continue;
    if (x === last) ys[ys.length - 1] = y;
    else {
      xs.push(x);
      ys.push(y);
    }
  }
  return { xs, ys };
}

/** Value of a curve at a place, straight between its points; null before its first and after its last one. */
export function valueAt({ xs, ys }: MetricCurve, x: number): number | null {
  const first = xs[0];
  const last = xs.at(-1);
  if (first === undefined || last === undefined || x < first || x > last) return null;
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  const right = xs[low] as number;
  const y = ys[low] as number;
  if (right === x || low === 0) return y;
  const left = xs[low - 1] as number;
  const before = ys[low - 1] as number;
  return before + ((y - before) * (x - left)) / (right - left);
}
