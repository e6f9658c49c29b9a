import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { expect, it } from "vitest";
import type { Moment } from "@/lib/moment-link";
import { fileName, momentLine } from "./share-subject";

const watched: Moment = {
  mode: "watch",
  lanes: [{ policy: { modelId: "ppo-memory-1" }, sampling: { temperature: 0.5 } }],
  maze: { mazeId: "heldout-0007" },
  seed: 7n,
  step: 42,
};

it("names files by what they show", () => {
  expect(fileName(watched, "png")).toBe("heldout-0007_ppo-memory-1-T-0.5_seed-7_step-42.png");
  expect(fileName(watched, "gif", 87)).toBe("heldout-0007_ppo-memory-1-T-0.5_seed-7_steps-0-87.gif");
  const race: Moment = {
    ...watched,
    mode: "race",
    lanes: [...watched.lanes, { policy: { baseline: Baseline.WALL_FOLLOWER }, sampling: "greedy" }],
  };
  expect(fileName(race, "png")).toBe("heldout-0007_race_ppo-memory-1-T-0.5_wall-follower_seed-7_step-42.png");
  const drawing: Moment = {
    ...watched,
    mode: "draw",
    lanes: [],
    maze: { rows: ["S....", ".....", ".....", ".....", "....G"] },
  };
  expect(fileName(drawing, "png")).toBe("drawn-5x5.png");
});

it("keeps names short enough for every file system, with their ending", () => {
  const long: Moment = {
    ...watched,
    mode: "race",
    lanes: Array.from({ length: 4 }, () => ({ policy: { modelId: "x".repeat(128) }, sampling: "greedy" as const })),
  };
  expect(fileName(long, "gif").length).toBeLessThanOrEqual(124);
  expect(fileName(long, "gif")).toMatch(/\.gif$/);
});

it("says in one line what is shown", () => {
  expect(momentLine(watched)).toBe("ppo-memory-1 T=0.5 in heldout-0007, seed 7, step 42");
});
