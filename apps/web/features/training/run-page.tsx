"use client";

import { TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, Square } from "lucide-react";
import { useRouter } from "next/navigation";
import { useEffect, useMemo, useState } from "react";
import { useCommands } from "@/components/shell/commands";
import { useReportStream } from "@/components/shell/connection-provider";
import { usePageKeys } from "@/components/shell/page-keys";
import { leavePage } from "@/lib/address";
import { BffError } from "@/lib/bff";
import { modelsQuery } from "@/lib/queries";
import { useKept } from "@/lib/use-kept";
import { startTraining, stopTraining, trainingQuery, trainingsQuery } from "./queries";
import { stopLoses } from "./run-actions";
import { RunMissing, RunPageLoading, RunPageView } from "./run-page-view";
import type { RunSession, RunSessionState } from "./run-session";
import {
  parseTrainingSettings,
  TRAINING_SETTINGS_KEY,
  type TrainingSettings,
  writeTrainingSettings,
} from "./training-settings";
import { isOpen } from "./training-words";
import { useNow } from "./use-now";
import { useRunSession, useRunSessionState, useRunSnapshot } from "./use-run-session";

/** How often the place of a run that waits is asked for. */
const QUEUE_MS = 3_000;

type RunPageProps = { runId: string; publicServerUrl: string };

const keptSettings = { key: TRAINING_SETTINGS_KEY, parse: parseTrainingSettings, write: writeTrainingSettings };

/** One training run: fetches, owns the session, and hands everything to the view. */
export function RunPage({ runId, publicServerUrl }: RunPageProps) {
  const session = useRunSession(runId, publicServerUrl);
  const state = useRunSessionState(session);
  const [settings, changeSettings] = useKept(keptSettings);
  if (session === undefined || settings === undefined || state.kind === "loading") {
    return <RunPageLoading runId={runId} />;
  }
  if (state.kind === "failed") {
    return (
      <RunMissing
        runId={runId}
        missing={state.error instanceof BffError && state.error.code === "not_found"}
        message={state.error.message}
        retrying={state.retrying}
        onRetry={() => session.retryNow()}
      />
    );
  }
  return <OpenRun session={session} state={state} settings={settings} changeSettings={changeSettings} />;
}

type OpenRunProps = {
  session: RunSession;
  state: RunSessionState & { readonly kind: "open" };
  settings: TrainingSettings;
  changeSettings: (change: Partial<TrainingSettings>) => void;
};

function OpenRun({ session, state, settings, changeSettings }: OpenRunProps) {
  const { record, connection } = state;
  const snapshot = useRunSnapshot(record);
  const { training, checkpoints } = snapshot;
  const router = useRouter();
  const queryClient = useQueryClient();
  const open = isOpen(training);
  const now = useNow(open);

  // No event tells that a run before this one has ended.
  const queued = training.state === TrainingState.QUEUED;
  const waiting = useQuery({ ...trainingQuery(training.runId), enabled: queued, refetchInterval: QUEUE_MS, gcTime: 0 });
  useEffect(() => {
    if (queued && waiting.data) record.onTraining(waiting.data, Date.now());
  }, [queued, waiting.data, record]);

  // The newest checkpoint, until somebody looks at another one; a link may name one.
  const [picked, setPicked] = useState<number | undefined>(() => addressedCheckpoint(checkpoints));
  const last = checkpoints.length - 1;
  const index = Math.min(picked ?? last, last);
  const show = (wanted: number) => {
    const within = Math.min(last, Math.max(0, wanted));
    setPicked(within === last && open ? undefined : within);
  };

  useReportStream(useMemo(() => ({ state: connection, retryNow: () => session.retryNow() }), [session, connection]));

  // A new model is known to the other pages at once.
  const { modelId, state: runState } = training;
  useEffect(() => {
    if (modelId !== "") void queryClient.invalidateQueries({ queryKey: modelsQuery.queryKey });
  }, [modelId, queryClient]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list of runs is another one with every state.
  useEffect(() => {
    void queryClient.invalidateQueries({ queryKey: trainingsQuery.queryKey });
  }, [runState, queryClient]);

  const stop = useMutation({
    mutationFn: () => stopTraining(training.runId),
  });
  const resume = useMutation({
    mutationFn: () => startTraining({ resumeFrom: training.runId }, crypto.randomUUID()),
    onSuccess: (started) => router.push(`/training/${started.runId}`),
  });

  const clone = () => {
    leavePage();
    router.push(`/training?from=${encodeURIComponent(training.runId)}`);
  };
  usePageKeys([
    {
      keys: ["arrowleft", "arrowright"],
      does: "Checkpoint before or next",
      group: "Watch it learn",
      run: (key) => show(index + (key === "arrowleft" ? -1 : 1)),
    },
    {
      keys: ["home", "end"],
      does: "First or newest checkpoint",
      group: "Watch it learn",
      run: (key) => (key === "home" ? show(0) : setPicked(undefined)),
    },
    {
      keys: ["m"],
      does: "Smoothing",
      group: "Curves",
      run: () => changeSettings({ smoothing: nextSmoothing(settings.smoothing) }),
    },
    { keys: ["c"], does: "Clone with changes", group: "Run", run: clone },
  ]);
  useCommands(() => [
    ...(open && stopLoses(training) === ""
      ? [{ id: "stop-run", group: "Playback" as const, title: "Stop this run", icon: Square, run: () => stop.mutate() }]
      : []),
    { id: "clone-run", group: "Page", title: "Clone this run with changes", icon: Copy, key: "c", run: clone },
  ]);

  return (
    <>
      <RunPageView
        snapshot={snapshot}
        connection={connection}
        now={now}
        smoothing={settings.smoothing}
        onSmoothing={(smoothing) => changeSettings({ smoothing })}
        checkpoint={index}
        following={picked === undefined}
        onCheckpoint={show}
        onFollow={() => setPicked(undefined)}
        onPick={(timesteps) => show(nearestCheckpoint(checkpoints, timesteps))}
        busy={stop.isPending ? "stopping" : resume.isPending ? "resuming" : undefined}
        problem={problemOf(stop.error, resume.error)}
        onStop={() => stop.mutate()}
        onResume={() => resume.mutate()}
        onRetry={() => session.retryNow()}
      />
      <p role="status" className="sr-only">
        {endWords(training.state, modelId)}
      </p>
    </>
  );
}

function nextSmoothing(smoothing: TrainingSettings["smoothing"]): TrainingSettings["smoothing"] {
  return smoothing === "off" ? "some" : smoothing === "some" ? "much" : "off";
}

/** The checkpoint that the address names by its timesteps, `?checkpoint=150000`; undefined when it names none. */
function addressedCheckpoint(checkpoints: readonly { readonly timesteps: bigint }[]): number | undefined {
  const wanted = new URLSearchParams(window.location.search).get("checkpoint") ?? "";
  return checkpoints.length > 0 && /^\d{1,15}$/.test(wanted)
    ? nearestCheckpoint(checkpoints, Number(wanted))
    : undefined;
}

function nearestCheckpoint(checkpoints: readonly { readonly timesteps: bigint }[], timesteps: number): number {
  let nearest = 0;
  checkpoints.forEach((checkpoint, at) => {
    const best = checkpoints[nearest];
    if (best === undefined) return;
    if (Math.abs(Number(checkpoint.timesteps) - timesteps) < Math.abs(Number(best.timesteps) - timesteps)) nearest = at;
  });
  return nearest;
}

/** What did not work, as a title and a sentence. */
function problemOf(stop: Error | null, resume: Error | null) {
  if (stop !== null) return { title: "The run was not stopped", message: stop.message };
  return resume === null ? undefined : { title: "The run was not resumed", message: resume.message };
}

/** Said once when a run ends. */
function endWords(state: TrainingState, modelId: string): string {
  if (state === TrainingState.COMPLETED) {
    return modelId === "" ? "The run is completed." : `The run is completed. The model ${modelId} can be used.`;
  }
  if (state === TrainingState.FAILED) return "The run failed.";
  return state === TrainingState.STOPPED ? "The run was stopped." : "";
}
