import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { LoggedEpisode } from "@rlmaze/api/rlmaze/inference/v1/logged_episode_pb";
import { CircleCheck, CirclePlay, Flag, Hourglass, TriangleAlert } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import { count, dateMinute, decimal } from "@/lib/format";
import { mazeTitle, outcomeTitle, policyOf, policyTitle, samplingOf } from "./episode-words";
import type { Proof } from "./proof";
import { replayLink } from "./replay-link";

type EpisodeTableProps = {
  episodes: readonly LoggedEpisode[];
  proofs: ReadonlyMap<string, Proof>;
  /** The rows are those of the filter before. */
  filtering: boolean;
  onVerify: (episodeId: string) => void;
};

/** Episodes as rows, the newest first. On a phone a row is a card: who and where beside how it ended, and the proof below. */
export function EpisodeTable({ episodes, proofs, filtering, onVerify }: EpisodeTableProps) {
  return (
    <table className={cn("w-full text-sub transition-opacity", filtering && "opacity-60")}>
      <caption className="sr-only">Episodes</caption>
      <thead className="sticky top-0 z-10 bg-panel text-left text-meta text-text-3 shadow-[inset_0_-1px_0_var(--line)] max-md:sr-only">
        <tr>
          <Head className="max-md:hidden">Time</Head>
          <Head>Policy</Head>
          <Head className="max-md:hidden">Maze</Head>
          <Head>End</Head>
          <Head className="text-right max-md:hidden">Steps</Head>
          <Head className="text-right max-md:hidden">Reward</Head>
          <Head className="text-right max-lg:hidden">SPL</Head>
          <Head>
            <span className="max-md:sr-only">Proof</span>
          </Head>
        </tr>
      </thead>
      <tbody>
        {episodes.map((episode) => (
          <Row
            key={episode.episodeId}
            episode={episode}
            proof={proofs.get(episode.episodeId)}
            onVerify={() => onVerify(episode.episodeId)}
          />
        ))}
      </tbody>
    </table>
  );
}

function Head({ className, children }: { className?: string; children: ReactNode }) {
  return (
    <th scope="col" className={cn("h-8 whitespace-nowrap px-2 font-normal first:pl-3", className)}>
      {children}
    </th>
  );
}

type RowProps = { episode: LoggedEpisode; proof: Proof | undefined; onVerify: () => void };

function Row({ episode, proof, onVerify }: RowProps) {
  const time = episode.finishedAt ? dateMinute(timestampDate(episode.finishedAt)) : "–";
  const sampling = samplingOf(episode.sampling);
  return (
    <tr className="border-t transition-colors first:border-t-0 hover:bg-raised max-md:grid max-md:grid-cols-[1fr_auto] max-md:gap-x-3 max-md:px-3 max-md:py-2">
      <td className="figure whitespace-nowrap px-2 py-1.5 pl-3 text-text-2 max-md:hidden">{time}</td>
      <th scope="row" className="max-w-64 px-2 py-1.5 text-left font-normal max-md:min-w-0 max-md:p-0">
        <span className="block truncate text-text" title={policyTitle(episode)}>
          {policyTitle(episode)}
        </span>
        <span className="figure block truncate text-meta text-text-3">
          <span className="md:hidden">{mazeTitle(episode)} · </span>
          {sampling === "greedy" ? detailOf(episode) : `softmax, T = ${sampling.temperature}`}
        </span>
        <span className="figure block truncate text-meta text-text-3 md:hidden">{time}</span>
      </th>
      <td className="figure max-w-48 truncate px-2 text-text-2 max-md:hidden" title={mazeTitle(episode)}>
        {mazeTitle(episode)}
      </td>
      <td className="px-2 max-md:p-0 max-md:text-right">
        <End episode={episode} />
      </td>
      <td className="figure px-2 text-right max-md:hidden">{count(episode.steps)}</td>
      <td className="figure px-2 text-right max-md:hidden">{decimal(episode.totalReward, 2)}</td>
      <td className="figure px-2 text-right text-text-2 max-lg:hidden">{decimal(episode.spl, 3)}</td>
      <td className="w-72 px-2 pr-3 max-md:col-span-2 max-md:w-auto max-md:p-0">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1 py-1 max-md:pt-2 max-md:pb-0">
          <Button
            size="sm"
            disabled={proof?.state === "running"}
            aria-label={`Verify the episode of ${policyTitle(episode)} in ${mazeTitle(episode)}`}
            onClick={onVerify}
          >
            {proof?.state === "running" ? "Verifying…" : "Verify"}
          </Button>
          <ReplayLink episode={episode} />
          <Verdict proof={proof} />
        </div>
      </td>
    </tr>
  );
}

function detailOf(episode: LoggedEpisode): string {
  const policy = policyOf(episode);
  return policy !== undefined && "baseline" in policy ? "baseline" : "greedy";
}

function End({ episode }: { episode: LoggedEpisode }) {
  const reached = episode.outcome === Outcome.REACHED_GOAL;
  return (
    <>
      <span
        className={cn(
          "flex items-center gap-1.5 whitespace-nowrap max-md:justify-end",
          reached ? "text-ok" : "text-warn",
        )}
      >
        {reached ? (
          <Flag className="size-3.5 shrink-0" aria-hidden="true" />
        ) : (
          <Hourglass className="size-3.5 shrink-0" aria-hidden="true" />
        )}
        {outcomeTitle(episode.outcome)}
      </span>
      <span className="figure block whitespace-nowrap text-meta text-text-3 md:hidden">
        {count(episode.steps)} steps, {decimal(episode.totalReward, 2)}
      </span>
    </>
  );
}

function ReplayLink({ episode }: { episode: LoggedEpisode }) {
  const href = replayLink(episode);
  if (href === undefined) return <span className="size-7 max-md:size-11" />;
  return (
    <Tooltip text="Watch it again from its start" side="left">
      <Link
        href={href}
        prefetch={false}
        aria-label={`Watch the episode of ${policyTitle(episode)} in ${mazeTitle(episode)} again`}
        className="inline-grid size-7 place-items-center rounded-small text-text-3 hover:bg-active hover:text-text max-md:size-11"
      >
        <CirclePlay className="size-4" aria-hidden="true" />
      </Link>
    </Tooltip>
  );
}

/** What running the episode again came to. */
function Verdict({ proof }: { proof: Proof | undefined }) {
  return (
    <span role="status" className="min-w-0 max-md:flex-1 max-md:text-right">
      {proof === undefined || proof.state === "running" ? null : proof.state === "identical" ? (
        <Badge tone="ok">
          <CircleCheck aria-hidden="true" />
          identical
        </Badge>
      ) : proof.state === "differs" ? (
        <Badge tone="danger" title={proof.detail}>
          <TriangleAlert aria-hidden="true" />
          {proof.text}
        </Badge>
      ) : (
        <span className="text-meta text-danger">{proof.message}</span>
      )}
    </span>
  );
}
