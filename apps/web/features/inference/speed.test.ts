import { describe, expect, test } from "vitest";
import {
  AS_FAST_AS_POSSIBLE,
  DEFAULT_SPEED,
  neighbourPreset,
  positionOf,
  presetOf,
  SLIDER_MAX,
  speedAt,
  speedPresets,
  speedText,
} from "./speed";

describe("the speed slider", () => {
  test("ends with as fast as possible", () => {
    expect(speedAt(SLIDER_MAX)).toBe(AS_FAST_AS_POSSIBLE);
    expect(positionOf(AS_FAST_AS_POSSIBLE)).toBe(SLIDER_MAX);
  });

  test("stays within what the contract takes, and grows", () => {
    const speeds = Array.from({ length: SLIDER_MAX }, (_, position) => speedAt(position));
    expect(Math.min(...speeds)).toBeGreaterThanOrEqual(0.1);
    expect(Math.max(...speeds)).toBeLessThanOrEqual(1000);
    expect(speeds).toEqual([...speeds].sort((left, right) => left - right));
  });

  test.each([...speedPresets.map((preset) => preset.stepsPerSecond), DEFAULT_SPEED])(
    "comes back near %d from its position",
    (speed) => {
      const back = speedAt(positionOf(speed));
      if (speed === AS_FAST_AS_POSSIBLE) expect(back).toBe(speed);
      else expect(Math.abs(Math.log(back / speed))).toBeLessThan(0.07);
    },
  );
});

test("a preset is named only when it is met exactly", () => {
  expect([presetOf(16), presetOf(AS_FAST_AS_POSSIBLE), presetOf(DEFAULT_SPEED)]).toEqual(["16", "max", ""]);
});

test("the arrow keys go from preset to preset and stop at the ends", () => {
  expect([8, 16, 64, 0].map((speed) => neighbourPreset(speed, 1))).toEqual([16, 64, 0, 0]);
  expect([0, 64, 8, 1].map((speed) => neighbourPreset(speed, -1))).toEqual([64, 16, 4, 1]);
});

test("speeds are read out", () => expect([speedText(8), speedText(0)]).toEqual(["8 steps/s", "Max"]));
