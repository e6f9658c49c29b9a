import { describe, expect, test } from "vitest";
import { finishOrder, placeText, raceSentence, type Standing } from "./standings";

const names = ["PPO", "Early", "DQN", "Frontier"];
const goal = (lane: number, place: number, steps: number): Standing => ({
  lane,
  place,
  steps,
  toGoal: 0,
  ended: true,
  reachedGoal: true,
});
const lost = (lane: number, place: number, toGoal: number): Standing => ({
  lane,
  place,
  steps: 200,
  toGoal,
  ended: true,
  reachedGoal: false,
});

describe("the sentence of a race", () => {
  test("names the winner, the gap to the shortest path, the next one and who is lost", () => {
    expect(raceSentence([goal(0, 1, 38), lost(1, 4, 44), goal(2, 2, 42), goal(3, 3, 52)], names, 32)).toBe(
      "PPO wins in 38 steps, 6 steps over the shortest path; DQN is next, 4 steps later; Early does not arrive.",
    );
  });

  test("lets equals win together and knows the shortest path itself", () => {
    expect(raceSentence([goal(0, 1, 32), lost(1, 4, 3), goal(2, 1, 32), lost(3, 3, 2)], names, 32)).toBe(
      "PPO and DQN finish together in 32 steps, on the shortest path; Frontier and Early do not arrive.",
    );
  });

  test("lets equals be next together", () => {
    expect(raceSentence([goal(0, 2, 52), goal(1, 1, 32), goal(3, 2, 52)], names, 32)).toBe(
      "Early wins in 32 steps, on the shortest path; PPO and Frontier are next, 20 steps later.",
    );
  });

  test("counts a single step as one", () => {
    expect(raceSentence([goal(0, 1, 33), goal(1, 2, 34)], names, 32)).toBe(
      "PPO wins in 33 steps, 1 step over the shortest path; Early is next, 1 step later.",
    );
  });

  test("says who came nearest when nobody arrived", () => {
    expect(raceSentence([lost(0, 2, 9), lost(1, 1, 4)], names, 32)).toBe(
      "Nobody arrived within 200 steps; Early came nearest, 4 steps from the goal.",
    );
  });

  test("speaks of a single lane without a race", () => {
    expect(raceSentence([goal(0, 1, 40)], names, 32)).toBe("PPO arrives in 40 steps, 8 steps over the shortest path.");
    expect(raceSentence([lost(0, 1, 7)], names, 32)).toBe("PPO did not arrive within 200 steps.");
  });

  test("is empty without lanes", () => {
    expect(raceSentence([], names, 32)).toBe("");
  });
});

describe("places", () => {
  test("are in words, with an equals sign for those that share one", () => {
    const lanes = [goal(0, 1, 30), goal(1, 2, 31), goal(2, 2, 31), lost(3, 4, 1)];
    expect(lanes.map((lane) => placeText(lane.place, lanes))).toEqual(["1st", "=2nd", "=2nd", "4th"]);
  });

  test("order the lanes, and equals by their number", () => {
    expect(
      finishOrder([lost(0, 4, 2), goal(1, 2, 31), goal(2, 1, 30), goal(3, 2, 31)]).map(({ lane }) => lane),
    ).toEqual([2, 1, 3, 0]);
  });
});
