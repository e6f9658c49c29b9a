import type { MetricHistory, Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { type Cell, csvText } from "./csv";

/** What an export holds. */
export interface CurveExport {
  readonly csv: string;
  readonly rows: number;
  /** Curves that MLflow thinned because they have more points than one answer takes. */
  readonly thinned: number;
}

const HEAD = ["run_id", "run", "training", "model", "metric", "step", "elapsed_s", "value"] as const;

/** Curves as a long table: one row a point, values in full precision. */
export function exportCurves(runs: readonly Run[], histories: readonly MetricHistory[]): CurveExport {
  const rows: Cell[][] = [];
  let thinned = 0;
  for (const run of runs) {
    for (const history of histories) {
      if (history.runId !== run.runId) continue;
      if (history.points > history.values.length) thinned += 1;
      history.values.forEach((value, at) => {
        rows.push([
          run.runId,
          run.name,
          run.trainingRunId,
          run.modelId,
          history.key,
          history.steps[at] ?? null,
          history.elapsedS[at] ?? null,
          value,
        ]);
      });
    }
  }
  return { csv: csvText(HEAD, rows), rows: rows.length, thinned };
}
