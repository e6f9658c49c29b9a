import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ScoreKind, type Step, StepSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { type EpisodeStarted, EpisodeStartedSchema } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import fc from "fast-check";
import { createEpisodePlayback, type EpisodePlayback } from "../src/episode-playback";
import { mazeGrid } from "../src/maze-grid";
import { neighbour } from "../src/moves";

/** `started` of an episode in a drawn maze. */
export function startedIn(rows: readonly string[], firstStep = 1, episodeId = "one"): EpisodeStarted {
  return create(EpisodeStartedSchema, {
    episodeId,
    firstStep,
    maxSteps: 2 * rows.length * (rows[0]?.length ?? 0),
    seed: 7n,
    observation: "memory/1",
    scoreKind: ScoreKind.LOGIT,
    policy: { policy: { case: "modelId", value: "ppo-memory-1" } },
    maze: { mazeId: "m", rows: [...rows] },
  });
}

/** Plays actions (0–3) by the law: a wall or the border keeps the agent where it is. Goes on beyond the goal, which a server never does. */
export function playIn(rows: readonly string[], actions: readonly number[], serverTime = 1000): Step[] {
  const grid = mazeGrid({ mazeId: "m", rows: [...rows], shortestPath: 0 });
  let cell = grid.start;
  let bumps = 0;
  return actions.map((action, at) => {
    const next = neighbour(grid, cell, action);
    const hitWall = next < 0 || grid.wall[next] === 1;
    if (hitWall) bumps += 1;
    else cell = next;
    const reachedGoal = !hitWall && cell === grid.goal;
    return create(StepSchema, {
      index: at + 1,
      action: action + 1,
      position: { row: Math.floor(cell / grid.cols), col: cell % grid.cols },
      hitWall,
      reachedGoal,
      reward: (reachedGoal ? 99 : hitWall ? -6 : -1) / 100,
      cumulativeReward: (-(at + 1) - 5 * bumps) / 100,
      serverTs: timestampFromMs(serverTime + at),
      scores: { kind: ScoreKind.LOGIT, values: [0, 1, 2, 3], probabilities: [0.25, 0.25, 0.25, 0.25], stateValue: 0.5 },
    });
  });
}

/** A playback that holds these actions. */
export function playbackOf(rows: readonly string[], actions: readonly number[]): EpisodePlayback {
  const playback = createEpisodePlayback();
  playback.onStarted(startedIn(rows));
  playback.onSteps(playIn(rows, actions), 2000);
  return playback;
}

/** Mazes of up to 9 × 9 with any walls; the goal may be cut off. */
export const anyMaze: fc.Arbitrary<string[]> = fc
  .tuple(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 9 }))
  .chain(([rows, cols]) =>
    fc.record({
      rows: fc.constant(rows),
      cols: fc.constant(cols),
      walls: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: rows * cols, maxLength: rows * cols }),
      start: fc.nat(rows * cols - 1),
      goal: fc.nat(rows * cols - 2),
    }),
  )
  .map(({ rows, cols, walls, start, goal }) => {
    const goalCell = goal >= start ? goal + 1 : goal;
    return Array.from({ length: rows }, (_, row) =>
      Array.from({ length: cols }, (_, col) => {
        const cell = row * cols + col;
        if (cell === start) return "S";
        if (cell === goalCell) return "G";
        return (walls[cell] ?? 0) < 4 ? "#" : ".";
      }).join(""),
    );
  });

/** Actions 0–3. */
export function anyActions(maxLength: number): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength, size: "max" });
}
