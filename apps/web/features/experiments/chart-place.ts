import type { MetricHistory } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { nearestIndex } from "@/components/curve-chart/curve";
import type { Along } from "./metric-curve";

/**
 * Environment steps that a run had learned at a place of the chart, by the figure of it that was logged most often; undefined where the run had
 * not begun or had ended already.
 */
export function stepAt(histories: readonly MetricHistory[], along: Along, at: number): number | undefined {
  let densest: MetricHistory | undefined;
  for (const history of histories) {
    if (densest === undefined || history.steps.length > densest.steps.length) densest = history;
  }
  if (densest === undefined || densest.steps.length === 0) return undefined;
  const last = Number(densest.steps.at(-1));
  if (along === "steps") return at <= last ? at : undefined;
  const ended = densest.elapsedS.at(-1) ?? 0;
  // A second is the grain of an address.
  if (at > ended + 1) return undefined;
  return Number(densest.steps[nearestIndex(densest.elapsedS, at)] ?? 0n);
}
