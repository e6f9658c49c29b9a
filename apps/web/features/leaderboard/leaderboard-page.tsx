"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useServerConnection } from "@/components/shell/connection-provider";
import { mazeSetsQuery, modelsQuery } from "@/lib/queries";
import { useAddressState } from "@/lib/use-address-state";
import { boardPath, readBoard } from "./board-address";
import { boardRows } from "./board-rows";
import { LeaderboardPageView } from "./leaderboard-page-view";
import { leaderboardQuery } from "./queries";
import { useEvaluations } from "./use-evaluations";

const form = { read: readBoard, path: boardPath };

/** Models and baselines on the mazes of one set. */
export function LeaderboardPage({ query }: { query: string }) {
  const [board, change] = useAddressState(query, form);
  const again = (state: string) => (state === "error" ? 3_000 : false);
  const sets = useQuery({ ...mazeSetsQuery, refetchInterval: (asked) => again(asked.state.status) });
  const models = useQuery({ ...modelsQuery, refetchInterval: (asked) => again(asked.state.status) });
  const evaluations = useQuery({
    ...leaderboardQuery(board.setId),
    refetchOnMount: "always",
    refetchInterval: (asked) => again(asked.state.status),
  });
  const { answeringSince } = useServerConnection();
  const { shares, evaluate } = useEvaluations(board.setId);
  const rows = useMemo(
    () =>
      models.data === undefined || evaluations.data === undefined
        ? undefined
        : boardRows(models.data, evaluations.data, board),
    [models.data, evaluations.data, board],
  );
  const error = evaluations.error ?? models.error;
  return (
    <LeaderboardPageView
      board={board}
      sets={sets.data ?? []}
      rows={rows}
      error={error}
      stale={rows !== undefined && (error !== null || evaluations.dataUpdatedAt < answeringSince)}
      readAt={evaluations.dataUpdatedAt}
      shares={shares}
      onChange={change}
      onEvaluate={evaluate}
      onRetry={() => {
        void models.refetch();
        void evaluations.refetch();
      }}
    />
  );
}
