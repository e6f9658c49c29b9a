import type { Exploration } from "./exploration";
import type { MazeGrid } from "./maze-grid";
import { viewCells } from "./moves";

/** The three ways to describe what an agent sees (§5 of ml/conformance/README.md). */
export type ObservationVersion = "plain/1" | "trail/1" | "memory/1";

/** Number of values: the 5 × 5 view row by row, the agent in the middle (index 12). */
export const OBSERVATION_LENGTH = 25;

/** Age from which on a visited cell looks the same. */
const OLDEST_AGE = 10_000;

/** What an observation is made of; an `EpisodePlayback` is one. */
export interface EpisodeHistory {
  /** Cell of the agent after a step; 0 is the start. */
  positionAt(step: number): number;
  /** Step of the last visit of a cell not after a step; −1 for never. */
  lastVisitAt(cell: number, step: number): number;
  readonly exploration: Exploration;
}

let trailAges: Float32Array | undefined;

/**
 * Value of a cell on which the agent stood so many steps ago: −0.8 now, −0.2 after 10,000 steps. The law has a table of these numbers
 * so that no two languages round differently. Computing them saves the page those 40 KB; a test proves that the table comes out bit for bit,
 * with room to spare for a `Math.log` that is 16 units in the last place off.
 */
export function trailAge(age: number): number {
  trailAges ??= Float32Array.from(
    { length: OLDEST_AGE + 1 },
    (_, at) => -0.8 + (0.6 * Math.log(1 + at)) / Math.log(OLDEST_AGE + 1),
  );
  return trailAges[Math.min(age, OLDEST_AGE)] ?? 0;
}

/** Whether a text names an observation version that this page knows. */
export function isObservationVersion(text: string): text is ObservationVersion {
  return text === "plain/1" || text === "trail/1" || text === "memory/1";
}

/**
 * What the agent sees after a step: 25 float32, the very numbers that the network gets. With `agent` it is what it would see if it stood
 * there now, as in a policy map: that cell counts as just visited, every other one keeps its age, and what was seen is unchanged.
 */
export function observe(
  version: ObservationVersion,
  grid: MazeGrid,
  history: EpisodeHistory,
  step: number,
  agent: number = history.positionAt(step),
): Float32Array {
  const values = new Float32Array(OBSERVATION_LENGTH);
  const isDead = version === "memory/1" ? history.exploration.deadAt(step, agent) : undefined;
  viewCells(grid, agent).forEach((cell, at) => {
    if (cell < 0 || grid.wall[cell] === 1) values[at] = -1;
    else if (cell === grid.goal) values[at] = 1;
    else if (isDead?.(cell)) values[at] = -1;
    else if (version !== "plain/1") {
      const last = cell === agent ? step : history.lastVisitAt(cell, step);
      if (last >= 0) values[at] = trailAge(step - last);
    }
  });
  return values;
}
