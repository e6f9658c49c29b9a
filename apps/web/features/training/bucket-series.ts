/** Columns of a figure over the timesteps; a view of a series at one moment. All have the same length. */
export interface SeriesColumns {
  readonly xs: Float64Array;
  /** Means of the buckets; the last one is the last point itself. */
  readonly ys: Float64Array;
  readonly lows: Float64Array;
  readonly highs: Float64Array;
  /** Points that went in, none left out. */
  readonly points: number;
}

/** More buckets than a screen has pixels; of this many every two neighbours become one. */
const MOST_BUCKETS = 4096;

/**
 * A figure of any length in bounded memory: points go into buckets that hold as many points each, and when there are too many buckets neighbours are
 * joined. Count, mean, low and high of what went in are exact at any time, and so is the last point.
 */
export class BucketSeries {
  readonly #most: number;
  #xs: Float64Array;
  #sums: Float64Array;
  #counts: Float64Array;
  #lows: Float64Array;
  #highs: Float64Array;
  #length = 0;
  /** Points of a full bucket. */
  #capacity = 1;
  #points = 0;
  #last = Number.NaN;

  constructor(most = MOST_BUCKETS) {
    this.#most = most;
    this.#xs = new Float64Array(most);
    this.#sums = new Float64Array(most);
    this.#counts = new Float64Array(most);
    this.#lows = new Float64Array(most);
    this.#highs = new Float64Array(most);
  }

  /** Points that went in. */
  get points(): number {
    return this.#points;
  }

  /** Takes a point at or behind the last one. What is not finite is left out. */
  append(x: number, y: number): void {
    if (!Number.isFinite(y)) return;
    this.#points += 1;
    this.#last = y;
    const at = this.#length - 1;
    if (at >= 0 && (this.#counts[at] ?? 0) < this.#capacity) {
      this.#xs[at] = x;
      this.#sums[at] = (this.#sums[at] ?? 0) + y;
      this.#counts[at] = (this.#counts[at] ?? 0) + 1;
      this.#lows[at] = Math.min(this.#lows[at] ?? y, y);
      this.#highs[at] = Math.max(this.#highs[at] ?? y, y);
      return;
    }
    this.#push(x, y, 1, y, y);
  }

  /** Begins with a curve that was down-sampled before, of so many points in buckets that hold as many each. */
  begin(curve: {
    readonly xs: readonly number[];
    readonly means: readonly number[];
    readonly lows: readonly number[];
    readonly highs: readonly number[];
    readonly points: number;
  }): void {
    this.#length = 0;
    this.#capacity = 1;
    this.#points = 0;
    this.#last = Number.NaN;
    const each = curve.xs.length > 0 ? curve.points / curve.xs.length : 0;
    curve.xs.forEach((x, at) => {
      const mean = curve.means[at] ?? Number.NaN;
      this.#push(x, mean, each, curve.lows[at] ?? mean, curve.highs[at] ?? mean);
      this.#last = mean;
    });
    this.#points = curve.points;
    this.#capacity = Math.max(this.#capacity, each);
  }

  /** The columns as they are now; later points do not change them. */
  columns(): SeriesColumns {
    const length = this.#length;
    const ys = new Float64Array(length);
    for (let at = 0; at < length; at++) ys[at] = (this.#sums[at] ?? 0) / (this.#counts[at] ?? 1);
    if (length > 0) ys[length - 1] = this.#last;
    return {
      xs: this.#xs.slice(0, length),
      ys,
      lows: this.#lows.slice(0, length),
      highs: this.#highs.slice(0, length),
      points: this.#points,
    };
  }

  #push(x: number, mean: number, count: number, low: number, high: number): void {
    if (this.#length === this.#most) this.#join();
    const at = this.#length++;
    this.#xs[at] = x;
    this.#sums[at] = mean * count;
    this.#counts[at] = count;
    this.#lows[at] = low;
    this.#highs[at] = high;
  }

  #join(): void {
    this.#capacity *= 2;
    const half = this.#length >> 1;
    for (let into = 0; into < half; into++) {
      const [one, other] = [2 * into, 2 * into + 1];
      this.#xs[into] = this.#xs[other] ?? 0;
      this.#sums[into] = (this.#sums[one] ?? 0) + (this.#sums[other] ?? 0);
      this.#counts[into] = (this.#counts[one] ?? 0) + (this.#counts[other] ?? 0);
      this.#lows[into] = Math.min(this.#lows[one] ?? 0, this.#lows[other] ?? 0);
      this.#highs[into] = Math.max(this.#highs[one] ?? 0, this.#highs[other] ?? 0);
    }
    this.#length = half;
  }
}
