import type { ListFailuresResponse } from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import type { LoggedEpisode } from "@rlmaze/api/rlmaze/inference/v1/logged_episode_pb";
import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { CircleCheck, ScrollText, SearchX, Unplug } from "lucide-react";
import Link from "next/link";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { count } from "@/lib/format";
import { type EpisodeList, isFiltered } from "./episode-address";
import { EpisodeFilters } from "./episode-filters";
import { EpisodeTable } from "./episode-table";
import { FailureTable } from "./failure-table";
import type { Proof } from "./proof";

export type EpisodesPageViewProps = {
  list: EpisodeList;
  models: readonly Model[];
  /** Undefined while nothing was read yet. */
  episodes: readonly LoggedEpisode[] | undefined;
  /** Undefined while nothing was counted yet. */
  failures: ListFailuresResponse | undefined;
  /** The earliest day that was searched, "2026-11-23"; empty while nothing was read. */
  searchedBackTo: string;
  /** Episodes that wait for the log's store and are not listed yet. */
  spooled: bigint;
  error: Error | null;
  /** What is shown was read earlier: the last try failed, or the server has been away since. */
  stale: boolean;
  /** When it was read, milliseconds since the epoch. */
  readAt: number;
  /** The episodes that are shown are those of the filter before. */
  filtering: boolean;
  hasMore: boolean;
  loadingMore: boolean;
  proofs: ReadonlyMap<string, Proof>;
  onChange: (part: Partial<EpisodeList>) => void;
  /** Takes every filter away. */
  onPlain: () => void;
  onMore: () => void;
  onRetry: () => void;
  onVerify: (episodeId: string) => void;
};

/** The log of finished episodes. */
export function EpisodesPageView(props: EpisodesPageViewProps) {
  const { list, models, episodes, failures, spooled, error, stale, readAt, filtering, onChange, onRetry } = props;
  const nothingRead = (list.view === "failures" ? failures : episodes) === undefined;
  return (
    <>
      <PageHeader title="Episodes" />
      <main className="flex min-h-0 flex-1 flex-col gap-2 p-2 max-md:overflow-y-auto">
        {stale ? (
          <StateLine
            kind="stale"
            framed
            className="flex-none"
            title={`Read at ${new Date(readAt).toLocaleTimeString()}`}
            action={
              <Button size="sm" onClick={onRetry}>
                Read again
              </Button>
            }
          >
            {error === null ? "The server has been away since." : error.message}
          </StateLine>
        ) : null}
        {spooled > 0n ? (
          <StateLine kind="note" framed className="flex-none" title={`${count(spooled)} not listed yet`}>
            They are safe on the server and wait for the log's store.
          </StateLine>
        ) : null}
        <Panel
          aria-label="Episodes"
          aria-busy={(nothingRead && error === null) || filtering}
          className="min-h-80 flex-1 max-md:flex-none max-md:overflow-visible"
        >
          <EpisodeFilters list={list} models={models} onChange={onChange} />
          {nothingRead ? (
            error === null ? (
              <EpisodesSkeleton />
            ) : (
              <Notice
                icon={<Unplug />}
                tone="danger"
                title="The episodes cannot be read"
                actions={<Button onClick={onRetry}>Try again</Button>}
              >
                {error.message}
              </Notice>
            )
          ) : (
            <Shown {...props} />
          )}
        </Panel>
      </main>
    </>
  );
}

function Shown(props: EpisodesPageViewProps) {
  const { list, episodes = [], failures, filtering, onChange } = props;
  if (list.view === "episodes") {
    return episodes.length === 0 ? <NoEpisodes {...props} /> : <Episodes {...props} episodes={episodes} />;
  }
  if (failures === undefined || failures.failures.length === 0) return <NoFailures {...props} />;
  return <FailureTable counted={failures} filtering={filtering} onChange={onChange} />;
}

function NoFailures({ list, failures, onPlain }: EpisodesPageViewProps) {
  const episodes = failures?.episodes ?? 0n;
  return (
    <Notice
      icon={episodes === 0n ? <ScrollText /> : <CircleCheck />}
      title={episodes === 0n ? "No episodes were counted" : "Every episode reached its goal"}
      actions={isFiltered(list) ? <Button onClick={onPlain}>Count all episodes</Button> : undefined}
    >
      {episodes === 1n ? "One episode" : `${count(episodes)} episodes`} since {failures?.countedBackTo}.
    </Notice>
  );
}

function Episodes(props: EpisodesPageViewProps & { episodes: readonly LoggedEpisode[] }) {
  const { episodes, proofs, filtering, hasMore, onVerify } = props;
  return (
    <div className="scroll-thin min-h-0 flex-1 overflow-auto max-md:overflow-visible">
      <EpisodeTable episodes={episodes} proofs={proofs} filtering={filtering} onVerify={onVerify} />
      {hasMore ? (
        <div className="flex flex-wrap items-center justify-center gap-3 border-t p-2">
          <MoreButton {...props} />
          <span className="figure text-meta text-text-3">searched back to {props.searchedBackTo}</span>
        </div>
      ) : null}
    </div>
  );
}

function MoreButton({ loadingMore, onMore }: EpisodesPageViewProps) {
  return (
    <Button size="sm" disabled={loadingMore} onClick={onMore}>
      {loadingMore ? "Reading…" : "Show older episodes"}
    </Button>
  );
}

function NoEpisodes(props: EpisodesPageViewProps) {
  const { list, hasMore, searchedBackTo, onPlain } = props;
  const filtered = isFiltered(list);
  return (
    <Notice
      icon={filtered ? <SearchX /> : <ScrollText />}
      title={hasMore ? `None since ${searchedBackTo}` : filtered ? "No episode is like that" : "No episodes yet"}
      actions={
        <>
          {filtered ? <Button onClick={onPlain}>Show all episodes</Button> : null}
          {hasMore ? <MoreButton {...props} /> : null}
          {filtered ? null : (
            <Button asChild variant="primary">
              <Link href="/" prefetch={false}>
                Watch one
              </Link>
            </Button>
          )}
        </>
      }
    >
      {filtered
        ? "Every filter must hold. Take one away."
        : "Every episode that reaches its end is kept here, with all that it takes to run it again."}
    </Notice>
  );
}

function EpisodesSkeleton() {
  return (
    <div className="space-y-2 p-3">
      {["1", "2", "3", "4", "5", "6", "7", "8"].map((place) => (
        <Skeleton key={place} className="h-10" />
      ))}
      <span className="sr-only">The episodes are loading.</span>
    </div>
  );
}
