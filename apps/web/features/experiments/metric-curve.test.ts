import { create } from "@bufbuild/protobuf";
import { MetricHistorySchema } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { halfInterval, meanBand } from "./band";
import { stepAt } from "./chart-place";
import { curveOf, type MetricCurve, valueAt } from "./metric-curve";
import { sparklinePath } from "./sparkline";

/** A curve with places that ascend and finite values. */
const curve = fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 30 }).chain((places) =>
  fc.record({
    xs: fc.constant(places.sort((left, right) => left - right)),
    ys: fc.array(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((y) => (y === 0 ? 0 : y)),
      {
        minLength: places.length,
        maxLength: places.length,
      },
    ),
  }),
);

const history = (steps: number[], values: number[], elapsedS: number[] = steps.map((step) => step / 100)) =>
  create(MetricHistorySchema, { runId: "r", key: "reward", steps: steps.map(BigInt), values, elapsedS });

describe("a curve", () => {
  test("runs along steps or along time, and takes the last of several values at one place", () => {
    const logged = history([0, 10, 10, 30], [1, 2, 3, 4], [0.5, 1.5, 2, 2.5]);
    expect(curveOf(logged, "steps")).toEqual({ xs: [0, 10, 30], ys: [1, 3, 4] });
    expect(curveOf(logged, "time")).toEqual({ xs: [0.5, 1.5, 2, 2.5], ys: [1, 2, 3, 4] });
  });

  test("leaves out what is not finite and what goes back in time", () => {
    const logged = history([0, 10, 20, 30], [1, Number.NaN, 3, 4], [0, 1, 0.5, 2]);
    expect(curveOf(logged, "steps")).toEqual({ xs: [0, 20, 30], ys: [1, 3, 4] });
    expect(curveOf(history([0, 10, 20], [1, 2, 3], [5, 1, 6]), "time")).toEqual({ xs: [5, 6], ys: [1, 3] });
  });

  test("has its own values at its own places, and values between two points lie between theirs", () => {
    fc.assert(
      fc.property(curve, fc.integer({ min: -10, max: 1010 }), (given, x) => {
        for (const [at, place] of given.xs.entries()) expect(valueAt(given, place)).toBe(given.ys[at]);
        const value = valueAt(given, x);
        const first = given.xs[0] as number;
        const last = given.xs.at(-1) as number;
        if (x < first || x > last) expect(value).toBeNull();
        else {
          const right = given.xs.findIndex((place) => place >= x);
          const left = given.xs[right] === x ? right : right - 1;
          const ends = [given.ys[left] as number, given.ys[right] as number];
          const slack = 1e-9 * (1 + Math.max(...ends.map(Math.abs)));
          expect(value).toBeGreaterThanOrEqual(Math.min(...ends) - slack);
          expect(value).toBeLessThanOrEqual(Math.max(...ends) + slack);
        }
      }),
    );
  });
});

describe("a mean over seeds", () => {
  const several = fc.array(curve, { minLength: 1, maxLength: 5 });

  test("lies inside of its range, and the range inside of what the runs have", () => {
    fc.assert(
      fc.property(several, (curves) => {
        const { xs, ys, lows, highs } = meanBand(curves, "range");
        expect([ys.length, lows.length, highs.length]).toEqual([xs.length, xs.length, xs.length]);
        const values = curves.flatMap((one) => [...one.ys]);
        const slack = 1e-9 * (1 + Math.max(...values.map(Math.abs)));
        xs.forEach((x, at) => {
          if (at > 0) expect(x).toBeGreaterThan(xs[at - 1] as number);
          expect(lows[at]).toBeLessThanOrEqual(ys[at] as number);
          expect(highs[at]).toBeGreaterThanOrEqual(ys[at] as number);
          expect(lows[at]).toBeGreaterThanOrEqual(Math.min(...values) - slack);
          expect(highs[at]).toBeLessThanOrEqual(Math.max(...values) + slack);
        });
      }),
    );
  });

  test("of one run is the run itself, without any width", () => {
    fc.assert(
      fc.property(curve, fc.constantFrom("range" as const, "interval" as const), (one, spread) => {
        const band = meanBand([one], spread);
        expect(band).toEqual({ xs: [...one.xs], ys: [...one.ys], lows: [...one.ys], highs: [...one.ys] });
      }),
    );
  });

  test("does not care in which order the runs come", () => {
    fc.assert(
      fc.property(several, (curves) => {
        const there = meanBand(curves, "range");
        const back = meanBand([...curves].reverse(), "range");
        expect(back.xs).toEqual(there.xs);
        expect(back.lows).toEqual(there.lows);
        expect(back.highs).toEqual(there.highs);
      }),
    );
  });

  test("exists only where all of them do, so that it does not jump when one joins", () => {
    const long: MetricCurve = { xs: [0, 10, 20, 30], ys: [0, 1, 2, 3] };
    const short: MetricCurve = { xs: [5, 20], ys: [10, 10] };
    expect(meanBand([long, short], "range").xs).toEqual([5, 10, 20]);
    expect(meanBand([long, { xs: [], ys: [] }], "range").xs).toEqual([]);
    expect(meanBand([long, { xs: [40], ys: [1] }], "range").xs).toEqual([]);
  });

  test("has the 95 % interval that the tables give", () => {
    // Mean 3, standard deviation √2.5, four degrees of freedom: 2.776 · √(2.5 / 5).
    expect(halfInterval([1, 2, 3, 4, 5])).toBeCloseTo(1.963, 3);
    expect(halfInterval([7])).toBe(0);
    const { ys, lows, highs } = meanBand(
      [1, 2, 3, 4, 5].map((y) => ({ xs: [0], ys: [y] })),
      "interval",
    );
    expect([ys[0], lows[0], highs[0]]).toEqual([3, expect.closeTo(1.037, 3), expect.closeTo(4.963, 3)]);
  });

  test("is thinned to what a chart can show, with its last place", () => {
    const xs = Array.from({ length: 5000 }, (_, at) => at);
    const { xs: shown } = meanBand(
      [
        { xs, ys: xs },
        { xs, ys: xs },
      ],
      "range",
    );
    expect(shown.length).toBeLessThanOrEqual(501);
    expect(shown.at(-1)).toBe(4999);
  });
});

describe("a place in a chart", () => {
  const run = [history([100, 200, 300], [0, 0, 0], [1, 2, 3]), history([100], [0], [1])];

  test("is a number of steps, along time by the figure that was logged most often", () => {
    expect(stepAt(run, "steps", 150)).toBe(150);
    expect(stepAt(run, "time", 2)).toBe(200);
  });

  test("is nowhere in a run that had ended before", () => {
    expect(stepAt(run, "steps", 301)).toBeUndefined();
    expect(stepAt(run, "time", 30)).toBeUndefined();
    expect(stepAt([], "steps", 1)).toBeUndefined();
  });
});

describe("a small curve", () => {
  test("stays in its box and ends at its right edge", () => {
    fc.assert(
      fc.property(curve, (given) => {
        const numbers = sparklinePath(given, 84, 20, [Math.min(...given.ys), Math.max(...given.ys)])
          .match(/-?[\d.]+/g)
          ?.map(Number) as number[];
        const points = Array.from({ length: Math.floor(numbers.length / 2) }, (_, at) =>
          numbers.slice(2 * at, 2 * at + 2),
        );
        for (const [x = -1, y = -1] of points) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(84);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(y).toBeLessThanOrEqual(20);
        }
        expect(points.at(-1)?.[0]).toBe(84);
      }),
    );
  });

  test("of no points is nothing, of one a dot, of equal values a line", () => {
    expect(sparklinePath({ xs: [], ys: [] }, 84, 20, [0, 1])).toBe("");
    expect(sparklinePath({ xs: [7], ys: [1] }, 84, 20, [0, 1])).toBe("M84 0h0");
    expect(sparklinePath({ xs: [0, 1], ys: [3, 3] }, 84, 20, [3, 3])).toBe("M0 20L84 20");
  });
});
