import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Training, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { Boxes, GraduationCap, Search } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Notice } from "@/components/ui/notice";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Segmented } from "@/components/ui/segmented";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { cn } from "@/lib/class-names";
import { algorithmName, dateMinute, duration, percent } from "@/lib/format";
import { StateBadge } from "./run-head";
import { SuccessCurve } from "./success-curve";
import { learnedShare, phaseWord, progressWords, tookMs } from "./training-words";

/** Which runs are listed. */
export type RunFilter = "all" | "open" | "completed" | "ended";

const filters = [
  { value: "all", label: "All" },
  { value: "open", label: "Running" },
  { value: "completed", label: "Completed" },
  { value: "ended", label: "Stopped or failed" },
] as const satisfies readonly { value: RunFilter; label: string }[];

type RunListProps = {
  /** Undefined while nothing was read yet. */
  trainings: readonly Training[] | undefined;
  /** Why the last try failed; what was read before is shown as what it is. */
  error: Error | null;
  /** When it was read, milliseconds since the epoch. */
  readAt: number;
  hasMore: boolean;
  loadingMore: boolean;
  now: number;
  onMore: () => void;
  onRetry: () => void;
};

/** Whether a run is listed: its state, and all typed words in its name, title, algorithm or id. */
export function isListed(training: Training, filter: RunFilter, typed: string): boolean {
  const { state } = training;
  const fits =
    filter === "all" ||
    (filter === "open" && state < TrainingState.STOPPED) ||
    (filter === "completed" && state === TrainingState.COMPLETED) ||
    (filter === "ended" && (state === TrainingState.STOPPED || state === TrainingState.FAILED));
  if (!fits) return false;
  const text =
    `${training.runId} ${training.name} ${training.title} ${algorithmName(training.algorithm)} ${training.modelId}`.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** The runs that there are, the newest first. */
export function RunList({ trainings, error, readAt, hasMore, loadingMore, now, onMore, onRetry }: RunListProps) {
  const [filter, setFilter] = useState<RunFilter>("all");
  const [wanted, setWanted] = useState("");
  const listed = trainings?.filter((training) => isListed(training, filter, wanted));
  return (
    <Panel className="h-full" aria-label="Runs">
      <PanelHead className="flex-wrap py-1.5">
        <PanelTitle>Runs</PanelTitle>
        <div className="flex min-w-0 flex-wrap items-center gap-2">
          <div className="relative w-44 max-md:w-full">
            <Search
              className="pointer-events-none absolute top-1/2 left-2 size-4 -translate-y-1/2 text-text-3"
              aria-hidden="true"
            />
            <Input
              type="search"
              aria-label="Find a run"
              placeholder="Find a run"
              value={wanted}
              className="h-7 pl-8 font-sans max-md:h-11"
              onChange={(event) => setWanted(event.target.value)}
            />
          </div>
          <Segmented
            label="States"
            value={filter}
            options={filters}
            onChange={setFilter}
            className="h-7 max-md:h-11 max-md:w-full max-md:text-meta [&_button]:font-sans max-md:[&_button]:px-1.5"
          />
        </div>
      </PanelHead>
      {error !== null && trainings !== undefined ? (
        <div className="border-b px-3 py-1.5">
          <StateLine
            kind="stale"
            title={`Read at ${new Date(readAt).toLocaleTimeString()}`}
            action={
              <Button size="sm" onClick={onRetry}>
                Read again
              </Button>
            }
          >
            {error.message}
          </StateLine>
        </div>
      ) : null}
      <div className="scroll-thin min-h-0 flex-1 overflow-y-auto">
        {listed === undefined ? (
          error === null ? (
            <ListSkeleton />
          ) : (
            <Notice
              icon={<Boxes />}
              tone="danger"
              title="The runs cannot be read"
              actions={<Button onClick={onRetry}>Try again</Button>}
            >
              {error.message}
            </Notice>
          )
        ) : listed.length === 0 ? (
          <NothingListed empty={trainings?.length === 0} />
        ) : (
          <ul className="divide-y" aria-label="Runs">
            {listed.map((training) => (
              <RunRow key={training.runId} training={training} now={now} />
            ))}
          </ul>
        )}
        {hasMore ? (
          <div className="border-t p-3 text-center">
            <Button disabled={loadingMore} onClick={onMore}>
              {loadingMore ? "Reading…" : "Older runs"}
            </Button>
          </div>
        ) : null}
      </div>
    </Panel>
  );
}

function RunRow({ training, now }: { training: Training; now: number }) {
  const { heldOut, bestCheckpoint, state } = training;
  const success = heldOut ?? bestCheckpoint?.validation;
  const took = tookMs(training, now);
  const running = state === TrainingState.RUNNING;
  return (
    <li className="relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-3 py-2 hover:bg-raised lg:grid-cols-[minmax(0,1fr)_112px_88px_120px]">
      <div className="min-w-0">
        <div className="flex items-center gap-2">
          <Link
            href={`/training/${training.runId}`}
            prefetch={false}
            className="truncate font-medium text-body after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent focus-visible:after:-outline-offset-2"
          >
            {training.title || training.name}
          </Link>
          <StateBadge state={state} />
        </div>
        <p className="truncate text-sub text-text-3">
          <span className="figure">{training.runId}</span>
        </p>
        <p className="truncate text-meta text-text-3">
          {algorithmName(training.algorithm)} · <span className="figure">{training.observation}</span> ·{" "}
          <span className="figure">{progressWords(training)}</span> {state === TrainingState.QUEUED ? "" : "steps"}
          {training.createdAt === undefined ? "" : ` · ${dateMinute(timestampDate(training.createdAt))}`}
        </p>
        {state === TrainingState.FAILED && training.failure !== "" ? (
          <p className="line-clamp-2 text-sub text-danger">{training.failure}</p>
        ) : null}
      </div>
      <SuccessCurve training={training} className="h-9 w-28 max-lg:hidden" />
      <Fact
        value={success === undefined ? "–" : percent(success.rate)}
        note={heldOut !== undefined ? "held-out" : success === undefined ? "success" : "validation"}
        strong={heldOut !== undefined}
      />
      <Fact
        className="max-lg:hidden"
        value={took === undefined ? "–" : duration(took)}
        note={running ? `${phaseWord(training.phase).toLowerCase()}, ${percent(learnedShare(training), 0)}` : "took"}
      />
    </li>
  );
}

function Fact({
  value,
  note,
  strong = false,
  className,
}: {
  value: string;
  note: string;
  strong?: boolean;
  className?: string;
}) {
  return (
    <p className={cn("text-right", className)}>
      <span className={cn("figure block whitespace-nowrap text-body", strong && "font-medium text-ok")}>{value}</span>
      <span className="block whitespace-nowrap text-meta text-text-3">{note}</span>
    </p>
  );
}

function NothingListed({ empty }: { empty: boolean | undefined }): ReactNode {
  return empty ? (
    <Notice icon={<GraduationCap />} title="Nothing was trained yet">
      Choose Quick PPO and press Start: in less than a minute the agent solves mazes that it has never seen.
    </Notice>
  ) : (
    <Notice icon={<Search />} title="No run is like that">
      Choose other states, or type less.
    </Notice>
  );
}

function ListSkeleton() {
  return (
    <div aria-busy="true" className="space-y-3 p-3">
      {["first", "second", "third", "fourth"].map((place) => (
        <Skeleton key={place} className="h-14" />
      ))}
      <span className="sr-only">The runs are loading.</span>
    </div>
  );
}
