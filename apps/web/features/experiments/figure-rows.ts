import type { Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { latest, type MetricKey, metricWords, wordsOf } from "./run-words";

/** One figure over several runs. */
export interface FigureRow {
  readonly key: string;
  /** By run, in the order of the runs; undefined where a run has no such figure. */
  readonly values: readonly (number | undefined)[];
  /** The best of at least two values; undefined where nobody is better than the others. */
  readonly best: number | undefined;
}

/** The latest figures of some runs: those of the trainer in its order, then others by name. */
export function figureRows(runs: readonly Run[]): FigureRow[] {
  const known = Object.keys(metricWords) as MetricKey[];
  const present = new Set(runs.flatMap(({ metrics }) => metrics.map(({ key }) => key)));
  const others = [...present].filter((key) => !(key in metricWords)).sort();
  return [...known.filter((key) => present.has(key)), ...others].map((key) => {
    const values = runs.map((run) => latest(run, key));
    const numbers = values.filter((value) => value !== undefined);
    const best = wordsOf(key).better === "more" ? Math.max(...numbers) : Math.min(...numbers);
    const differ = numbers.some((value) => value !== numbers[0]);
    return { key, values, best: key in metricWords && differ ? best : undefined };
  });
}
