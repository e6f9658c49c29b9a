import type { MetricCurve } from "./metric-curve";

/** SVG path of a small curve in a box, its last point at the right edge. `low` and `high` are the values at the lower and the upper edge. */
export function sparklinePath(
  { xs, ys }: MetricCurve,
  width: number,
  height: number,
  [low, high]: readonly [number, number],
): string {
  const first = xs[0];
  const last = xs.at(-1);
  if (first === undefined || last === undefined) return "";
  const tall = high > low ? high - low : 1;
  const wide = last > first ? last - first : 1;
  const place = (at: number): string => {
    const x = last > first ? (((xs[at] as number) - first) / wide) * width : width;
    const share = Math.min(1, Math.max(0, ((ys[at] as number) - low) / tall));
    return `${round(x)} ${round((1 - share) * height)}`;
  };
  const line = xs.map((_, at) => place(at)).join("L");
  // One point is a dot: a line of no length with round ends.
  return xs.length === 1 ? `M${line}h0` : `M${line}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
