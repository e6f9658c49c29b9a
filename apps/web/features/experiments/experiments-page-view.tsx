import type { Experiment, Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import type { ServiceStatus } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { FlaskConical, SearchX, Unplug } from "lucide-react";
import Link from "next/link";
import { ServiceNotice } from "@/components/services/service-notice";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { mayAsk, serviceSentence } from "@/lib/services";
import { ChosenBar } from "./chosen-bar";
import { ExperimentList } from "./experiment-list";
import { FilterBar } from "./filter-bar";
import type { RunList } from "./list-address";
import { RunTable } from "./run-table";

export type ExperimentsPageViewProps = {
  list: RunList;
  onChange: (part: Partial<RunList>) => void;
  /** Takes every filter away. */
  onPlain: () => void;
  onChoose: (runId: string, chosen: boolean) => void;
  /** MLflow's state; undefined while nobody knows it. */
  mlflow: ServiceStatus | undefined;
  /** Undefined while nothing was read yet, as below. */
  experiments: readonly Experiment[] | undefined;
  runs: readonly Run[] | undefined;
  /** Why MLflow refused the search, in its words. */
  refused: string | undefined;
  error: Error | null;
  /** What is shown was read earlier: the last try failed, or MLflow or the server has been away since. */
  stale: boolean;
  /** When it was read, milliseconds since the epoch. */
  readAt: number;
  /** The runs that are shown are those of the filter before. */
  filtering: boolean;
  hasMore: boolean;
  loadingMore: boolean;
  onMore: () => void;
  onRetry: () => void;
};

/** Experiments at the left, their runs with figures and small curves at the right. */
export function ExperimentsPageView(props: ExperimentsPageViewProps) {
  const { list, mlflow, experiments, runs, error, stale, readAt, onRetry } = props;
  const again = (
    <Button size="sm" onClick={onRetry}>
      Read again
    </Button>
  );
  const nothing = runs === undefined;
  return (
    <>
      <PageHeader title="Experiments" />
      <main className="flex min-h-0 flex-1 flex-col gap-2 p-2 max-md:overflow-y-auto">
        {stale ? (
          <StateLine
            kind="stale"
            framed
            className="flex-none"
            title={`Read at ${new Date(readAt).toLocaleTimeString()}`}
            action={again}
          >
            {error?.message ??
              (mlflow !== undefined && !mayAsk(mlflow)
                ? serviceSentence(mlflow) ||
                  "MLflow does not answer; trainings go on and are written down when it is back."
                : "The server has been away since.")}
          </StateLine>
        ) : null}
        {nothing && mlflow !== undefined && !mayAsk(mlflow) ? (
          <Panel className="min-h-80 flex-1">
            <ServiceNotice
              service={mlflow}
              notConfigured={
                <p>
                  Trainings run without it, and their curves are on the training page. To keep and compare runs, start
                  MLflow and name it in <code className="figure">MLFLOW_TRACKING_URI</code>;{" "}
                  <code className="figure">make run</code> does both.
                </p>
              }
              away="Trainings go on; what they measure is written down when MLflow is back."
              actions={<Button onClick={onRetry}>Try again</Button>}
            />
          </Panel>
        ) : nothing && error !== null ? (
          <Panel className="min-h-80 flex-1">
            <Notice
              icon={<Unplug />}
              tone="danger"
              title="The experiments cannot be read"
              actions={<Button onClick={onRetry}>Try again</Button>}
            >
              {error.message}
            </Notice>
          </Panel>
        ) : experiments !== undefined && runs?.length === 0 && !isFiltered(list) && list.experimentId === "" ? (
          <Panel className="min-h-80 flex-1">
            <Notice
              icon={<FlaskConical />}
              title="No experiments yet"
              actions={
                <Button asChild variant="primary">
                  <Link href="/training" prefetch={false}>
                    Start a training
                  </Link>
                </Button>
              }
            >
              Every training becomes a run here, with its curves, parameters and model. The quick PPO preset takes less
              than a minute.
            </Notice>
          </Panel>
        ) : (
          <div className="flex min-h-0 flex-1 gap-2 max-md:flex-none max-md:flex-col">
            <ExperimentList
              experiments={experiments}
              chosenId={list.experimentId}
              onChoose={(experimentId) => props.onChange({ experimentId })}
            />
            <Runs {...props} />
          </div>
        )}
      </main>
    </>
  );
}

function isFiltered(list: RunList): boolean {
  return list.state !== "" || list.algorithm !== "" || list.sweep !== "" || list.search !== "";
}

function Runs(props: ExperimentsPageViewProps) {
  const { list, runs, refused, filtering, hasMore, loadingMore, onMore, onPlain } = props;
  return (
    <Panel aria-label="Runs" aria-busy={runs === undefined || filtering} className="flex-1 max-md:overflow-visible">
      <FilterBar list={list} runs={runs} refused={refused} onChange={props.onChange} />
      {runs === undefined ? (
        <RunsSkeleton />
      ) : runs.length === 0 ? (
        refused === undefined ? (
          <Notice
            icon={<SearchX />}
            className="min-h-60"
            title={isFiltered(list) ? "No run is like that" : "This experiment has no runs"}
            actions={isFiltered(list) ? <Button onClick={onPlain}>Show all runs</Button> : undefined}
          >
            {isFiltered(list)
              ? "Every filter must hold. Take one away."
              : "They were deleted, or none was started yet."}
          </Notice>
        ) : (
          <div className="min-h-60" />
        )
      ) : (
        <div className="scroll-thin min-h-0 flex-1 overflow-auto max-md:overflow-visible">
          <RunTable runs={runs} chosen={list.chosen} filtering={filtering} onChoose={props.onChoose} />
          {hasMore ? (
            <div className="grid place-items-center border-t p-2">
              <Button size="sm" disabled={loadingMore} onClick={onMore}>
                {loadingMore ? "Reading…" : "Show older runs"}
              </Button>
            </div>
          ) : null}
        </div>
      )}
      <ChosenBar chosen={list.chosen} onClear={() => props.onChange({ chosen: [] })} />
    </Panel>
  );
}

function RunsSkeleton() {
  return (
    <div className="space-y-2 p-3">
      {["1", "2", "3", "4", "5", "6", "7", "8"].map((place) => (
        <Skeleton key={place} className="h-12" />
      ))}
      <span className="sr-only">The runs are loading.</span>
    </div>
  );
}
