import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alignCurves, type Curve, curveRows, curvesInWords, nearestIndex, valueNear, xEnds } from "./curve";
import { smoothed } from "./smoothing";

function curve(id: string, xs: readonly number[], ys: readonly (number | null)[], more: Partial<Curve> = {}): Curve {
  return { id, name: id, color: "--curve-1", xs, ys, ...more };
}

const ascending = fc
  .uniqueArray(fc.integer({ min: 0, max: 500 }), { maxLength: 30 })
  .map((xs) => xs.sort((a, b) => a - b));
const words = { x: (x: number) => `${x} steps`, y: (y: number) => y.toFixed(1) };

describe("curves on one axis", () => {
  test("keep every point at its place, and are undefined where they have none", () => {
    fc.assert(
      fc.property(fc.array(ascending, { minLength: 1, maxLength: 5 }), (axes) => {
        const curves = axes.map((xs, at) =>
          curve(
            String(at),
            xs,
            xs.map((x) => x * (at + 1)),
          ),
        );
        const { xs, columns } = alignCurves(curves);
        expect(xs).toEqual([...new Set(axes.flat())].sort((a, b) => a - b));
        axes.forEach((axis, at) => {
          const own = new Set(axis);
          expect(columns[at]).toEqual(xs.map((x) => (own.has(x) ? x * (at + 1) : undefined)));
        });
      }),
    );
  });

  test("take a column for the line and two for a band, with null for what is no number", () => {
    const band = curve("band", [1, 2], [1, Number.NaN], { lows: [0, 1], highs: [2, 3] });
    expect(alignCurves([band, curve("line", [1, 2], [5, null])])).toEqual({
      xs: [1, 2],
      columns: [
        [1, null],
        [0, 1],
        [2, 3],
        [5, null],
      ],
    });
  });

  test("have the ends of all of their points and marks", () => {
    expect(xEnds([curve("a", [], []), curve("b", [3, 9], [0, 0], { marks: [{ x: 12, y: 1 }] })])).toEqual([3, 12]);
    expect(xEnds([curve("a", [], [])])).toBeUndefined();
  });
});

describe("the value at a place", () => {
  test("is that of the nearest point", () => {
    fc.assert(
      fc.property(ascending, fc.integer({ min: -10, max: 510 }), (xs, x) => {
        const at = nearestIndex(xs, x);
        if (xs.length === 0) expect(at).toBe(-1);
        else expect(Math.abs((xs[at] ?? 0) - x)).toBe(Math.min(...xs.map((other) => Math.abs(other - x))));
      }),
    );
  });

  test("is nothing outside of the curve and in a gap", () => {
    const line = curve("line", [1, 2, 3], [10, null, 30]);
    expect([0.5, 1.2, 2, 2.9, 3.1].map((x) => valueNear(line, x))).toEqual([undefined, 10, undefined, 30, undefined]);
  });
});

describe("a chart without its picture", () => {
  test("is a sentence a curve", () => {
    const said = curvesInWords(
      [curve("Reward", [0, 10, 20], [-1, 2, 1]), curve("Raw", [0], [9], { faint: true })],
      words,
    );
    expect(said).toBe("Reward: 1.0 at 20 steps; -1.0 at 0 steps, lowest -1.0, highest 2.0.");
    expect(curvesInWords([curve("Loss", [], [])], words)).toBe("Loss: no points yet.");
  });

  test("is a table with the last place on top and the first at the bottom", () => {
    const xs = Array.from({ length: 1000 }, (_, at) => at);
    const rows = curveRows([curve("line", xs, xs)], 5);
    expect(rows.map(({ x }) => x)).toEqual([999, 749, 500, 250, 0]);
    expect(rows.map(({ values }) => values[0])).toEqual([999, 749, 500, 250, 0]);
  });
});

describe("smoothing", () => {
  const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 3, maxLength: 60 });

  test("stays between the least and the largest value, and leaves a constant as it is", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (ys, share) => {
        const xs = ys.map((_, at) => at * 7);
        for (const y of Array.from(smoothed(xs, ys, share))) {
          expect(y).toBeGreaterThanOrEqual(Math.min(...ys) - 1e-9);
          expect(y).toBeLessThanOrEqual(Math.max(...ys) + 1e-9);
        }
        for (const y of Array.from(
          smoothed(
            xs,
            ys.map(() => 4),
            share,
          ),
        ))
          expect(y).toBeCloseTo(4);
      }),
    );
  });

  test("of nothing is nothing: share 0 returns the values, and gaps stay gaps", () => {
    const ys = [1, 5, null, 2];
    expect(smoothed([0, 1, 2, 3], ys, 0)).toBe(ys);
    expect(smoothed([0, 1, 2, 3], ys, 0.5)[2]).toBeNull();
  });
});
