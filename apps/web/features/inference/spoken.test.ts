import { Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { describe, expect, test } from "vitest";
import { loopText } from "./board-line";
import { spokenState } from "./spoken";
import { patience } from "./use-stale";

const moment = {
  shownStep: 12,
  liveStep: 12,
  maxSteps: 200,
  row: 3,
  col: 4,
  mode: "live",
  loop: undefined,
  result: undefined,
  shortestPath: 32,
} as const;

describe("the spoken state", () => {
  test("says what runs and where", () => {
    expect(spokenState("running", moment)).toBe("Running: step 12 of at most 200, row 3, column 4.");
    expect(spokenState("paused", moment)).toMatch(/^Stopped at step 12/);
  });

  test("says that one looks back, and how far", () => {
    expect(spokenState("running", { ...moment, mode: "still", liveStep: 20 })).toContain("Looking at step 12");
    expect(spokenState("running", { ...moment, mode: "still", liveStep: 20 })).toContain("8 behind");
    expect(spokenState("finished", { ...moment, mode: "replay" })).toMatch(/^Playing from memory/);
  });

  test("names the cycle that the agent is in", () => {
    const loop = { cells: [1, 2, 3, 2], period: 4, since: 31, namedAt: 39, rounds: 2 };
    expect(loopText(loop)).toBe("Repeats 3 cells since step 31.");
    expect(loopText({ cells: [1], period: 1, since: 5 })).toBe("Runs into the same wall since step 5.");
    expect(spokenState("running", { ...moment, loop })).toContain("Repeats 3 cells since step 31.");
  });

  test("says the result once one sees it", () => {
    const result = { outcome: Outcome.STEP_LIMIT, steps: 200, bumps: 0, totalReward: -2, spl: 0, logged: true };
    expect(spokenState("finished", { ...moment, result })).toBe("Stopped by the step limit after 200 steps.");
    expect(spokenState("finished", { ...moment, mode: "still", result })).toContain("Looking at");
  });

  test("is silent before anything happened", () => expect(spokenState("ready", { ...moment, liveStep: 0 })).toBe(""));
});

test("a slow pace is given the time of three steps before it counts as stale", () => {
  expect([patience(0), patience(250), patience(8), patience(0.5)]).toEqual([3_000, 3_000, 3_000, 6_000]);
});
