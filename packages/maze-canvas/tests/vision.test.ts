import { describe, expect, test } from "vitest";
import { heatAt, heatRamp, visitsScale } from "../src/heat-ramp";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME, type MazeTheme } from "../src/theme";
import { lightnessAs, VISIONS, type Vision } from "./vision";

/** Least difference of OKLCH lightness between neighbours of a ladder. About 0.02 can just be seen side by side; this is seen apart from each other. */
const RUNG = 0.08;

const visions = Object.keys(VISIONS) as Vision[];
const themes = [DARK_MAZE_THEME, LIGHT_MAZE_THEME];
const cases = themes.flatMap((theme) => visions.map((vision) => [theme.name, vision, theme] as const));

/** The heat of a cell that was visited once. */
function visitedOnce(theme: MazeTheme): string {
  return heatRamp(theme.visits).at(heatAt(visitsScale(Uint32Array.of(1, 500)), 1));
}

/** Smallest difference of lightness between any two of some colours. */
function leastGap(vision: Vision, colors: readonly string[]): number {
  const rungs = colors.map((color) => lightnessAs(vision, color)).sort((a, b) => a - b);
  return Math.min(...rungs.slice(1).map((rung, at) => rung - (rungs[at] ?? 0)));
}

describe.each(cases)("the %s theme with %s", (_name, vision, theme) => {
  const l = (color: string): number => lightnessAs(vision, color);
  const apart = (one: string, other: string): number => Math.abs(l(one) - l(other));
  /** Upwards in the dark theme, downwards in the light one. */
  const up = theme.name === "dark" ? 1 : -1;

  test("is a ladder: wall, path, visited once, visited most", () => {
    const ladder = [theme.wall, theme.path, visitedOnce(theme), theme.visits[1]];
    for (let at = 1; at < ladder.length; at++) {
      expect(up * (l(ladder[at] ?? "") - l(ladder[at - 1] ?? ""))).toBeGreaterThan(RUNG);
    }
  });

  test("keeps trail, goal and the agent's ring apart from each other and from wall and path", () => {
    expect(leastGap(vision, [theme.wall, theme.path, theme.trail, theme.goal])).toBeGreaterThan(RUNG);
    // The ring is white in both themes; on paper its dark casing is what is seen.
    expect(apart(theme.agentRing, theme.agentCasing)).toBeGreaterThan(0.8);
    for (const ground of [theme.wall, theme.path, theme.trail, theme.goal, ...theme.visits, ...theme.value]) {
      expect(Math.max(apart(theme.agentRing, ground), apart(theme.agentCasing, ground))).toBeGreaterThan(0.3);
    }
  });

  test("keeps the start apart from wall, path and the trail that leaves it", () => {
    // Ring and line differ in shape as well, and both colours are given for the dark theme: 0.072 with deuteranopia.
    expect(leastGap(vision, [theme.wall, theme.path, theme.trail, theme.start])).toBeGreaterThan(0.07);
  });

  test("parts trail, start and goal from every heat, by themselves or by their casing", () => {
    for (const ends of [theme.visits, theme.value]) {
      const ramp = heatRamp(ends);
      for (let share = 0; share <= 1; share += 0.05) {
        const ground = ramp.at(share);
        for (const [marker, casing] of [
          [theme.trail, theme.casing],
          [theme.start, theme.casing],
          [theme.goal, theme.goalCasing],
        ] as const) {
          expect(Math.max(apart(marker, ground), apart(casing, ground))).toBeGreaterThan(RUNG);
          expect(apart(marker, casing)).toBeGreaterThan(0.2);
        }
      }
    }
  });

  test("has four lanes that no two are alike, on path and wall", () => {
    expect(leastGap(vision, [theme.path, ...theme.lanes])).toBeGreaterThan(0.1);
    for (const lane of theme.lanes) {
      expect(
        Math.max(apart(lane, theme.wall), apart(theme.agentRing, theme.wall), apart(theme.agentCasing, theme.wall)),
      ).toBeGreaterThan(0.3);
    }
  });

  test("has four differences that no two are alike, and none is plain path", () => {
    expect(leastGap(vision, [theme.path, ...theme.difference])).toBeGreaterThan(RUNG);
  });

  test("keeps fog apart from path, and its dot from it", () => {
    expect(apart(theme.fog, theme.path)).toBeGreaterThan(0.03);
    expect(apart(theme.fog, theme.fogDot)).toBeGreaterThan(0.03);
  });

  test("keeps the marks of the shortest path, of worse steps and of cycles apart from path and every visit's heat", () => {
    const ramp = heatRamp(theme.visits);
    for (const ground of [theme.path, ramp.at(0.25), ramp.at(0.6), ramp.at(1)]) {
      expect(apart(theme.route, ground)).toBeGreaterThan(RUNG);
      for (const mark of [theme.worse, theme.cycle]) {
        expect(Math.max(apart(mark, ground), apart(theme.casing, ground))).toBeGreaterThan(0.2);
      }
    }
  });
});
