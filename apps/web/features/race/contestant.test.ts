import { create } from "@bufbuild/protobuf";
import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { Algorithm, ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { describe, expect, test } from "vitest";
import { baselines } from "@/lib/baselines";
import { baselineSlugs, type MomentLane } from "@/lib/moment-link";
import {
  contestantKey,
  contestantKind,
  contestantName,
  defaultLanes,
  MOST_LANES,
  nextContestant,
  parsePolicy,
  policyKey,
  problemOf,
} from "./contestant";

const made = (modelId: string, algorithm: Algorithm, active = false, state = ModelState.READY) =>
  create(ModelSchema, { modelId, title: `The ${modelId}`, algorithm, active, state, observation: "memory/1" });
const models = [
  made("dqn-memory-1", Algorithm.DQN),
  made("ppo-memory-1", Algorithm.PPO, true),
  made("ppo-trail-early-1", Algorithm.PPO),
  made("ppo-trail-2", Algorithm.PPO, false, ModelState.BROKEN),
];
const ids = (lanes: readonly MomentLane[]) => lanes.map(({ policy }) => policyKey(policy));

describe("the default race", () => {
  test("is the active model, an early one, a DQN, and the nearest frontier", () => {
    expect(ids(defaultLanes(models))).toEqual([
      "ppo-memory-1",
      "ppo-trail-early-1",
      "dqn-memory-1",
      "baseline_nearest-frontier",
    ]);
  });

  test("fills up with baselines where models are missing, and leaves broken ones out", () => {
    expect(ids(defaultLanes([made("ppo-trail-2", Algorithm.PPO, true, ModelState.BROKEN)]))).toEqual([
      "baseline_nearest-frontier",
      "baseline_memory-heuristic",
      "baseline_wall-follower",
      "baseline_least-recently-visited",
    ]);
    expect(defaultLanes(models)).toHaveLength(MOST_LANES);
  });
});

describe("the next contestant", () => {
  test("is somebody who does not run yet", () => {
    const lanes: MomentLane[] = [];
    for (let lane = 0; lane < models.length - 1 + baselines.length; lane++) lanes.push(nextContestant(lanes, models));
    expect(new Set(lanes.map(contestantKey)).size).toBe(lanes.length);
    expect(ids(lanes)).not.toContain("ppo-trail-2");
    expect(ids(lanes)[3]).toBe("baseline_shortest-path");
  });
});

describe("a contestant", () => {
  test("is read back from its key, for every model and baseline", () => {
    for (const { baseline } of baselines) expect(parsePolicy(policyKey({ baseline }))).toEqual({ baseline });
    expect(baselines).toHaveLength(baselineSlugs.size);
    expect(parsePolicy("ppo-memory-1")).toEqual({ modelId: "ppo-memory-1" });
    for (const wrong of ["", "baseline_", "baseline_nobody", "Model A", "-x", "a".repeat(129)]) {
      expect(parsePolicy(wrong)).toBeUndefined();
    }
  });

  test("has a name and a kind", () => {
    const model: MomentLane = { policy: { modelId: "dqn-memory-1" }, sampling: "greedy" };
    const baseline: MomentLane = { policy: { baseline: Baseline.RANDOM }, sampling: "greedy" };
    const unknown: MomentLane = { policy: { modelId: "gone-1" }, sampling: "greedy" };
    expect([model, baseline, unknown].map((lane) => contestantName(lane, models))).toEqual([
      "The dqn-memory-1",
      "Random",
      "gone-1",
    ]);
    expect([model, baseline, unknown].map((lane) => contestantKind(lane, models))).toEqual([
      "DQN",
      "Baseline",
      "Model",
    ]);
  });

  test("tells why it cannot run", () => {
    const lane = (modelId: string): MomentLane => ({ policy: { modelId }, sampling: "greedy" });
    expect(problemOf(lane("dqn-memory-1"), models)).toBeUndefined();
    expect(problemOf(lane("gone-1"), models)).toBe("gone-1 is not on this server");
    expect(problemOf(lane("ppo-trail-2"), models)).toBe("ppo-trail-2 is broken on this server");
    expect(problemOf({ policy: { baseline: Baseline.RANDOM }, sampling: "greedy" }, [])).toBeUndefined();
  });

  test("is another one with another sampling, unless it is a baseline", () => {
    const hot = { temperature: 2 };
    expect(contestantKey({ policy: { modelId: "a" }, sampling: hot })).not.toBe(
      contestantKey({ policy: { modelId: "a" }, sampling: "greedy" }),
    );
    expect(contestantKey({ policy: { baseline: Baseline.RANDOM }, sampling: hot })).toBe(
      contestantKey({ policy: { baseline: Baseline.RANDOM }, sampling: "greedy" }),
    );
  });
});
