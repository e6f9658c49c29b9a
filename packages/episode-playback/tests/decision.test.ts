import { create } from "@bufbuild/protobuf";
import { PolicyMapSchema, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { describe, expect, test } from "vitest";
import { actionProbabilities, decide, decideAt, policyDifference } from "../src/decision";
import { mazeGrid } from "../src/maze-grid";
import { type PlaybackPolicyMap, spreadPolicyMap } from "../src/policy-map";

const GRID = mazeGrid({ mazeId: "m", rows: ["S..", ".#.", "..G"], shortestPath: 4 });
const OPEN = [...GRID.wall.keys()].filter((cell) => GRID.wall[cell] === 0);

/** A policy that takes one action on each open cell. */
function policy(actions: Readonly<Record<number, number>>, otherwise: number): PlaybackPolicyMap {
  const values = OPEN.flatMap((cell) =>
    [0, 1, 2, 3].map((action) => (action === (actions[cell] ?? otherwise) ? 1 : 0)),
  );
  const map = create(PolicyMapSchema, {
    kind: ScoreKind.LOGIT,
    cells: OPEN,
    values,
    stateValues: OPEN.map((cell) => cell / 10),
  });
  return spreadPolicyMap(map, GRID.wall.length, GRID.goal);
}

describe("a decision", () => {
  test("has the contract's probabilities: Q-values in units of 0.01", () => {
    const q = actionProbabilities(ScoreKind.Q_VALUE, [0.01, 0, -0.01, 0.02]);
    const logits = actionProbabilities(ScoreKind.LOGIT, [1, 0, -1, 2]);
    q.forEach((p, action) => {
      expect(p).toBeCloseTo(logits[action] ?? Number.NaN, 12);
    });
    const warm = actionProbabilities(ScoreKind.LOGIT, [1, 0, -1, 2], 2);
    const half = actionProbabilities(ScoreKind.LOGIT, [0.5, 0, -0.5, 1]);
    expect(warm).toEqual(half);
    expect(actionProbabilities(ScoreKind.Q_VALUE, [900, -900, 0, 0], 0.01)).toEqual([1, 0, 0, 0]);
  });

  test("has its entropy in bits: none when sure, two when all actions are equal", () => {
    const equal = decide({ kind: ScoreKind.LOGIT, values: [3, 3, 3, 3], stateValue: 0.5 });
    expect(equal).toMatchObject({ best: 0, stateValue: 0.5 });
    expect(equal.entropyBits).toBeCloseTo(2, 12);
    const sure = decide({ kind: ScoreKind.LOGIT, values: [0, 800, 0, 0], stateValue: 0 });
    expect(sure).toMatchObject({ best: 1, entropyBits: 0 });
  });

  test("on a cell of a policy map is that of its scores, and none on a wall", () => {
    const map = policy({}, 3);
    expect(decideAt(map, 0)).toMatchObject({ best: 3, values: [0, 0, 0, 1], stateValue: 0 });
    expect(decideAt(map, 8)?.stateValue).toBeCloseTo(0.8);
    expect(decideAt(map, 4)).toBeUndefined();
  });
});

describe("the difference of two policies", () => {
  test("names the cells where they choose differently and who is right", () => {
    // Both ways around the block are as short, so right and down are both right at the start.
    const a = policy({ 0: 3, 1: 3, 2: 1, 3: 0, 5: 0, 6: 3, 7: 2 }, 3);
    const b = policy({ 0: 1, 1: 3, 2: 0, 3: 1, 5: 2, 6: 3, 7: 3, 8: 0 }, 3);
    const difference = policyDifference(a, b, GRID);
    expect(difference.cells).toEqual([
      { cell: 0, a: 3, b: 1, right: "both" },
      { cell: 2, a: 1, b: 0, right: "a" },
      { cell: 3, a: 0, b: 1, right: "b" },
      { cell: 5, a: 0, b: 2, right: "neither" },
      { cell: 7, a: 2, b: 3, right: "b" },
    ]);
    expect(difference).toMatchObject({ compared: 7, counts: { a: 1, b: 2, both: 1, neither: 1 } });
    expect(difference.optimalShareA).toBeCloseTo(4 / 7);
    expect(difference.optimalShareB).toBeCloseTo(5 / 7);
  });

  test("of a policy and itself is none, and without cells there are no shares", () => {
    expect(policyDifference(policy({}, 1), policy({}, 1), GRID)).toMatchObject({ cells: [], compared: 7 });
    const none = { bestActions: new Int8Array(9).fill(-1) };
    expect(policyDifference(none, none, GRID).optimalShareA).toBeNaN();
  });
});
