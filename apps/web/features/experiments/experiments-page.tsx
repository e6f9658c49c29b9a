"use client";

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useServerConnection } from "@/components/shell/connection-provider";
import { usePageKeys } from "@/components/shell/page-keys";
import { BffError } from "@/lib/bff";
import { statusQuery } from "@/lib/queries";
import { mayAsk, mlflowOf } from "@/lib/services";
import { useAddressState } from "@/lib/use-address-state";
import { COMPARE_LINK } from "./chosen-bar";
import { MOST_RUNS } from "./compare-address";
import { ExperimentsPageView } from "./experiments-page-view";
import { listPath, plainList, readList } from "./list-address";
import { experimentsQuery, runsQuery } from "./queries";
import { runFilter } from "./run-filter";

const form = { read: readList, path: listPath };

/** Experiments and their runs, as MLflow keeps them. */
export function ExperimentsPage({ query }: { query: string }) {
  const [list, change] = useAddressState(query, form);
  const { answeringSince } = useServerConnection();
  const status = useQuery(statusQuery);
  const mlflow = mlflowOf(status.data);
  const enabled = mayAsk(mlflow);
  const experiments = useQuery({ ...experimentsQuery, enabled });
  const filter = runFilter(list);
  const runs = useInfiniteQuery({ ...runsQuery(list.experimentId, filter, list.order), enabled });
  const shown = useMemo(() => runs.data?.pages.flatMap((page) => page.runs), [runs.data]);
  usePageKeys([
    { keys: ["c"], does: "Compare the chosen runs", run: () => document.getElementById(COMPARE_LINK)?.click() },
    { keys: ["x"], does: "Choose no run", run: () => change({ chosen: [] }) },
    {
      keys: ["/"],
      does: "Search with MLflow's syntax",
      run: () => document.getElementById("run-search")?.focus(),
    },
  ]);
  const refused = runs.error instanceof BffError && runs.error.code === "invalid_argument" ? runs.error : undefined;
  const failed = refused === undefined ? (runs.error ?? experiments.error) : null;
  return (
    <ExperimentsPageView
      list={list}
      onChange={change}
      onPlain={() => change({ ...plainList, experimentId: list.experimentId, chosen: list.chosen })}
      onChoose={(runId, chosen) =>
        change({
          chosen: chosen
            ? [...list.chosen, runId].slice(0, MOST_RUNS)
            : list.chosen.filter((candidate) => candidate !== runId),
        })
      }
      mlflow={mlflow}
      experiments={experiments.data}
      runs={refused === undefined ? shown : []}
      refused={refused?.message}
      error={failed}
      stale={shown !== undefined && (!enabled || failed !== null || runs.dataUpdatedAt < answeringSince)}
      readAt={runs.dataUpdatedAt}
      filtering={runs.isPlaceholderData}
      hasMore={runs.hasNextPage}
      loadingMore={runs.isFetchingNextPage}
      onMore={() => void runs.fetchNextPage()}
      onRetry={() => {
        void experiments.refetch();
        void runs.refetch();
      }}
    />
  );
}
