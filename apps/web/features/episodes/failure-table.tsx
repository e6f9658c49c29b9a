import type { FailureCount, ListFailuresResponse } from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/class-names";
import { count, percent } from "@/lib/format";
import type { EpisodeList } from "./episode-address";
import { policyKey, policyTitle } from "./episode-words";

type FailureTableProps = {
  counted: ListFailuresResponse;
  /** The rows are those of the filter before. */
  filtering: boolean;
  onChange: (part: Partial<EpisodeList>) => void;
};

/** Who failed where, the most failures first. Each row leads to its episodes. */
export function FailureTable({ counted, filtering, onChange }: FailureTableProps) {
  return (
    <div className={cn("scroll-thin min-h-0 flex-1 overflow-auto transition-opacity", filtering && "opacity-60")}>
      <Sum counted={counted} />
      <table className="w-full text-sub">
        <caption className="sr-only">Failures</caption>
        <thead className="sticky top-0 z-10 bg-panel text-left text-meta text-text-3 shadow-[inset_0_-1px_0_var(--line)] max-md:sr-only">
          <tr>
            <Head>Policy</Head>
            <Head>Maze</Head>
            <Head className="w-24 text-right">Failed</Head>
            <Head className="w-28 pr-8 text-right">Of episodes</Head>
            <Head>Share</Head>
            <Head>
              <span className="sr-only">Episodes</span>
            </Head>
          </tr>
        </thead>
        <tbody>
          {counted.failures.map((failure) => (
            <Row
              key={`${policyKey(failure)} ${failure.mazeId}`}
              failure={failure}
              onShow={() =>
                onChange({
                  view: "episodes",
                  policy: policyKey(failure),
                  // Episodes on drawn mazes can't be asked for alone.
                  ...(failure.mazeId === "" ? {} : { mazeId: failure.mazeId }),
                  outcome: "limit",
                })
              }
            />
          ))}
        </tbody>
      </table>
      {counted.leftOut === 0 ? null : (
        <p className="figure border-t p-3 text-center text-meta text-text-3">
          and {count(counted.leftOut)} more; choose a policy or a maze to see them
        </p>
      )}
    </div>
  );
}

function Head({ className, children }: { className?: string; children: ReactNode }) {
  return (
    <th scope="col" className={cn("h-8 whitespace-nowrap px-2 font-normal first:pl-3", className)}>
      {children}
    </th>
  );
}

/** What was counted in all. */
function Sum({ counted }: { counted: ListFailuresResponse }) {
  const { episodes, failedEpisodes, countedBackTo } = counted;
  return (
    <p className="border-b px-3 py-2 text-sub text-text-2">
      <b className="figure font-medium text-text">{count(failedEpisodes)}</b> of{" "}
      <span className="figure">{count(episodes)}</span> episodes since{" "}
      <span className="figure whitespace-nowrap">{countedBackTo}</span> ended without the goal
      {episodes === 0n ? "." : `, ${percent(Number(failedEpisodes) / Number(episodes))}.`}
    </p>
  );
}

function Row({ failure, onShow }: { failure: FailureCount; onShow: () => void }) {
  const { mazeId, episodes, failedEpisodes } = failure;
  const share = Number(failedEpisodes) / Number(episodes);
  const where = mazeId === "" ? "drawn mazes" : mazeId;
  return (
    <tr className="border-t transition-colors first:border-t-0 hover:bg-raised max-md:grid max-md:grid-cols-[1fr_auto_auto] max-md:items-center max-md:gap-x-3 max-md:py-1 max-md:pl-3">
      <th scope="row" className="max-w-64 px-2 py-2 pl-3 text-left font-normal max-md:p-0">
        <span className="block truncate">{policyTitle(failure)}</span>
        <span className="figure block truncate text-meta text-text-3 md:hidden">{where}</span>
      </th>
      <td className="figure px-2 text-text-2 max-md:hidden">{where}</td>
      <td className="figure px-2 text-right text-warn max-md:p-0">
        {count(failedEpisodes)}
        <span className="text-text-3 md:hidden"> of {count(episodes)}</span>
      </td>
      <td className="figure px-2 pr-8 text-right max-md:hidden">{count(episodes)}</td>
      <td className="px-2 max-md:hidden">
        <span className="flex items-center gap-2">
          <span className="h-1.5 flex-1 overflow-hidden rounded-full bg-active" aria-hidden="true">
            <span className="block h-full rounded-full bg-warn" style={{ width: `${share * 100}%` }} />
          </span>
          <span className="figure w-12 text-right text-text-2">{percent(share, 0)}</span>
        </span>
      </td>
      <td className="w-12 px-2 pr-3 max-md:w-auto max-md:p-0">
        <button
          type="button"
          aria-label={`Show the failed episodes of ${policyTitle(failure)} in ${where}`}
          onClick={onShow}
          className="inline-grid size-7 place-items-center rounded-small text-text-3 hover:bg-active hover:text-text max-md:size-11"
        >
          <ChevronRight className="size-4" aria-hidden="true" />
        </button>
      </td>
    </tr>
  );
}
