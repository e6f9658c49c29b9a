import type { RaceMeasure } from "./race-settings";

/** What the chart reads of a lane: a `RacePlayback`'s lanes have it. */
export interface LaneCurve {
  readonly liveStep: number;
  readonly cumulativeRewards: Float64Array;
  regretAt(step: number): { readonly distance: number };
}

/** Columns as uPlot takes them: steps, then one column a lane; null where a lane has no value. */
export type RaceColumns = [number[], ...(number | null)[][]];

/** Points of one line that a screen can show; longer races are thinned to about this. */
const MAX_POINTS = 500;

/** What a lane measures after a step, 0 to its last one. */
export function measureAt(lane: LaneCurve, measure: RaceMeasure, step: number): number {
  if (measure === "distance") return lane.regretAt(step).distance;
  return step === 0 ? 0 : (lane.cumulativeRewards[step - 1] ?? 0);
}

/** Puts the curves of all lanes on one axis of steps from 0. Long ones are thinned evenly; the last point of each lane is always kept. */
export function raceColumns(lanes: readonly LaneCurve[], measure: RaceMeasure): RaceColumns {
  const longest = lanes.reduce((most, lane) => Math.max(most, lane.liveStep), 0);
  const stride = Math.max(1, Math.ceil(longest / MAX_POINTS));
  const wanted = new Set<number>(lanes.map((lane) => lane.liveStep));
  for (let step = 0; step <= longest; step += stride) wanted.add(step);
  const steps = [...wanted].sort((one, other) => one - other);
  const columns = lanes.map((lane) =>
    steps.map((step) => {
      if (step > lane.liveStep) return null;
      const value = measureAt(lane, measure, step);
      return Number.isFinite(value) ? value : null;
    }),
  );
  return [steps, ...columns];
}
