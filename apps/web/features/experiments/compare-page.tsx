"use client";

import type { Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { useServerConnection } from "@/components/shell/connection-provider";
import { usePageKeys } from "@/components/shell/page-keys";
import { downloadText } from "@/lib/download";
import { count } from "@/lib/format";
import { statusQuery } from "@/lib/queries";
import { mayAsk, mlflowOf } from "@/lib/services";
import { useAddressState } from "@/lib/use-address-state";
import { comparisonPath, readComparison } from "./compare-address";
import { ComparePageView } from "./compare-page-view";
import { exportCurves } from "./exported-curves";
import { comparisonQuery, exactHistory } from "./queries";
import { chartKeys } from "./run-words";
import { useCheckpoints } from "./use-checkpoints";

const form = { read: readComparison, path: comparisonPath };

/** Exact curves that are asked for at once: MLflow answers one question at a time. */
const EXPORTS_AT_ONCE = 3;

/** Up to eight runs beside one another. */
export function ComparePage({ query }: { query: string }) {
  const [comparison, change] = useAddressState(query, form);
  const { answeringSince } = useServerConnection();
  const status = useQuery(statusQuery);
  const mlflow = mlflowOf(status.data);
  const enabled = mayAsk(mlflow) && comparison.runIds.length > 0;
  const answer = useQuery({ ...comparisonQuery(comparison.runIds, chartKeys), enabled });
  // While another choice of runs is on its way, those of the one before that are still wanted stay.
  const runs = answer.data?.runs.filter(({ runId }) => comparison.runIds.includes(runId));
  const checkpoints = useCheckpoints(runs ?? [], comparison, answer.data?.histories ?? []);
  const [exporting, setExporting] = useState(false);
  const queryClient = useQueryClient();

  const exportExact = async (shown: readonly Run[]) => {
    setExporting(true);
    try {
      const wanted = shown.flatMap((run) => run.metrics.map(({ key }) => ({ runId: run.runId, key })));
      const histories = await inTurn(wanted, EXPORTS_AT_ONCE, ({ runId, key }) =>
        queryClient.fetchQuery({
          queryKey: ["exact-curve", runId, key],
          queryFn: async ({ signal }) => (await exactHistory(runId, key, signal)) ?? null,
        }),
      );
      const { csv, rows, thinned } = exportCurves(
        shown,
        histories.filter((history) => history !== null),
      );
      downloadText(`rlmaze-runs-${shown.length}.csv`, "text/csv;charset=utf-8", csv);
      toast.success(`${count(rows)} points of ${shown.length} ${shown.length === 1 ? "run" : "runs"}`, {
        description:
          thinned === 0
            ? "Every point is as it was logged."
            : `${thinned} curves have more than 20,000 points; of those the file holds means of short stretches.`,
      });
    } catch (reason) {
      toast.error("The curves were not exported", {
        description: reason instanceof Error ? reason.message : "Try again in a moment.",
      });
    } finally {
      setExporting(false);
    }
  };

  usePageKeys([
    {
      keys: ["t"],
      does: "Steps or time along the charts",
      run: () => change({ along: comparison.along === "steps" ? "time" : "steps", at: undefined }),
    },
    { keys: ["m"], does: "Mean over seeds, or each run", run: () => change({ bySeed: !comparison.bySeed }) },
    {
      keys: ["l"],
      does: "Logarithmic or linear values",
      run: () => change({ logarithmic: !comparison.logarithmic }),
    },
    { keys: ["escape"], does: "Close the chosen place", run: () => change({ at: undefined }) },
  ]);

  return (
    <ComparePageView
      comparison={comparison}
      onChange={change}
      mlflow={mlflow}
      runs={runs}
      histories={answer.data?.histories ?? []}
      error={answer.error}
      stale={answer.data !== undefined && (answer.isError || !mayAsk(mlflow) || answer.dataUpdatedAt < answeringSince)}
      readAt={answer.dataUpdatedAt}
      checkpoints={checkpoints}
      exporting={exporting}
      onExport={(shown) => void exportExact(shown)}
      onRetry={() => void answer.refetch()}
    />
  );
}

/** Does something for each of a list, so many at once; answers in the order of the list. */
async function inTurn<From, To>(
  list: readonly From[],
  atOnce: number,
  does: (one: From) => Promise<To>,
): Promise<To[]> {
  const answers: To[] = [];
  for (let at = 0; at < list.length; at += atOnce) {
    answers.push(...(await Promise.all(list.slice(at, at + atOnce).map(does))));
  }
  return answers;
}
