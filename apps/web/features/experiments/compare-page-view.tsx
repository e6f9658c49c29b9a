import type { MetricHistory, Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import type { ServiceStatus } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { ChevronLeft, GitCompareArrows, Unplug } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { ServiceNotice } from "@/components/services/service-notice";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { mayAsk, serviceSentence } from "@/lib/services";
import { runGroups } from "./chart-lines";
import { type Comparison, MOST_RUNS } from "./compare-address";
import { CompareCharts } from "./compare-charts";
import { CompareTables } from "./compare-tables";
import { CompareToolbar } from "./compare-toolbar";
import { listPath, plainList } from "./list-address";
import { PlacePanel } from "./place-panel";
import { RunLegend } from "./run-legend";
import { isLive } from "./run-words";
import type { PlaceOfRun } from "./use-checkpoints";

export type ComparePageViewProps = {
  comparison: Comparison;
  onChange: (part: Partial<Comparison>) => void;
  /** MLflow's state; undefined while nobody knows it. */
  mlflow: ServiceStatus | undefined;
  /** Undefined while nothing was read yet. */
  runs: readonly Run[] | undefined;
  histories: readonly MetricHistory[];
  error: Error | null;
  stale: boolean;
  /** When it was read, milliseconds since the epoch. */
  readAt: number;
  /** What the runs were worth at the chosen place; empty while none is chosen. */
  checkpoints: readonly PlaceOfRun[];
  exporting: boolean;
  onExport: (runs: readonly Run[]) => void;
  onRetry: () => void;
};

/** Curves at the left, who is who at the right, tables below. */
export function ComparePageView(props: ComparePageViewProps) {
  const { comparison, mlflow, runs, error, stale, readAt, onRetry } = props;
  const { runIds } = comparison;
  return (
    <>
      <PageHeader title={runIds.length === 1 ? "Run" : "Compare runs"}>
        <Button asChild variant="ghost" size="sm" className="max-md:px-1">
          <Link href={listPath({ ...plainList, chosen: runIds })} prefetch={false}>
            <ChevronLeft aria-hidden="true" />
            All runs
          </Link>
        </Button>
      </PageHeader>
      <main className="scroll-thin flex min-h-0 flex-1 flex-col gap-2 overflow-y-auto p-2">
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
            {error?.message ??
              (mlflow && !mayAsk(mlflow) ? serviceSentence(mlflow) : "The server has been away since.")}
          </StateLine>
        ) : null}
        {runIds.length === 0 ? (
          <Panel className="min-h-80 flex-1">
            <Notice
              icon={<GitCompareArrows />}
              title="No runs are chosen"
              actions={
                <Button asChild variant="primary">
                  <Link href="/experiments" prefetch={false}>
                    Choose runs
                  </Link>
                </Button>
              }
            >
              Up to {MOST_RUNS} runs are compared here. A link to a comparison names them.
            </Notice>
          </Panel>
        ) : runs !== undefined ? (
          <Known {...props} runs={runs} />
        ) : mlflow !== undefined && !mayAsk(mlflow) ? (
          <Panel className="min-h-80 flex-1">
            <ServiceNotice
              service={mlflow}
              notConfigured="Runs are compared by what MLflow keeps of them. Name one in MLFLOW_TRACKING_URI, or use make run."
              away="This comparison comes by itself when it is back; its address holds everything."
              actions={<Button onClick={onRetry}>Try again</Button>}
            />
          </Panel>
        ) : error !== null ? (
          <Panel className="min-h-80 flex-1">
            <Notice
              icon={<Unplug />}
              tone="danger"
              title="These runs cannot be read"
              actions={
                <>
                  <Button onClick={onRetry}>Try again</Button>
                  <Button asChild>
                    <Link href="/experiments" prefetch={false}>
                      Choose others
                    </Link>
                  </Button>
                </>
              }
            >
              {error.message}
            </Notice>
          </Panel>
        ) : (
          <CompareSkeleton />
        )}
      </main>
    </>
  );
}

function Known(props: ComparePageViewProps & { runs: readonly Run[] }) {
  const { comparison, onChange, runs, histories, checkpoints, exporting, onExport } = props;
  const [highlighted, setHighlighted] = useState<string>();
  const seeds = runGroups(runs, true);
  const groups = comparison.bySeed ? seeds : runGroups(runs, false);
  const shown = runs.filter(({ runId }) => !comparison.hidden.includes(runId));
  return (
    <>
      <CompareToolbar
        comparison={comparison}
        onChange={onChange}
        hasSeeds={seeds.length < runs.length}
        live={runs.some(isLive)}
        exporting={exporting}
        onExport={() => onExport(shown)}
      />
      <div className="grid shrink-0 gap-2 lg:grid-cols-[minmax(0,1fr)_340px]">
        <div className="min-w-0 max-lg:order-last">
          <CompareCharts
            groups={groups}
            histories={histories}
            comparison={comparison}
            highlighted={highlighted}
            onPick={(at) => onChange({ at: Math.max(0, Math.round(at)) })}
          />
        </div>
        <div className="flex min-w-0 flex-col gap-2">
          <RunLegend
            groups={groups}
            hidden={comparison.hidden}
            highlighted={highlighted}
            onHighlight={setHighlighted}
            onHide={(hidden) => onChange({ hidden })}
            onRemove={(runId) =>
              onChange({
                runIds: comparison.runIds.filter((candidate) => candidate !== runId),
                hidden: comparison.hidden.filter((candidate) => candidate !== runId),
              })
            }
          />
          <PlacePanel
            comparison={comparison}
            runs={runs}
            places={checkpoints}
            onClose={() => onChange({ at: undefined })}
          />
        </div>
      </div>
      <CompareTables runs={runs} />
    </>
  );
}

function CompareSkeleton() {
  return (
    <div aria-busy="true" className="flex flex-col gap-2">
      <Skeleton className="h-12" />
      <div className="grid gap-2 lg:grid-cols-[minmax(0,1fr)_340px]">
        <div className="grid gap-2 xl:grid-cols-2">
          {["reward", "success", "validation", "length", "loss", "spl"].map((chart) => (
            <Skeleton key={chart} className="h-60" />
          ))}
        </div>
        <Skeleton className="h-60" />
      </div>
      <span className="sr-only">The runs are loading.</span>
    </div>
  );
}
