import type { Spread } from "./band";
import type { Along } from "./metric-curve";

/** The most runs that are compared at once; the contract takes no more. */
export const MOST_RUNS = 8;

/** All that the address of a comparison holds. */
export interface Comparison {
  /** Runs in MLflow, each once, in the order of their colours. */
  readonly runIds: readonly string[];
  readonly along: Along;
  /** 0–1, two decimals. */
  readonly smoothing: number;
  /** Whether runs that differ in their seed only are drawn as their mean. */
  readonly bySeed: boolean;
  readonly spread: Spread;
  /** Whether values are on a logarithmic axis. */
  readonly logarithmic: boolean;
  /** Runs that are not drawn. */
  readonly hidden: readonly string[];
  /** A place that was chosen in a chart, in the unit of what lies along: environment steps, or whole seconds. */
  readonly at: number | undefined;
}

export const plainComparison: Omit<Comparison, "runIds"> = {
  along: "steps",
  smoothing: 0,
  bySeed: false,
  spread: "range",
  logarithmic: false,
  hidden: [],
  at: undefined,
};

const RUN_ID = /^[0-9a-f]{32}$/;

function runIdsOf(text: string | null): string[] {
  return [...new Set((text ?? "").split(",").filter((runId) => RUN_ID.test(runId)))];
}

/** Reads the query of a comparison. What cannot be read is left at what it is without it. */
export function readComparison(params: URLSearchParams): Comparison {
  const runIds = runIdsOf(params.get("runs")).slice(0, MOST_RUNS);
  const smoothing = Number(params.get("smoothing") ?? 0);
  const at = params.get("at") ?? "";
  return {
    runIds,
    along: params.get("along") === "time" ? "time" : "steps",
    smoothing: smoothing > 0 ? Math.min(1, Math.round(smoothing * 100) / 100) : 0,
    bySeed: params.get("seeds") === "mean",
    spread: params.get("band") === "interval" ? "interval" : "range",
    logarithmic: params.get("scale") === "log",
    hidden: runIdsOf(params.get("hidden")).filter((hidden) => runIds.includes(hidden)),
    at: /^\d{1,15}$/.test(at) ? Number(at) : undefined,
  };
}

/** Path and query of a comparison; what is as it is without saying so is left out. */
export function comparisonPath(comparison: Comparison): string {
  const parts = [`runs=${comparison.runIds.join(",")}`];
  if (comparison.along === "time") parts.push("along=time");
  if (comparison.smoothing > 0) parts.push(`smoothing=${comparison.smoothing}`);
  if (comparison.bySeed) parts.push("seeds=mean");
  if (comparison.spread === "interval") parts.push("band=interval");
  if (comparison.logarithmic) parts.push("scale=log");
  if (comparison.hidden.length > 0) parts.push(`hidden=${comparison.hidden.join(",")}`);
  if (comparison.at !== undefined) parts.push(`at=${Math.round(comparison.at)}`);
  return `/experiments/compare?${parts.join("&")}`;
}
