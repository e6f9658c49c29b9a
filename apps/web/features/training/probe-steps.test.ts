import { create } from "@bufbuild/protobuf";
import { Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { MazeSchema } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { ProbeEpisodeSchema } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { createEpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { expect, test } from "vitest";
import { probeMessages } from "./probe-steps";

const maze = create(MazeSchema, { mazeId: "a", rows: ["S.#", "#.G", "###"], shortestPath: 3, maxSteps: 18 });

test("a probe is walked as the rules have it: bumps stay, the goal ends it", () => {
  const probe = create(ProbeEpisodeSchema, {
    mazeId: "a",
    actions: new Uint8Array([0, 3, 3, 1, 3]),
    reachedGoal: true,
  });
  const { started, steps, finished } = probeMessages("1", maze, probe);
  expect(steps.map(({ position, hitWall }) => [position?.row, position?.col, hitWall])).toEqual([
    [0, 0, true],
    [0, 1, false],
    [0, 1, true],
    [1, 1, false],
    [1, 2, false],
  ]);
  expect(finished).toMatchObject({ outcome: Outcome.REACHED_GOAL, steps: 5, bumps: 2, spl: 0.6 });
  expect(finished.totalReward).toBeCloseTo(1 - 0.05 - 0.1);

  const playback = createEpisodePlayback();
  playback.showMaze(maze);
  playback.onStarted(started);
  playback.onSteps(steps, 0);
  playback.onFinished(finished);
  expect(playback.getSnapshot()).toMatchObject({ phase: "finished", liveStep: 5, shownStep: 5 });
  playback.dispose();
});
