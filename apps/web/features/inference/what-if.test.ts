import { trailAge } from "@rlmaze/episode-playback/observation";
import { describe, expect, test } from "vitest";
import { flipped, freshnessOf, inputChoices, nextInput, noFlips, windowInputs, withFlips } from "./what-if";

describe("an input that is clicked", () => {
  test("goes through everything that it could be, and never to what it is", () => {
    const choices = inputChoices("memory/1");
    const seen: number[] = [];
    let value = 0;
    for (let click = 0; click < 4; click++) {
      value = nextInput(choices, value, 0);
      seen.push(value);
    }
    expect(seen).toEqual([trailAge(1), trailAge(10_000), 1, -1]);
  });

  test("turns a wall into an opening first", () => expect(nextInput(inputChoices("trail/1"), -1, -1)).toBe(0));

  test("knows no visits where the model sees none", () => {
    expect(inputChoices("plain/1").map(({ value }) => value)).toEqual([-1, 0, 1]);
    expect(nextInput(inputChoices("plain/1"), 1, 1)).toBe(-1);
  });
});

describe("the changes of an observation", () => {
  const observation = Float32Array.from({ length: 25 }, (_, at) => (at === 0 ? -1 : 0));

  test("are taken back by the real number", () => {
    const once = flipped(noFlips, 0, 0, -1);
    expect([...once]).toEqual([[0, 0]]);
    expect(flipped(once, 0, -1, -1).size).toBe(0);
    expect(noFlips.size).toBe(0);
  });

  test("stand in what the network is asked, and nothing else does", () => {
    const asked = withFlips(observation, flipped(noFlips, 24, 1, 0));
    expect(asked[24]).toBe(1);
    expect(asked.slice(0, 24)).toEqual(Array.from(observation.slice(0, 24)));
  });
});

describe("the window", () => {
  const observation = new Float32Array(25);
  observation[0] = -1;
  observation[1] = -1;
  observation[2] = 1;
  observation[12] = -0.8;

  test("draws what the network reads, and tells a known dead end from a wall", () => {
    const kinds = windowInputs(observation, noFlips, (at) => at === 1).map(({ kind }) => kind);
    expect([kinds[0], kinds[1], kinds[2], kinds[3], kinds[12]]).toEqual([
      "wall",
      "dead-end",
      "goal",
      "path",
      "visited",
    ]);
  });

  test("shows a change with the real number beside it", () => {
    const [first, second] = windowInputs(observation, new Map([[0, 0]]), (at) => at === 1);
    expect(first).toEqual({ at: 0, kind: "path", value: 0, original: -1 });
    expect(second?.kind).toBe("dead-end");
    expect(windowInputs(observation, new Map([[3, -1]]), () => true)[3]?.kind).toBe("wall");
  });

  test("fades a visit with its number", () => {
    expect([freshnessOf(-0.8), freshnessOf(-0.2), freshnessOf(0)]).toEqual([1, 0, 0]);
  });
});
