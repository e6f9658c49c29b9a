import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Run, RunState } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { count, decimal, duration, percent, shortCount, signed } from "@/lib/format";

/** What a figure is called and how its values are written. */
export interface MetricWords {
  readonly name: string;
  /** What it says, in one line. */
  readonly line: string;
  readonly write: (value: number) => string;
  /** Whether more is better. */
  readonly better: "more" | "less";
  /** Ends of the axis that are always shown. */
  readonly low?: number;
  readonly high?: number;
}

const share = { write: (value: number) => percent(value), better: "more", low: 0, high: 1 } as const;

/** The figures that the trainer logs, in the order of the charts. */
export const metricWords = {
  reward: {
    name: "Reward",
    line: "Mean of the last 100 training episodes",
    write: (value: number) => signed(value, 2),
    better: "more",
  },
  success_rate: { name: "Success rate", line: "Last 100 training episodes, with exploration", ...share },
  validation_success_rate: { name: "Validation success", line: "Unseen mazes, greedy, at each checkpoint", ...share },
  episode_length: {
    name: "Episode length",
    line: "Steps, mean of the last 100 training episodes",
    write: (value: number) => decimal(value, 1),
    better: "less",
    low: 0,
  },
  loss: { name: "Loss", line: "Latest update", write: (value: number) => decimal(value, 4), better: "less" },
  validation_spl: {
    name: "Validation SPL",
    line: "Success weighted by path length, at each checkpoint",
    write: (value: number) => decimal(value, 3),
    better: "more",
    low: 0,
    high: 1,
  },
  held_out_success_rate: {
    name: "Held-out success",
    line: "1,000 mazes that no run has seen, once, at the end",
    ...share,
  },
  held_out_spl: {
    name: "Held-out SPL",
    line: "Success weighted by path length, once, at the end",
    write: (value: number) => decimal(value, 3),
    better: "more",
    low: 0,
    high: 1,
  },
  steps_per_second: {
    name: "Steps a second",
    line: "Environment steps, all environments together",
    write: (value: number) => shortCount(Math.round(value)),
    better: "more",
    low: 0,
  },
} as const satisfies Record<string, MetricWords>;

export type MetricKey = keyof typeof metricWords;

/** The figures that have a chart. */
export const chartKeys = [
  "reward",
  "success_rate",
  "validation_success_rate",
  "episode_length",
  "loss",
  "validation_spl",
] as const satisfies readonly MetricKey[];

/** Words for any figure; one of another program is called by its key. */
export function wordsOf(key: string): MetricWords {
  const known: Readonly<Record<string, MetricWords>> = metricWords;
  return known[key] ?? { name: key, line: "", write: (value) => decimal(value, 4), better: "more" };
}

/** The name of a figure in the middle of a sentence: "validation SPL". */
export function inSentence(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** The latest value of a figure; undefined when the run has none, or one that is no number. */
export function latest(run: Pick<Run, "metrics">, key: string): number | undefined {
  return run.metrics.find((metric) => metric.key === key)?.value;
}

/** Environment steps that a run has learned: the furthest step of its figures. */
export function stepsOf(run: Pick<Run, "metrics">): number | undefined {
  if (run.metrics.length === 0) return undefined;
  return Math.max(...run.metrics.map(({ step }) => Number(step)));
}

/** How long a run took, or has taken by `now` (milliseconds since the epoch); undefined where MLflow does not know. */
export function tookMs(run: Pick<Run, "startedAt" | "endedAt" | "state">, now: number): number | undefined {
  if (run.startedAt === undefined) return undefined;
  if (run.endedAt !== undefined) return timestampMs(run.endedAt) - timestampMs(run.startedAt);
  return isLive(run) ? now - timestampMs(run.startedAt) : undefined;
}

/** Whether a run goes on. */
export function isLive({ state }: Pick<Run, "state">): boolean {
  return state === RunState.RUNNING || state === RunState.SCHEDULED;
}

/** How a state is called, and its tone. */
export const stateWords: Readonly<
  Record<RunState, { readonly word: string; readonly tone: "plain" | "accent" | "ok" | "warn" | "danger" }>
> = {
  [RunState.UNSPECIFIED]: { word: "unknown", tone: "warn" },
  [RunState.SCHEDULED]: { word: "waiting", tone: "plain" },
  [RunState.RUNNING]: { word: "running", tone: "accent" },
  [RunState.FINISHED]: { word: "finished", tone: "ok" },
  [RunState.FAILED]: { word: "failed", tone: "danger" },
  [RunState.KILLED]: { word: "stopped", tone: "warn" },
};

/** What a run is, in a few words: "PPO, memory/1, seed 1". */
export function runLine(run: Pick<Run, "params" | "sweep" | "tags">): string {
  const { algorithm, observation } = run.params;
  const seed = run.tags["rlmaze.seed"] ?? run.params.seed;
  return [algorithm?.toUpperCase(), observation, seed === undefined ? undefined : `seed ${seed}`, run.sweep]
    .filter((part) => part !== undefined && part !== "")
    .join(" · ");
}

/** A place along a chart in words. */
export function placeWords(along: "steps" | "time"): (x: number) => string {
  return along === "steps" ? (x) => shortCount(Math.round(x)) : (x) => duration(x * 1000);
}

/** The same in full, for a heading. */
export function placeInFull(along: "steps" | "time", x: number): string {
  return along === "steps" ? `${count(Math.round(x))} steps` : duration(x * 1000);
}
