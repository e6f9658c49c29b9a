import { describe, expect, test } from "vitest";
import { type LaneCurve, raceColumns } from "./race-series";

/** A lane that comes one step nearer with each of its steps. */
function lane(liveStep: number, from: number): LaneCurve {
  return {
    liveStep,
    cumulativeRewards: Float64Array.from({ length: liveStep }, (_, at) => -(at + 1) / 100),
    regretAt: (step) => ({ distance: from - step }),
  };
}

describe("the curves of a race", () => {
  test("share one axis of steps, and end where their lane ended", () => {
    expect(raceColumns([lane(2, 5), lane(4, 9)], "distance")).toEqual([
      [0, 1, 2, 3, 4],
      [5, 4, 3, null, null],
      [9, 8, 7, 6, 5],
    ]);
  });

  test("show the reward from nothing at the start", () => {
    expect(raceColumns([lane(2, 5)], "reward")).toEqual([
      [0, 1, 2],
      [0, -0.01, -0.02],
    ]);
  });

  test("are thinned when they are long, and keep the last point of each lane", () => {
    const [steps, one = [], other = []] = raceColumns([lane(1_777, 2_000), lane(5_001, 6_000)], "distance");
    expect(steps.length).toBeLessThan(520);
    expect(one[steps.indexOf(1_777)]).toBe(223);
    expect(other[steps.indexOf(5_001)]).toBe(999);
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
  });

  test("have no value where none is known", () => {
    const blind: LaneCurve = { ...lane(1, 5), regretAt: () => ({ distance: Number.NaN }) };
    expect(raceColumns([blind], "distance")).toEqual([
      [0, 1],
      [null, null],
    ]);
    expect(raceColumns([], "distance")).toEqual([[0]]);
  });
});
