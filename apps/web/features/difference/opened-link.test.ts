import { create } from "@bufbuild/protobuf";
import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { Algorithm, ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { describe, expect, test } from "vitest";
import { encodeMoment, type Moment } from "@/lib/moment-link";
import { contendersOf } from "./contenders";
import { defaultDifferenceSettings, parseDifferenceSettings } from "./difference-settings";
import { openedLink, settingsWith } from "./opened-link";

const moment: Moment = {
  mode: "difference",
  lanes: [
    { policy: { modelId: "ppo-memory-1" }, sampling: { temperature: 0.5 } },
    { policy: { modelId: "dqn-memory-1" }, sampling: "greedy" },
  ],
  maze: { mazeId: "heldout-0007" },
  seed: 11n,
  step: 30,
};

describe("the link to a difference", () => {
  test("takes the place of what was kept, but not of how it is looked at", () => {
    const link = openedLink(`?${encodeMoment(moment)}`);
    expect(link.moment).toEqual(moment);
    expect(settingsWith('{"trail": false, "a": "other-1"}', link)).toEqual({
      ...defaultDifferenceSettings,
      a: "ppo-memory-1",
      b: "dqn-memory-1",
      mazeId: "heldout-0007",
      seed: "11",
      sampling: { temperature: 0.5 },
      trail: false,
    });
  });

  test("that names a baseline is explained kindly", () => {
    const against = { policy: { baseline: Baseline.WALL_FOLLOWER }, sampling: "greedy" } as const;
    const link = openedLink(`?${encodeMoment({ ...moment, lanes: [...moment.lanes.slice(0, 1), against] })}`);
    expect(link.problem).toMatchObject({ kind: "baseline" });
    expect(link.problem?.text).toContain("no scores");
  });

  test("of another view, or broken, is a problem in one sentence", () => {
    expect(openedLink(`?${encodeMoment({ ...moment, mode: "race" })}`).problem?.text).toContain("another view");
    expect(openedLink("?mode=difference&model=a&v=1").problem?.kind).toBe("unreadable");
    expect(openedLink("?other=1")).toEqual({});
  });
});

describe("what a browser keeps of a comparison", () => {
  test("is read back as it was", () => {
    const settings = { ...defaultDifferenceSettings, a: "x-1", b: "y-1", seed: "4", sampling: { temperature: 2 } };
    expect(parseDifferenceSettings(JSON.stringify(settings))).toEqual(settings);
  });

  test.each([
    null,
    "{",
    "[]",
    '{"a": 5, "b": "NO", "mazeId": "-", "setId": "", "seed": "x", "sampling": 3, "trail": 0}',
  ])("falls back to the defaults for %s", (text) => {
    expect(parseDifferenceSettings(text)).toEqual(defaultDifferenceSettings);
  });
});

describe("the two that are compared", () => {
  const made = (modelId: string, algorithm: Algorithm, active = false, state = ModelState.READY) =>
    create(ModelSchema, { modelId, algorithm, active, state, observation: "memory/1" });
  const models = [
    made("dqn-memory-1", Algorithm.DQN),
    made("ppo-memory-1", Algorithm.PPO, true),
    made("ppo-trail-1", Algorithm.PPO),
    made("broken-1", Algorithm.PPO, false, ModelState.BROKEN),
  ];
  const pair = (settings: { a: string; b: string }, list = models) => {
    const found = contendersOf(settings, list);
    return found && [found.a.modelId, found.b.modelId];
  };

  test("are the active model and one of another algorithm, when nobody chose", () => {
    expect(pair({ a: "", b: "" })).toEqual(["ppo-memory-1", "dqn-memory-1"]);
    expect(pair({ a: "dqn-memory-1", b: "" })).toEqual(["dqn-memory-1", "ppo-memory-1"]);
  });

  test("are those that were chosen, also twice the same", () => {
    expect(pair({ a: "ppo-trail-1", b: "ppo-trail-1" })).toEqual(["ppo-trail-1", "ppo-trail-1"]);
  });

  test("are never broken or gone, and never fewer than two", () => {
    expect(pair({ a: "broken-1", b: "gone-1" })).toEqual(["ppo-memory-1", "dqn-memory-1"]);
    expect(pair({ a: "", b: "" }, models.slice(1, 2))).toBeUndefined();
    expect(pair({ a: "", b: "" }, [])).toBeUndefined();
  });
});
