/** A measured point with its interval, drawn on a curve as a dot with whiskers. */
export interface CurveMark {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** One line of a chart. All columns of a curve have the same length, and `xs` ascends. */
export interface Curve {
  /** Unique in its chart. */
  readonly id: string;
  /** What the read-out and the table call it. */
  readonly name: string;
  /** A colour, or the name of a token: `--curve-1`. */
  readonly color: string;
  readonly xs: ArrayLike<number>;
  /** What is null or not finite breaks the line. */
  readonly ys: ArrayLike<number | null>;
  /** Edges of a band around the line; both or none. */
  readonly lows?: ArrayLike<number | null>;
  readonly highs?: ArrayLike<number | null>;
  /** Dashes in CSS pixels, so that lines can be told apart without colour. */
  readonly dash?: readonly number[];
  /** A faint line behind another one, as raw values are behind smoothed ones. It stays out of read-out and table. */
  readonly faint?: boolean;
  /** Only its marks are drawn. */
  readonly marksOnly?: boolean;
  readonly marks?: readonly CurveMark[];
}

/** One column of an aligned chart. Undefined: the curve has no point at this x, and its line goes on. Null: the line is broken. */
export type Column = (number | null | undefined)[];

/** Curves on one axis, in the form that the plot takes. */
export interface AlignedCurves {
  readonly xs: number[];
  /** For each curve its line, or its line, low and high where it has a band. */
  readonly columns: Column[];
}

/** Whether a curve has a band. */
export function hasBand(curve: Curve): boolean {
  return curve.lows !== undefined && curve.highs !== undefined;
}

/** The columns that a curve takes in {@link AlignedCurves}. */
function columnsOf(curve: Curve): readonly ArrayLike<number | null>[] {
  return curve.lows !== undefined && curve.highs !== undefined ? [curve.ys, curve.lows, curve.highs] : [curve.ys];
}

/** Puts curves with points at different places on one axis. */
export function alignCurves(curves: readonly Curve[]): AlignedCurves {
  const [only] = curves;
  if (only === undefined) return { xs: [], columns: [] };
  if (curves.every((curve) => sameXs(curve.xs, only.xs))) {
    return {
      xs: Array.from(only.xs),
      columns: curves.flatMap((curve) => columnsOf(curve).map((values) => Array.from(values, finite))),
    };
  }
  const xs = [...new Set(curves.flatMap((curve) => Array.from(curve.xs)))].sort((one, other) => one - other);
  const columns = curves.flatMap((curve) => {
    const aligned = columnsOf(curve).map((): Column => new Array(xs.length).fill(undefined));
    let at = 0;
    for (let index = 0; index < curve.xs.length; index++) {
      while ((xs[at] ?? Number.POSITIVE_INFINITY) < (curve.xs[index] ?? 0)) at++;
      columnsOf(curve).forEach((values, column) => {
        const into = aligned[column];
        if (into !== undefined) into[at] = finite(values[index] ?? null);
      });
    }
    return aligned;
  });
  return { xs, columns };
}

function sameXs(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

/** Index of the point of a curve that is nearest to a place; -1 of an empty one. */
export function nearestIndex(xs: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = xs.length - 1;
  if (high < 0) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) < x) low = middle;
    else high = middle;
  }
  return Math.abs((xs[low] ?? 0) - x) <= Math.abs((xs[high] ?? 0) - x) ? low : high;
}

/** The value of a curve at the point nearest to a place, if that point lies within the curve's own ends; undefined outside or in a gap. */
export function valueNear(curve: Curve, x: number): number | undefined {
  const { length } = curve.xs;
  if (length === 0 || x > (curve.xs[length - 1] ?? 0) || x < (curve.xs[0] ?? 0)) return undefined;
  return finite(curve.ys[nearestIndex(curve.xs, x)] ?? null) ?? undefined;
}

/** The curves that are read out and tabled. */
export function spokenCurves(curves: readonly Curve[]): readonly Curve[] {
  return curves.filter((curve) => curve.faint !== true);
}

/** First and last place of all curves and marks; undefined when there is no point. */
export function xEnds(curves: readonly Curve[]): readonly [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { xs, marks = [] } of curves) {
    if (xs.length > 0) {
      low = Math.min(low, xs[0] ?? low);
      high = Math.max(high, xs[xs.length - 1] ?? high);
    }
    for (const { x } of marks) {
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** How numbers are written. */
export interface CurveWords {
  readonly x: (x: number) => string;
  readonly y: (y: number) => string;
}

/** A chart in one sentence a curve: where it begins, ends and has its extremes. */
export function curvesInWords(curves: readonly Curve[], words: CurveWords): string {
  const sentences = spokenCurves(curves).map((curve) => {
    const points = finitePoints(curve);
    const [first] = points;
    const last = points.at(-1);
    if (first === undefined || last === undefined) return `${curve.name}: no points yet.`;
    const low = points.reduce((least, point) => (point.y < least.y ? point : least));
    const high = points.reduce((most, point) => (point.y > most.y ? point : most));
    return (
      `${curve.name}: ${words.y(last.y)} at ${words.x(last.x)}; ${words.y(first.y)} at ${words.x(first.x)}, ` +
      `lowest ${words.y(low.y)}, highest ${words.y(high.y)}.`
    );
  });
  return sentences.join(" ");
}

function finitePoints(curve: Curve): readonly { x: number; y: number }[] {
  if (curve.marksOnly === true) return curve.marks ?? [];
  const points = [];
  for (let index = 0; index < curve.xs.length; index++) {
    const y = finite(curve.ys[index] ?? null);
    if (y !== null) points.push({ x: curve.xs[index] ?? 0, y });
  }
  return points;
}

/** A row of the table: a place, and what each spoken curve has there. */
export interface CurveRow {
  readonly x: number;
  readonly values: readonly (number | undefined)[];
}

/** Up to so many rows, evenly along the axis and always with its last place, the newest first. */
export function curveRows(curves: readonly Curve[], most: number): readonly CurveRow[] {
  const spoken = spokenCurves(curves);
  const xs = [
    ...new Set(
      spoken.flatMap((curve) => (curve.marksOnly ? (curve.marks ?? []).map(({ x }) => x) : Array.from(curve.xs))),
    ),
  ].sort((one, other) => one - other);
  const wanted = Math.min(most, xs.length);
  const rows: CurveRow[] = [];
  for (let row = 0; row < wanted; row++) {
    const x = xs[wanted === 1 ? xs.length - 1 : Math.round((row * (xs.length - 1)) / (wanted - 1))] ?? 0;
    rows.push({
      x,
      values: spoken.map((curve) =>
        curve.marksOnly ? curve.marks?.find((mark) => mark.x === x)?.y : valueNear(curve, x),
      ),
    });
  }
  return rows.reverse();
}
