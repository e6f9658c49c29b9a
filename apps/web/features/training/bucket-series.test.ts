import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BucketSeries } from "./bucket-series";

const values = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 300 });

function filled(ys: readonly number[], most: number): BucketSeries {
  const series = new BucketSeries(most);
  ys.forEach((y, at) => {
    series.append(at + 1, y);
  });
  return series;
}

describe("a series in buckets", () => {
  test("never holds more than it may, counts every point, and ends with the last one", () => {
    fc.assert(
      fc.property(values, (ys) => {
        const { xs, ys: means, lows, highs, points } = filled(ys, 16).columns();
        expect(xs.length).toBeLessThanOrEqual(16);
        expect(points).toBe(ys.length);
        expect(xs[xs.length - 1]).toBe(ys.length);
        expect(means[means.length - 1]).toBe(ys[ys.length - 1]);
        expect([...xs]).toEqual([...new Set(xs)].sort((one, other) => one - other));
        expect(Math.min(...lows)).toBe(Math.min(...ys));
        expect(Math.max(...highs)).toBe(Math.max(...ys));
        means.forEach((mean, at) => {
          expect(mean).toBeGreaterThanOrEqual((lows[at] ?? 0) - 1e-9);
          expect(mean).toBeLessThanOrEqual((highs[at] ?? 0) + 1e-9);
        });
      }),
    );
  });

  test("has each point for itself while there is room", () => {
    expect([...filled([3, 1, 2], 16).columns().ys]).toEqual([3, 1, 2]);
  });

  test("goes on with a curve that came down-sampled", () => {
    const series = new BucketSeries(16);
    series.begin({ xs: [10, 20], means: [1, 3], lows: [0, 2], highs: [2, 4], points: 8 });
    series.append(21, 5);
    series.append(22, 7);
    const { xs, ys, points } = series.columns();
    expect([...xs]).toEqual([10, 20, 22]);
    expect([...ys]).toEqual([1, 3, 7]);
    expect(points).toBe(10);
  });

  test("leaves out what is not finite", () => {
    expect(filled([1, Number.NaN, 2, Number.POSITIVE_INFINITY], 16).columns().points).toBe(2);
  });
});
