import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { Boxes, Dumbbell } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import { dateMinute, duration, shortCount } from "@/lib/format";
import { comparisonPath, MOST_RUNS, plainComparison } from "./compare-address";
import { LiveClock } from "./live-clock";
import { RunStateBadge } from "./run-state-badge";
import { inSentence, isLive, latest, type MetricKey, metricWords, runLine, stepsOf, tookMs } from "./run-words";
import { SmallCurve } from "./small-curve";

type RunTableProps = {
  runs: readonly Run[];
  chosen: readonly string[];
  /** The rows are those of the filter before. */
  filtering: boolean;
  onChoose: (runId: string, chosen: boolean) => void;
};

/** Figures with a column; on a narrower screen the first ones stay. */
const columns = [
  { key: "success_rate", head: "Success", wide: "max-lg:hidden" },
  { key: "validation_success_rate", head: "Validation", wide: "" },
  { key: "held_out_success_rate", head: "Held-out", wide: "max-md:hidden" },
  { key: "held_out_spl", head: "SPL", wide: "max-xl:hidden" },
  { key: "reward", head: "Reward", wide: "max-lg:hidden" },
  { key: "loss", head: "Loss", wide: "max-2xl:hidden" },
] as const satisfies readonly { key: MetricKey; head: string; wide: string }[];

/** Runs as rows: what they are, how they stand, and how they came there. */
export function RunTable({ runs, chosen, filtering, onChoose }: RunTableProps) {
  const full = chosen.length >= MOST_RUNS;
  return (
    <table className={cn("w-full text-sub transition-opacity", filtering && "opacity-60")}>
      <caption className="sr-only">Runs</caption>
      <thead className="sticky top-0 z-10 bg-panel text-left text-meta text-text-3 shadow-[inset_0_-1px_0_var(--line)]">
        <tr>
          <th scope="col" className="w-10 max-md:w-11">
            <span className="sr-only">Chosen</span>
          </th>
          <Head>Run</Head>
          <Head className="max-md:hidden">State</Head>
          <Head>Course</Head>
          {columns.map(({ key, head, wide }) => (
            <Head key={key} className={cn("text-right", wide)}>
              <Tooltip text={`${metricWords[key].name}. ${metricWords[key].line}`} side="bottom">
                <span>{head}</span>
              </Tooltip>
            </Head>
          ))}
          <Head className="text-right max-xl:hidden">Steps</Head>
          <Head className="text-right max-lg:hidden">Took</Head>
          <th scope="col" className="max-md:hidden">
            <span className="sr-only">Links</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => {
          const isChosen = chosen.includes(run.runId);
          return (
            <Row
              key={run.runId}
              run={run}
              chosen={isChosen}
              disabled={full && !isChosen}
              onChoose={(next) => onChoose(run.runId, next)}
            />
          );
        })}
      </tbody>
    </table>
  );
}

function Head({ className, children }: { className?: string; children: ReactNode }) {
  return (
    <th scope="col" className={cn("h-8 whitespace-nowrap px-2 font-normal", className)}>
      {children}
    </th>
  );
}

type RowProps = { run: Run; chosen: boolean; disabled: boolean; onChoose: (chosen: boolean) => void };

function Row({ run, chosen, disabled, onChoose }: RowProps) {
  const steps = stepsOf(run);
  const live = isLive(run);
  return (
    <tr
      className={cn(
        "group border-t transition-colors hover:bg-raised",
        chosen && "bg-accent-soft hover:bg-accent-soft",
      )}
    >
      <td className="w-10 min-w-10 text-center">
        <label className={cn("grid h-11 place-items-center", disabled ? "cursor-not-allowed" : "cursor-pointer")}>
          <input
            type="checkbox"
            aria-label={`Choose ${run.name}`}
            checked={chosen}
            disabled={disabled}
            onChange={(event) => onChoose(event.target.checked)}
            className="size-4 accent-accent disabled:opacity-40"
          />
        </label>
      </td>
      <th scope="row" className="max-w-72 px-2 py-1.5 text-left font-normal max-md:max-w-[38vw] max-md:px-1">
        <Link
          href={comparisonPath({ ...plainComparison, runIds: [run.runId] })}
          prefetch={false}
          className="figure block truncate text-text hover:text-accent hover:underline"
          title={run.name}
        >
          {run.name}
        </Link>
        <span className="flex items-center gap-2 text-meta text-text-3">
          <span className="md:hidden">
            <RunStateBadge state={run.state} />
          </span>
          <span
            className="truncate max-md:hidden"
            title={run.startedAt ? dateMinute(timestampDate(run.startedAt)) : ""}
          >
            {runLine(run) || (run.startedAt ? dateMinute(timestampDate(run.startedAt)) : "of another program")}
          </span>
        </span>
      </th>
      <td className="px-2 max-md:hidden">
        <RunStateBadge state={run.state} />
      </td>
      <td className="px-2">
        <SmallCurve run={run} />
      </td>
      {columns.map(({ key, wide }) => (
        <Figure key={key} run={run} metric={key} className={wide} />
      ))}
      <td className="figure px-2 text-right text-text-2 max-xl:hidden">
        {steps === undefined ? "–" : shortCount(steps)}
      </td>
      <td className="figure whitespace-nowrap px-2 text-right text-text-2 max-lg:hidden">
        {live ? <LiveClock write={(now) => took(run, now)} /> : took(run, 0)}
      </td>
      <td className="whitespace-nowrap pr-2 text-right max-md:hidden">
        {run.trainingRunId === "" ? null : (
          <RowLink href={`/training/${run.trainingRunId}`} label={`Training ${run.trainingRunId}`}>
            <Dumbbell className="size-4" aria-hidden="true" />
          </RowLink>
        )}
        {run.modelId === "" ? null : (
          <RowLink href="/models" label={`Model ${run.modelId}`}>
            <Boxes className="size-4" aria-hidden="true" />
          </RowLink>
        )}
      </td>
    </tr>
  );
}

function took(run: Run, now: number): string {
  const ms = tookMs(run, now);
  return ms === undefined ? "–" : duration(ms);
}

function RowLink({ href, label, children }: { href: string; label: string; children: ReactNode }) {
  return (
    <Tooltip text={label} side="left">
      <Link
        href={href}
        prefetch={false}
        aria-label={label}
        className="inline-grid size-7 place-items-center rounded-small text-text-3 hover:bg-active hover:text-text"
      >
        {children}
      </Link>
    </Tooltip>
  );
}

function Figure({ run, metric, className }: { run: Run; metric: MetricKey; className: string }) {
  const value = latest(run, metric);
  const words = metricWords[metric];
  return (
    <td className={cn("figure whitespace-nowrap px-2 text-right", className)}>
      {value === undefined ? (
        <span className="text-text-3" title={`This run has no ${inSentence(words.name)}${isLive(run) ? " yet" : ""}`}>
          –
        </span>
      ) : (
        words.write(value)
      )}
    </td>
  );
}
