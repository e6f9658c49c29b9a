import { type Band, type MetricCurve, valueAt } from "./metric-curve";

/** What a band spans: everything from the lowest to the highest seed, or where the mean lies with 95 % confidence. */
export type Spread = "range" | "interval";

/** Places of a mean are thinned to this many: more than a chart has pixels. */
const MOST_PLACES = 500;

/**
 * Two-sided 95 % points of Student's t distribution for 1–30 degrees of freedom; beyond, 1.96 + 2.4 / degrees is right to three digits.
 * Source: tables of the distribution, for example NIST/SEMATECH e-Handbook 1.3.6.7.2.
 */
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Half the width of the 95 % interval of a mean; 0 for a single value, whose interval is unknown. */
export function halfInterval(values: readonly number[]): number {
  const count = values.length;
  if (count < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const degrees = count - 1;
  return (T95[degrees - 1] ?? 1.96 + 2.4 / degrees) * Math.sqrt(variance / count);
}

/**
 * Mean over runs and what they span around it, at the places of their points. Between its points a run goes straight; where not all of them
 * have begun, or some have ended already, there is no mean: it would jump when another run joins.
 */
export function meanBand(curves: readonly MetricCurve[], spread: Spread): Band {
  const known = curves.filter((curve) => curve.xs.length > 0);
  if (known.length === 0 || known.length < curves.length) return { xs: [], ys: [], lows: [], highs: [] };
  const from = Math.max(...known.map((curve) => curve.xs[0] as number));
  const to = Math.min(...known.map((curve) => curve.xs.at(-1) as number));
  const all = [...new Set(known.flatMap((curve) => curve.xs))]
    .filter((x) => x >= from && x <= to)
    .sort((left, right) => left - right);
  const stride = Math.max(1, Math.ceil(all.length / MOST_PLACES));
  const xs = all.filter((_, at) => at % stride === 0 || at === all.length - 1);
  const ys: number[] = [];
  const lows: number[] = [];
  const highs: number[] = [];
  for (const x of xs) {
    const values = known.map((curve) => valueAt(curve, x)).filter((value) => value !== null);
    const low = Math.min(...values);
    const high = Math.max(...values);
    // Rounding must not put a mean outside of what it is a mean of.
    const mean = Math.min(high, Math.max(low, values.reduce((sum, value) => sum + value, 0) / values.length));
    const half = spread === "interval" ? halfInterval(values) : 0;
    ys.push(mean);
    lows.push(spread === "range" ? low : mean - half);
    highs.push(spread === "range" ? high : mean + half);
  }
  return { xs, ys, lows, highs };
}
