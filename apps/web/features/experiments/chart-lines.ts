import type { MetricHistory, Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import type { Curve } from "@/components/curve-chart/curve";
import { smoothed } from "@/components/curve-chart/smoothing";
import { meanBand } from "./band";
import type { Comparison } from "./compare-address";
import { curveOf, type MetricCurve } from "./metric-curve";
import { groupBySeed } from "./run-params";

/** How a run is told apart from the others: by its number, by its colour, and from the fifth on by dashes. */
export interface RunLook {
  /** 1–8, its place in the comparison. */
  readonly number: number;
  /** Token of the colour. */
  readonly color: `--curve-${number}`;
  readonly dash: readonly number[] | undefined;
}

/** The look of the run at a place of the comparison, counted from 0. */
export function runLook(place: number): RunLook {
  return { number: place + 1, color: `--curve-${place + 1}`, dash: place < 4 ? undefined : [6, 4] };
}

/** Runs that one line of a chart stands for. */
export interface RunGroup {
  /** Id of its first run: unique in the comparison. */
  readonly id: string;
  readonly name: string;
  readonly runs: readonly Run[];
  readonly look: RunLook;
}

/** The lines of a comparison: each run by itself, or those that differ in their seed only together. */
export function runGroups(runs: readonly Run[], bySeed: boolean): RunGroup[] {
  const groups = bySeed ? groupBySeed(runs, ({ params }) => params) : runs.map((run) => [run]);
  return groups.map((members) => {
    const first = members[0] as Run;
    const place = runs.indexOf(first);
    return {
      id: first.runId,
      name: members.length === 1 ? first.name : `${first.params.name ?? first.name}, ${members.length} seeds`,
      runs: members,
      look: runLook(place),
    };
  });
}

/** A sparse curve shows its points: they are checkpoints, and each of them was played. */
const MOST_MARKS = 40;

/** The lines of one chart. Hidden runs are left out, of a group too; a run without the figure has no line. */
export function chartLines(
  groups: readonly RunGroup[],
  histories: readonly MetricHistory[],
  key: string,
  comparison: Pick<Comparison, "along" | "smoothing" | "spread" | "hidden">,
): Curve[] {
  const { along, smoothing, spread, hidden } = comparison;
  const sparse = key.startsWith("validation_");
  return groups.flatMap(({ id, name, runs, look }): Curve[] => {
    const curves = runs
      .filter(({ runId }) => !hidden.includes(runId))
      .flatMap(({ runId }) => {
        const history = histories.find((one) => one.runId === runId && one.key === key);
        const curve = history === undefined ? undefined : curveOf(history, along);
        return curve === undefined || curve.xs.length === 0 ? [] : [curve];
      });
    const [only] = curves;
    if (only === undefined) return [];
    const line = {
      name,
      color: look.color,
      ...(look.dash === undefined ? {} : { dash: look.dash }),
    };
    if (curves.length > 1) {
      const band = meanBand(
        curves.map((curve) => smooth(curve, smoothing)),
        spread,
      );
      return [{ ...line, id, ...band }];
    }
    const marks =
      sparse && only.xs.length <= MOST_MARKS
        ? { marks: only.xs.map((x, at) => ({ x, y: only.ys[at] as number })) }
        : {};
    if (smoothing === 0) return [{ ...line, ...marks, id, ...only }];
    return [
      { ...line, id: `${id} raw`, ...only, faint: true },
      { ...line, ...marks, id, ...smooth(only, smoothing) },
    ];
  });
}

function smooth({ xs, ys }: MetricCurve, share: number): MetricCurve {
  // Every value of a metric curve is finite, and smoothing keeps it so.
  return { xs, ys: Array.from(smoothed(xs, ys, share), (value, at) => value ?? (ys[at] as number)) };
}
