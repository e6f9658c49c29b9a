import type { TrainingCheckpoint } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import { ArrowLeft, RotateCw, SearchX, Unplug } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useState } from "react";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { Tabs, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { cn } from "@/lib/class-names";
import { ProbePanel } from "./probe-panel";
import { RunActions } from "./run-actions";
import { LearningCurves, ResourceCurves } from "./run-curves";
import { RunHead } from "./run-head";
import { RunLog } from "./run-log";
import type { RunSnapshot } from "./run-record";
import type { Smoothing } from "./training-settings";
import { isOpen } from "./training-words";

export type RunPageViewProps = {
  snapshot: RunSnapshot;
  connection: ConnectionState;
  /** This client's clock, milliseconds since the epoch. */
  now: number;
  smoothing: Smoothing;
  onSmoothing: (smoothing: Smoothing) => void;
  /** Index of the shown checkpoint; −1 before the first. */
  checkpoint: number;
  following: boolean;
  onCheckpoint: (index: number) => void;
  onFollow: () => void;
  onPick: (timesteps: number) => void;
  busy: "stopping" | "resuming" | undefined;
  /** Why the last stop or resume did not work. */
  problem: { readonly title: string; readonly message: string } | undefined;
  onStop: () => void;
  onResume: () => void;
  onRetry: () => void;
};

const phoneTabs = [
  { value: "curves", label: "Curves" },
  { value: "maze", label: "Maze" },
  { value: "log", label: "Log" },
] as const;
type PhoneTab = (typeof phoneTabs)[number]["value"];

/** One run from props: every state of it can be shown without a server. */
export function RunPageView(props: RunPageViewProps) {
  const { snapshot, connection, checkpoint, smoothing } = props;
  const { training, checkpoints } = snapshot;
  const [tab, setTab] = useState<PhoneTab>("curves");
  const chosen: TrainingCheckpoint | undefined = checkpoints[checkpoint];
  const actions = <RunActions training={training} busy={props.busy} onStop={props.onStop} onResume={props.onResume} />;
  return (
    <>
      <RunHeader runId={training.runId} title={training.title} />
      <Tabs
        role="region"
        aria-label="Choice of view"
        value={tab}
        onValueChange={(value) => setTab(phoneTabs.find((one) => one.value === value)?.value ?? "curves")}
        className="md:hidden"
      >
        <TabsList className="bg-panel" aria-label="Views">
          {phoneTabs.map((one) => (
            <TabsTrigger key={one.value} value={one.value} aria-controls={`view-${one.value}`}>
              {one.label}
            </TabsTrigger>
          ))}
        </TabsList>
      </Tabs>
      <main className="scroll-thin flex min-h-0 flex-1 flex-col gap-2 overflow-y-auto p-2">
        <ConnectionLine connection={connection} onRetry={props.onRetry} />
        {props.problem === undefined ? null : (
          <StateLine kind="problem" framed title={props.problem.title} className="flex-none">
            {props.problem.message}
          </StateLine>
        )}
        {training.notices.map((notice) => (
          <StateLine key={notice} kind="stale" framed title="The run goes on" className="flex-none">
            {notice}
          </StateLine>
        ))}
        <RunHead snapshot={snapshot} now={props.now} actions={actions} compact={tab !== "curves"} />
        <div className="grid gap-2 md:min-h-0 md:flex-1 md:grid-cols-[minmax(0,1fr)_minmax(300px,376px)] md:grid-rows-[minmax(400px,1fr)_minmax(150px,200px)]">
          <div id="view-curves" className={cn("min-h-0", tab === "curves" ? "" : "max-md:hidden")}>
            <LearningCurves
              snapshot={snapshot}
              smoothing={smoothing}
              onSmoothing={props.onSmoothing}
              chosen={chosen}
              onPick={props.onPick}
            />
          </div>
          <ProbePanel
            checkpoints={checkpoints}
            index={checkpoint}
            following={props.following}
            live={isOpen(training)}
            onShow={props.onCheckpoint}
            onFollow={props.onFollow}
            className={cn("max-md:min-h-[520px]", tab === "maze" ? "" : "max-md:hidden")}
          />
          <div className={cn("min-h-0", tab === "curves" ? "" : "max-md:hidden")}>
            <ResourceCurves snapshot={snapshot} smoothing={smoothing} />
          </div>
          <RunLog lines={snapshot.lines} className={cn("max-md:min-h-[420px]", tab === "log" ? "" : "max-md:hidden")} />
        </div>
      </main>
      <section
        aria-label="Actions of the run"
        className="flex shrink-0 gap-2 border-t bg-panel p-2 md:hidden [&>:first-child]:flex-1"
      >
        {actions}
      </section>
    </>
  );
}

function RunHeader({ runId, title = "" }: { runId: string; title?: string }) {
  return (
    <PageHeader title="Training" replaceTitle>
      <Link
        href="/training"
        prefetch={false}
        className="flex h-8 min-w-0 items-center gap-1.5 rounded-small px-2 text-sub text-text-2 hover:bg-active hover:text-text max-md:h-11"
      >
        <ArrowLeft className="size-4 shrink-0" aria-hidden="true" />
        <span className="max-md:sr-only">All runs</span>
      </Link>
      <span className="figure min-w-0 truncate text-sub text-text-3 max-md:hidden">{runId}</span>
      <span className="min-w-0 truncate font-semibold text-title md:hidden">{title || runId}</span>
    </PageHeader>
  );
}

/** What is held and what comes next while the stream is cut; nothing while all is well. */
function ConnectionLine({ connection, onRetry }: { connection: ConnectionState; onRetry: () => void }) {
  if (connection.kind === "reconnecting") {
    return (
      <StateLine
        kind="reconnecting"
        framed
        className="flex-none"
        title={connection.error.title}
        action={
          <Button size="sm" onClick={onRetry}>
            <RotateCw />
            Retry now
          </Button>
        }
      >
        The training goes on meanwhile; what happens now arrives when the connection is back.
      </StateLine>
    );
  }
  if (connection.kind === "disconnected" && connection.reason.kind === "failed") {
    return (
      <StateLine kind="problem" framed className="flex-none" title={connection.reason.error.title}>
        {connection.reason.error.hint}
      </StateLine>
    );
  }
  return null;
}

type RunMissingProps = { runId: string; missing: boolean; message: string; retrying: boolean; onRetry: () => void };

/** A run that is not there, or cannot be read now. */
export function RunMissing({ runId, missing, message, retrying, onRetry }: RunMissingProps) {
  return (
    <RunFrame runId={runId}>
      <Panel className="min-h-80 flex-1">
        <Notice
          icon={missing ? <SearchX /> : <Unplug />}
          tone={missing ? "plain" : "danger"}
          title={missing ? "There is no such run" : "The run cannot be read"}
          actions={
            <>
              {missing ? null : <Button onClick={onRetry}>Try again</Button>}
              <Button asChild>
                <Link href="/training" prefetch={false}>
                  All runs
                </Link>
              </Button>
            </>
          }
        >
          {message} {retrying ? "It is tried again by itself." : ""}
        </Notice>
      </Panel>
    </RunFrame>
  );
}

/** The page while the run is on its way. */
export function RunPageLoading({ runId }: { runId: string }) {
  return (
    <RunFrame runId={runId}>
      <div aria-busy="true" className="flex min-h-0 flex-1 flex-col gap-2">
        <Skeleton className="h-28 shrink-0 rounded-panel" />
        <div className="grid min-h-0 flex-1 gap-2 md:grid-cols-[minmax(0,1fr)_minmax(300px,376px)] md:grid-rows-[minmax(400px,1fr)_minmax(150px,200px)]">
          <Skeleton className="rounded-panel" />
          <Skeleton className="rounded-panel max-md:hidden" />
          <Skeleton className="rounded-panel max-md:hidden" />
          <Skeleton className="rounded-panel max-md:hidden" />
        </div>
        <span className="sr-only">The run is loading.</span>
      </div>
    </RunFrame>
  );
}

function RunFrame({ runId, children }: { runId: string; children: ReactNode }) {
  return (
    <>
      <RunHeader runId={runId} />
      <main className="scroll-thin flex min-h-0 flex-1 flex-col gap-2 overflow-y-auto p-2">{children}</main>
    </>
  );
}
