import { create } from "@bufbuild/protobuf";
import { type PolicyMap, PolicyMapSchema, type Step, StepSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { EpisodeStartedSchema } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { goalDistances, optimalActions } from "@rlmaze/episode-playback/distances";
import { createEpisodePlayback, type EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { neighbour } from "@rlmaze/episode-playback/moves";

/** Numbers of one seed, always the same (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rows of an open field with pillars, solvable at any size. */
export function pillars(size: number): string[] {
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, col) => {
      if (row === 0 && col === 0) return "S";
      if (row === size - 1 && col === size - 1) return "G";
      return row % 2 === 1 && col % 2 === 1 ? "#" : ".";
    }).join(""),
  );
}

/** A playback in which an episode has started. */
export function startedPlayback(rows: readonly string[], episodeId = "e"): EpisodePlayback {
  const playback = createEpisodePlayback();
  const maze = { mazeId: "m", rows: [...rows], shortestPath: 0, maxSteps: 20_000 };
  playback.onStarted(create(EpisodeStartedSchema, { episodeId, firstStep: 1, maxSteps: 20_000, maze }));
  return playback;
}

/** Walks on, at random or along a shortest path by the share of `noise`. */
export function walk(playback: EpisodePlayback, count: number, random: () => number, noise = 0.4): void {
  const { grid } = playback;
  if (!grid) return;
  let cell = playback.positionAt(playback.liveStep);
  const steps: Step[] = [];
  for (let at = 1; at <= count; at++) {
    const best = optimalActions(grid, cell)[0] ?? 0;
    const action = random() < noise ? Math.floor(random() * 4) : best;
    const next = neighbour(grid, cell, action);
    const hitWall = next < 0 || grid.wall[next] === 1;
    if (!hitWall) cell = next;
    const position = { row: Math.floor(cell / grid.cols), col: cell % grid.cols };
    steps.push(create(StepSchema, { index: playback.liveStep + at, action: action + 1, hitWall, position }));
  }
  playback.onSteps(steps, 0);
}

/** A map of opinions at random, nearly those of the shortest path. */
export function randomMap(playback: EpisodePlayback, random: () => number): PolicyMap {
  const { grid } = playback;
  const cells: number[] = [];
  const values: number[] = [];
  const stateValues: number[] = [];
  if (grid) {
    const distances = goalDistances(grid);
    for (let cell = 0; cell < grid.wall.length; cell++) {
      if (grid.wall[cell]) continue;
      const best = random() < 0.3 ? Math.floor(random() * 4) : (optimalActions(grid, cell)[0] ?? 0);
      cells.push(cell);
      for (let action = 0; action < 4; action++) values.push(action === best ? 1 : 0);
      stateValues.push(0.98 ** Math.max(0, distances[cell] ?? 0) + random() * 0.05);
    }
  }
  return create(PolicyMapSchema, { atStep: playback.shownStep, cells, values, stateValues });
}
