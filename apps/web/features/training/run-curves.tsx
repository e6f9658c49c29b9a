"use client";

import type { TrainingCheckpoint } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { memo, useMemo } from "react";
import type { Curve, CurveMark, CurveWords } from "@/components/curve-chart/curve";
import { CurveChart } from "@/components/curve-chart/curve-chart";
import { smoothed } from "@/components/curve-chart/smoothing";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Segmented } from "@/components/ui/segmented";
import { bytes, count, decimal, percent, shortCount, signed } from "@/lib/format";
import type { SeriesColumns } from "./bucket-series";
import type { Figure, RunSnapshot } from "./run-record";
import type { Smoothing } from "./training-settings";

/** How a figure is drawn and written. */
interface FigureLook {
  readonly title: string;
  /** What it is, for readers and for whoever rests on its title. */
  readonly line: string;
  readonly color: string;
  readonly words: CurveWords;
  readonly low?: number;
  readonly high?: number;
}

const steps = (x: number) => shortCount(Math.round(x));

const looks: Readonly<Record<Figure, FigureLook>> = {
  success: {
    title: "Success",
    line: "Share of training mazes solved while exploring; rings are checkpoints on validation mazes, with their 95 % interval",
    color: "--curve-1",
    words: { x: steps, y: (y) => percent(y, 0) },
    low: 0,
    high: 1,
  },
  reward: {
    title: "Reward",
    line: "Sum of the rewards of an episode",
    color: "--curve-4",
    words: { x: steps, y: (y) => signed(y, 2) },
  },
  length: {
    title: "Episode length",
    line: "Steps of an episode, to the goal or to the limit",
    color: "--curve-2",
    words: { x: steps, y: (y) => decimal(y, 0) },
    low: 0,
  },
  loss: {
    title: "Loss",
    line: "Loss of the latest update",
    color: "--curve-5",
    words: { x: steps, y: (y) => decimal(y, 3) },
  },
  speed: {
    title: "Steps a second",
    line: "Environment steps a second, updates included",
    color: "--curve-7",
    words: { x: steps, y: (y) => shortCount(Math.round(y)) },
    low: 0,
  },
  cpu: {
    title: "CPU",
    line: "Processor use of the run; 100 % is one core",
    color: "--curve-8",
    words: { x: steps, y: (y) => `${decimal(y, 0)}\u202f%` },
    low: 0,
  },
  memory: {
    title: "Memory",
    line: "Memory of the run's process",
    color: "--curve-8",
    words: { x: steps, y: (y) => bytes(Math.round(y)) },
    low: 0,
  },
};

const smoothingShares: Readonly<Record<Smoothing, number>> = { off: 0, some: 0.15, much: 0.6 };
const smoothings = [
  { value: "off", label: "Off", name: "No smoothing" },
  { value: "some", label: "Some", name: "Some smoothing" },
  { value: "much", label: "Much", name: "Much smoothing" },
] as const satisfies readonly { value: Smoothing; label: string; name: string }[];

type RunCurvesProps = {
  snapshot: RunSnapshot;
  smoothing: Smoothing;
  onSmoothing: (smoothing: Smoothing) => void;
  /** Checkpoint whose probe is shown. */
  chosen: TrainingCheckpoint | undefined;
  /** A place on a curve was clicked: the checkpoint nearest to it is meant. */
  onPick: (timesteps: number) => void;
};

/** What the run learns: success, reward, length and loss over its steps. */
export function LearningCurves({ snapshot, smoothing, onSmoothing, chosen, onPick }: RunCurvesProps) {
  const { curves, checkpoints, training } = snapshot;
  const marks = useMemo(() => checkpoints.map(markOf), [checkpoints]);
  const heldOut = training.heldOut;
  const moment = chosen === undefined ? undefined : Number(chosen.timesteps);
  const shared = { smoothing, total: Number(training.totalTimesteps), moment, onPick };
  const final = useMemo<CurveMark | undefined>(
    () =>
      heldOut === undefined
        ? undefined
        : {
            x: Number(training.totalTimesteps),
            y: heldOut.rate,
            low: heldOut.intervalLow,
            high: heldOut.intervalHigh,
          },
    [heldOut, training.totalTimesteps],
  );
  return (
    <Panel className="h-full" aria-label="Learning curves">
      <PanelHead className="max-md:py-1">
        <PanelTitle>Learning</PanelTitle>
        <div className="flex items-center gap-3">
          <p className="text-sub text-text-3 max-lg:hidden">
            <span className="figure text-text-2" data-testid="episode-count">
              {count(curves.reward.points)}
            </span>{" "}
            episodes
          </p>
          <Segmented
            label="Smoothing"
            value={smoothing}
            options={smoothings}
            onChange={onSmoothing}
            className="h-7 max-md:h-11"
          />
        </div>
      </PanelHead>
      <div className="grid min-h-0 flex-1 gap-px bg-line max-md:auto-rows-[200px] md:grid-cols-2 md:grid-rows-[repeat(2,minmax(150px,1fr))]">
        <FigureChart {...shared} figure="success" columns={curves.success} marks={marks} final={final} />
        <FigureChart {...shared} figure="reward" columns={curves.reward} />
        <FigureChart {...shared} figure="length" columns={curves.length} />
        <FigureChart {...shared} figure="loss" columns={curves.loss} />
      </div>
    </Panel>
  );
}

/** What the run needs: steps a second, processor and memory. */
export function ResourceCurves({ snapshot, smoothing }: Pick<RunCurvesProps, "snapshot" | "smoothing">) {
  const { curves, training } = snapshot;
  const shared = { smoothing, total: Number(training.totalTimesteps), moment: undefined };
  return (
    <Panel className="h-full" aria-label="Resources">
      <div className="grid min-h-0 flex-1 gap-px bg-line max-md:auto-rows-[160px] md:grid-cols-3">
        <FigureChart {...shared} figure="speed" columns={curves.speed} />
        <FigureChart {...shared} figure="cpu" columns={curves.cpu} />
        <FigureChart {...shared} figure="memory" columns={curves.memory} />
      </div>
    </Panel>
  );
}

function markOf({ timesteps, validation }: TrainingCheckpoint): CurveMark {
  return {
    x: Number(timesteps),
    y: validation?.rate ?? 0,
    ...(validation === undefined ? {} : { low: validation.intervalLow, high: validation.intervalHigh }),
  };
}

type FigureChartProps = {
  figure: Figure;
  columns: SeriesColumns;
  smoothing: Smoothing;
  /** Steps at the right end. */
  total: number;
  moment: number | undefined;
  onPick?: (timesteps: number) => void;
  marks?: readonly CurveMark[];
  final?: CurveMark | undefined;
};

const noMarks: readonly CurveMark[] = [];

/** One figure. It is drawn anew only when its own points, or what is marked on it, changed. */
const FigureChart = memo(function FigureChart(props: FigureChartProps) {
  const { figure, columns, smoothing, total, moment, onPick, marks = noMarks, final } = props;
  const look = looks[figure];
  const curves = useMemo(
    () => curvesOf(figure, look, columns, smoothing, marks, final),
    [figure, look, columns, smoothing, marks, final],
  );
  const last = lastValue(curves);
  return (
    <div className="flex min-h-0 min-w-0 flex-col bg-panel">
      <div className="flex shrink-0 items-baseline justify-between gap-2 px-3 pt-1.5">
        <h3 className="truncate text-sub text-text-2" title={look.line}>
          {look.title}
        </h3>
        <div className="flex shrink-0 items-baseline gap-2 text-meta text-text-3">
          {figure === "success" && marks.length > 0 ? (
            <span className="flex items-center gap-1">
              <span className="size-2 rounded-full border-[1.5px] border-curve-2" aria-hidden="true" />
              checkpoints
            </span>
          ) : null}
          {final === undefined ? null : (
            <span className="flex items-center gap-1">
              <span className="size-2 rounded-full border-[1.5px] border-curve-4" aria-hidden="true" />
              held-out
            </span>
          )}
          <span className="figure text-body text-text">{last === undefined ? "–" : look.words.y(last)}</span>
        </div>
      </div>
      <div className="min-h-0 flex-1">
        <CurveChart
          label={look.title}
          xLabel="Steps"
          curves={curves}
          words={look.words}
          {...(look.low === undefined ? {} : { low: look.low })}
          {...(look.high === undefined ? {} : { high: look.high })}
          xLow={0}
          {...(total > 0 ? { xHigh: total } : {})}
          moment={moment}
          {...(onPick === undefined ? {} : { onPick })}
          syncKey="training-run"
          empty="The first points come with the first episodes."
        />
      </div>
    </div>
  );
});

function curvesOf(
  figure: Figure,
  look: FigureLook,
  columns: SeriesColumns,
  smoothing: Smoothing,
  marks: readonly CurveMark[],
  final: CurveMark | undefined,
): readonly Curve[] {
  const share = smoothingShares[smoothing];
  const { xs, ys } = columns;
  const line: Curve = {
    id: figure,
    name: figure === "success" ? "Training" : look.title,
    color: look.color,
    xs,
    ys: smoothed(xs, ys, share),
  };
  const raw: Curve = { id: `${figure}-raw`, name: "Each", color: look.color, xs, ys, faint: true };
  // Success of single episodes is 0 or 1, which is no line.
  const curves = share > 0 && figure !== "success" ? [raw, line] : [line];
  if (figure !== "success") return curves;
  return [
    ...curves,
    markCurve("validation", "Validation", "--curve-2", marks),
    ...(final === undefined ? [] : [markCurve("held-out", "Held-out", "--curve-4", [final])]),
  ];
}

function markCurve(id: string, name: string, color: string, marks: readonly CurveMark[]): Curve {
  return { id, name, color, xs: [], ys: [], marksOnly: true, marks };
}

function lastValue(curves: readonly Curve[]): number | undefined {
  const line = curves.find((curve) => curve.faint !== true && curve.marksOnly !== true);
  if (line === undefined || line.ys.length === 0) return undefined;
  return line.ys[line.ys.length - 1] ?? undefined;
}
