import { create } from "@bufbuild/protobuf";
import { Outcome, type Step, StepSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  type EpisodeFinished,
  EpisodeFinishedSchema,
  type EpisodeStarted,
  EpisodeStartedSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { ProbeEpisode } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { mazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { neighbour } from "@rlmaze/episode-playback/moves";

/** A probe episode as the messages of an episode, so that whatever shows episodes shows it. */
export interface ProbeMessages {
  readonly started: EpisodeStarted;
  readonly steps: readonly Step[];
  readonly finished: EpisodeFinished;
}

const STEP_REWARD = -0.01;
const BUMP_REWARD = -0.05;
const GOAL_REWARD = 1;

/** Walks the actions of a probe through its maze. `id` tells the probes of a run apart. */
export function probeMessages(id: string, maze: Maze, probe: ProbeEpisode): ProbeMessages {
  const grid = mazeGrid(maze);
  let cell = grid.start;
  let bumps = 0;
  let cumulativeReward = 0;
  const steps = Array.from(probe.actions, (action, at) => {
    const to = neighbour(grid, cell, action);
    const hitWall = to < 0 || grid.wall[to] === 1;
    if (!hitWall) cell = to;
    const reachedGoal = cell === grid.goal;
    const reward = STEP_REWARD + (hitWall ? BUMP_REWARD : 0) + (reachedGoal ? GOAL_REWARD : 0);
    if (hitWall) bumps += 1;
    // From counters, as the rules have it: what is added up drifts.
    cumulativeReward = ((reachedGoal ? 100 : 0) - (at + 1) - 5 * bumps) / 100;
    return create(StepSchema, {
      index: at + 1,
      position: { row: Math.floor(cell / grid.cols), col: cell % grid.cols },
      action: action + 1,
      hitWall,
      reachedGoal,
      reward,
      cumulativeReward,
    });
  });
  return {
    started: create(EpisodeStartedSchema, { episodeId: id, maze, firstStep: 1, maxSteps: maze.maxSteps }),
    steps,
    finished: create(EpisodeFinishedSchema, {
      outcome: probe.reachedGoal ? Outcome.REACHED_GOAL : Outcome.STEP_LIMIT,
      steps: steps.length,
      bumps,
      totalReward: cumulativeReward,
      spl: probe.reachedGoal ? maze.shortestPath / Math.max(maze.shortestPath, steps.length, 1) : 0,
    }),
  };
}
