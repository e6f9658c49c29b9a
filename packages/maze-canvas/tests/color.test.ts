import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { heatAt, heatGradient, heatRamp, heatTicks, visitsHigh, visitsScale } from "../src/heat-ramp";
import { hexOf, mixOklch, oklchOf } from "../src/oklch";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "../src/theme";

const hex = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, "0")}`);
const lightness = (color: string): number => oklchOf(color).l;

describe("OKLCH", () => {
  test("comes back as the colour that it was", () => {
    fc.assert(
      fc.property(hex, (color) => {
        expect(hexOf(oklchOf(color))).toBe(color);
      }),
      { numRuns: 1000 },
    );
  });

  test("agrees with published values", () => {
    const pink = oklchOf("#ff5c8a");
    expect(pink.l).toBeCloseTo(0.703, 2);
    expect(lightness("#ffffff")).toBeCloseTo(1, 4);
    expect(lightness("#000000")).toBe(0);
  });

  test("keeps the lightness of what a screen can't show", () => {
    const shown = oklchOf(hexOf({ l: 0.7, c: 0.4, h: 150 }));
    expect(shown.l).toBeCloseTo(0.7, 1);
    expect(shown.c).toBeLessThan(0.4);
  });

  test("mixes along the shorter way around", () => {
    expect(mixOklch({ l: 0, c: 0.1, h: 350 }, { l: 1, c: 0.1, h: 20 }, 0.5)).toMatchObject({ l: 0.5, h: 5 });
  });
});

describe.each([DARK_MAZE_THEME, LIGHT_MAZE_THEME])("the $name theme", (theme) => {
  const up = theme.name === "dark" ? 1 : -1;

  test("is a ladder of lightness: wall, path, heat, markers", () => {
    const ladder = [theme.wall, theme.path, theme.visits[1]].map((color) => up * lightness(color));
    expect(ladder).toEqual([...ladder].sort((a, b) => a - b));
    for (const ends of [theme.visits, theme.value]) {
      expect(up * lightness(ends[1])).toBeGreaterThan(up * lightness(ends[0]));
    }
    // The hottest cell under a marker still differs from it, or the marker's casing parts them.
    expect(Math.abs(lightness(theme.casing) - lightness(theme.agent))).toBeGreaterThan(0.3);
  });

  test.each(["visits", "value"] as const)("has a %s ramp that is linear in lightness", (mode) => {
    const ramp = heatRamp(theme[mode]);
    const steps = Array.from({ length: 11 }, (_, at) => lightness(ramp.at(at / 10)));
    const [low = 0, high = 0] = [steps[0], steps[10]];
    steps.forEach((step, at) => {
      expect(step).toBeCloseTo(low + ((high - low) * at) / 10, 1.6);
      expect(ramp.lightnessAt(at / 10)).toBeCloseTo(step, 1.6);
    });
    expect(ramp.at(-1)).toBe(ramp.at(0));
    expect(ramp.at(2)).toBe(ramp.at(1));
  });
});

describe("a heat scale", () => {
  test("of visits is logarithmic, and one visit stands above plain path", () => {
    const scale = visitsScale(Uint32Array.of(0, 1, 148, 3));
    expect(scale).toEqual({ mode: "visits", low: 1, high: 192, log: true });
    expect(heatAt(scale, 192)).toBe(1);
    expect(heatAt(scale, 1)).toBe(0.25);
    expect(heatAt(scale, 12) - heatAt(scale, 4)).toBeCloseTo(heatAt(scale, 36) - heatAt(scale, 12));
  });

  test("of visits does not call one visit the hottest", () => {
    expect(visitsScale(Uint32Array.of(0, 1, 1)).high).toBe(4);
  });

  test("of visits grows in leaps, so that an agent in a circle does not recolour the board at every step", () => {
    expect([1, 4, 5, 7, 9, 13, 17, 100].map(visitsHigh)).toEqual([4, 4, 6, 8, 12, 16, 24, 128]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (most) => {
        expect(visitsHigh(most)).toBeGreaterThanOrEqual(most);
        expect(visitsHigh(most)).toBeLessThan(Math.max(5, 1.5 * most));
      }),
    );
  });

  test("of equal values is not a division by zero", () => {
    expect(heatAt({ mode: "value", low: 0.5, high: 0.5, log: false }, 0.5)).toBe(1);
  });

  test("has ascending ticks that lie where the gradient has their colour", () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 5000 }), (high) => {
        const ticks = heatTicks({ mode: "visits", low: 1, high, log: true });
        expect(ticks[0]).toEqual({ amount: 1, place: 0 });
        expect(ticks.at(-1)).toEqual({ amount: high, place: 1 });
        for (let at = 1; at < ticks.length; at++) {
          expect(ticks[at]?.amount).toBeGreaterThan(ticks[at - 1]?.amount ?? 0);
        }
      }),
    );
    expect(heatTicks({ mode: "value", low: -1, high: 1, log: false }).map((tick) => tick.amount)).toEqual([
      -1, -0.5, 0, 0.5, 1,
    ]);
  });

  test("becomes a CSS gradient", () => {
    const css = heatGradient(DARK_MAZE_THEME.value, { mode: "value", low: 0, high: 1, log: false }, "to top");
    expect(css).toMatch(/^linear-gradient\(to top, #3a2659, .*#8fb43f\)$/);
  });
});
