import { create } from "@bufbuild/protobuf";
import { PolicyMapSchema, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { mazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { spreadPolicyMap } from "@rlmaze/episode-playback/policy-map";
import { policyDifference } from "@rlmaze/maze-canvas/policy-difference";
import { describe, expect, test } from "vitest";
import { choicesIn, disputedCells, summaryOf, summarySentence } from "./disputes";

// Two ways around a block, as long as each other: from S the shortest path goes right or down.
const grid = mazeGrid({ mazeId: "ring", rows: ["S..", ".#.", "..G"], shortestPath: 4 });
const [UP, DOWN, LEFT, RIGHT] = [0, 1, 2, 3] as const;

/** A map in which each open cell prefers one action, with logits of 2 against 0. */
function mapOf(actions: Readonly<Record<number, number>>) {
  const cells = [0, 1, 2, 3, 5, 6, 7, 8];
  return spreadPolicyMap(
    create(PolicyMapSchema, {
      kind: ScoreKind.LOGIT,
      cells,
      values: cells.flatMap((cell) => [0, 1, 2, 3].map((action) => (action === (actions[cell] ?? UP) ? 2 : 0))),
      stateValues: cells.map((cell) => cell / 10),
    }),
    grid.wall.length,
    grid.goal,
  );
}

const a = mapOf({ 0: RIGHT, 1: RIGHT, 2: DOWN, 3: DOWN, 5: DOWN, 6: UP, 7: LEFT, 8: UP });
const b = mapOf({ 0: DOWN, 1: RIGHT, 2: LEFT, 3: DOWN, 5: DOWN, 6: RIGHT, 7: UP, 8: LEFT });
const difference = policyDifference(grid, a, b);

describe("a difference of two policies", () => {
  test("lists the cells in which they choose differently, without walls and the goal", () => {
    expect(disputedCells(difference)).toEqual([0, 2, 6, 7]);
  });

  test("counts who is right in them, and in all cells", () => {
    expect(summaryOf(grid, difference)).toEqual({
      compared: 7,
      disputed: 4,
      counts: { a: 1, b: 1, both: 1, neither: 1 },
      right: { a: 5, b: 5 },
    });
  });

  test("tells of a cell what each chooses, how sure it is, and what is best", () => {
    const choices = choicesIn(grid, { a, b }, difference, 0);
    expect(choices).toMatchObject({ row: 0, col: 0, toGoal: 4, best: [DOWN, RIGHT], verdict: "both" });
    expect(choices?.a).toMatchObject({ action: RIGHT, right: true, stateValue: 0 });
    expect(choices?.b.action).toBe(DOWN);
    expect(choices?.a.probabilities[RIGHT]).toBeCloseTo(Math.E ** 2 / (Math.E ** 2 + 3), 12);
    expect(choices?.a.probabilities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  });

  test("tells also where they agree, and nothing of walls and the goal", () => {
    expect(choicesIn(grid, { a, b }, difference, 5)).toMatchObject({ verdict: undefined, best: [DOWN] });
    expect(choicesIn(grid, { a, b }, difference, 4)).toBeUndefined();
    expect(choicesIn(grid, { a, b }, difference, 8)).toBeUndefined();
    expect(choicesIn(grid, { a, b }, difference, 99)).toBeUndefined();
  });

  test("gives the verdict of each disputed cell", () => {
    const verdicts = disputedCells(difference).map((cell) => choicesIn(grid, { a, b }, difference, cell)?.verdict);
    expect(verdicts).toEqual(["both", "a", "b", "neither"]);
  });
});

describe("the sentence of a difference", () => {
  const names = { a: "PPO", b: "DQN" };
  const of = (counts: { a: number; b: number; both?: number; neither?: number }) => {
    const all = { both: 0, neither: 0, ...counts };
    const disputed = all.a + all.b + all.both + all.neither;
    return summarySentence({ compared: 64, disputed, counts: all, right: { a: 40, b: 41 } }, names);
  };

  test("says who is right more often", () => {
    expect(of({ a: 3, b: 5 })).toBe("They differ in 8 of 64 cells; DQN is right alone in 5, the other in 3.");
    expect(of({ a: 3, b: 0, both: 1 })).toBe("They differ in 4 of 64 cells; PPO is right alone in 3, the other in 0.");
  });

  test("knows equals, and the same everywhere", () => {
    expect(of({ a: 2, b: 2 })).toBe("They differ in 4 of 64 cells; each is right alone in 2.");
    expect(of({ a: 0, b: 0, neither: 3 })).toBe(
      "They differ in 3 of 64 cells; neither is ever the only one who is right.",
    );
    expect(of({ a: 0, b: 0 })).toBe("PPO and DQN choose the same in all 64 cells.");
  });
});
