"use client";

import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useServerConnection } from "@/components/shell/connection-provider";
import { modelsQuery, statusQuery } from "@/lib/queries";
import { useAddressState } from "@/lib/use-address-state";
import { listPath, plainList, readList } from "./episode-address";
import { EpisodesPageView } from "./episodes-page-view";
import { type Proof, proofOf } from "./proof";
import { episodesQuery, failuresQuery, verifyEpisode } from "./queries";

const form = { read: readList, path: listPath };

/** The episode log: what ran, and whether it can be proven. */
export function EpisodesPage({ query }: { query: string }) {
  const [list, change] = useAddressState(query, form);
  const { answeringSince } = useServerConnection();
  const counts = list.view === "failures";
  const episodes = useInfiniteQuery({ ...episodesQuery(list), enabled: !counts });
  const failures = useQuery({ ...failuresQuery(list), enabled: counts });
  const models = useQuery(modelsQuery);
  const status = useQuery(statusQuery);
  const shown = useMemo(() => episodes.data?.pages.flatMap((page) => page.episodes), [episodes.data]);
  const [proofs, setProofs] = useState<ReadonlyMap<string, Proof>>(new Map());
  const know = (episodeId: string, proof: Proof) => setProofs((before) => new Map(before).set(episodeId, proof));
  const { mutate: verify } = useMutation({
    mutationFn: async (episodeId: string) => know(episodeId, proofOf(await verifyEpisode(episodeId))),
    onMutate: (episodeId) => know(episodeId, { state: "running" }),
    onError: (error, episodeId) => know(episodeId, { state: "failed", message: error.message }),
  });
  const shownNow = counts ? failures : episodes;
  return (
    <EpisodesPageView
      list={list}
      models={models.data ?? []}
      episodes={shown}
      failures={failures.data}
      searchedBackTo={episodes.data?.pages.at(-1)?.searchedBackTo ?? ""}
      spooled={status.data?.spooledEpisodes ?? 0n}
      error={shownNow.error}
      stale={shownNow.data !== undefined && (shownNow.isError || shownNow.dataUpdatedAt < answeringSince)}
      readAt={shownNow.dataUpdatedAt}
      filtering={shownNow.isPlaceholderData}
      hasMore={episodes.hasNextPage}
      loadingMore={episodes.isFetchingNextPage}
      proofs={proofs}
      onChange={change}
      onPlain={() => change({ policy: plainList.policy, mazeId: plainList.mazeId, outcome: plainList.outcome })}
      onMore={() => void episodes.fetchNextPage()}
      onRetry={() => void shownNow.refetch()}
      onVerify={verify}
    />
  );
}
