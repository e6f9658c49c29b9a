"use client";

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { useServerConnection } from "@/components/shell/connection-provider";
import { modelsQuery, statusQuery } from "@/lib/queries";
import { useKept } from "@/lib/use-kept";
import { ActiveAtForm } from "./active-at-form";
import { HistoryPanel } from "./history-panel";
import { keptActor } from "./kept-actor";
import { ModelsPageView } from "./models-page-view";
import {
  activeAtQuery,
  type Change,
  type ChangeWords,
  changedOf,
  historyQuery,
  makeChange,
  refusalOf,
} from "./queries";

/** Tries again by itself while the last try failed. */
const whileFailing = (query: { state: { status: string } }) => (query.state.status === "error" ? 3_000 : false);

/** The registry: which models there are, which one acts, and which ones did. */
export function ModelsPage() {
  const models = useQuery({ ...modelsQuery, refetchOnMount: "always", refetchInterval: whileFailing });
  const history = useInfiniteQuery({ ...historyQuery, refetchOnMount: "always", refetchInterval: whileFailing });
  const activations = history.data?.pages.flatMap((page) => page.activations);
  const { answeringSince } = useServerConnection();
  const queryClient = useQueryClient();
  const [kept, keep] = useKept(keptActor);
  const [change, setChange] = useState<Change>();
  const switching = useMutation({
    mutationFn: ({ change, words }: { change: Change; words: ChangeWords }) =>
      makeChange(change, words, activations?.[0]?.activationId),
    onSuccess: (reply, { change }) => {
      setChange(undefined);
      toast.success(`${reply.model?.modelId ?? "The model"} is active${change.kind === "roll-back" ? " again" : ""}`, {
        description: "New episodes use it; running ones keep theirs.",
      });
    },
    onSettled: () =>
      Promise.all(
        [modelsQuery.queryKey, historyQuery.queryKey, statusQuery.queryKey].map((queryKey) =>
          queryClient.invalidateQueries({ queryKey: [...queryKey] }),
        ),
      ),
  });
  const open = (wanted: Change | undefined) => {
    switching.reset();
    setChange(wanted);
  };
  return (
    <ModelsPageView
      models={models.data}
      error={models.error}
      stale={models.data !== undefined && (models.isError || models.dataUpdatedAt < answeringSince)}
      readAt={models.dataUpdatedAt}
      activations={activations}
      change={change}
      actor={kept?.actor ?? ""}
      pending={switching.isPending}
      refusal={switching.error}
      refused={refusalOf(switching.error)}
      changed={changedOf(switching.error)}
      onChange={open}
      onConfirm={(words) => {
        if (change === undefined) return;
        keep({ actor: words.actor });
        switching.mutate({ change, words });
      }}
      onRetry={() => void models.refetch()}
      history={
        <HistoryPanel
          activations={activations}
          error={history.error}
          hasMore={history.hasNextPage}
          readingMore={history.isFetchingNextPage}
          busy={switching.isPending}
          lookup={<ActiveAt />}
          onMore={() => void history.fetchNextPage()}
          onRetry={() => void history.refetch()}
          onRollBack={() => open({ kind: "roll-back" })}
        />
      }
    />
  );
}

/** Asks the server for the activation in force at a time. */
function ActiveAt() {
  const [at, setAt] = useState<Date>();
  const found = useQuery({ ...activeAtQuery(at ?? new Date(0)), enabled: at !== undefined });
  return <ActiveAtForm at={at} found={found.data} error={found.error} onAsk={setAt} />;
}
