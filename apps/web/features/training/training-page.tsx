"use client";

import type { GetTrainingDefaultsResponse } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { useRouter } from "next/navigation";
import { useEffect, useMemo, useRef, useState } from "react";
import { useCommands } from "@/components/shell/commands";
import { Panel } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { leavePage } from "@/lib/address";
import { BffError } from "@/lib/bff";
import { statusQuery } from "@/lib/queries";
import { BusyNotice } from "./busy-notice";
import { serverFaults } from "./config-faults";
import { type ConfigSchema, readConfigSchema } from "./config-schema";
import type { ConfigFault } from "./config-text";
import { cloneDraft, type Draft, presetDraft } from "./draft";
import { busyOf, defaultsQuery, startTraining, trainingQuery, trainingsQuery } from "./queries";
import { RunList } from "./run-list";
import { StartForm } from "./start-form";
import { TrainerNotice } from "./trainer-notice";
import { type TrainerService, trainerService } from "./trainer-service";
import { TrainingPageView } from "./training-page-view";
import { isOpen } from "./training-words";
import { useNow } from "./use-now";

type TrainingPageProps = {
  /** Run whose configuration the form begins with; empty for the first preset. */
  cloneOf: string;
};

/** How often the list is read while something runs, and while nothing does. */
const LIVE_LIST_MS = 2_000;
const QUIET_LIST_MS = 10_000;
/** How often a form that could not be read is asked for again. */
const RETRY_MS = 3_000;

/** Start a training, and find those that there were. */
export function TrainingPage({ cloneOf }: TrainingPageProps) {
  const status = useQuery(statusQuery);
  const trainer = trainerService(status.data);
  const defaults = useQuery({
    ...defaultsQuery,
    retry: false,
    refetchInterval: (query) => (query.state.status === "error" ? RETRY_MS : false),
  });
  const { refetch } = defaults;
  // The form comes as soon as the trainer does.
  useEffect(() => {
    if (trainer.state === "up") void refetch();
  }, [trainer.state, refetch]);
  return (
    <TrainingPageView
      trainer={trainer}
      hasForm={defaults.data !== undefined}
      form={
        defaults.data === undefined ? (
          <NoForm trainer={trainer} error={defaults.error} onRetry={() => void refetch()} />
        ) : (
          <Form defaults={defaults.data} trainer={trainer} cloneOf={cloneOf} />
        )
      }
      runs={<Runs />}
    />
  );
}

function NoForm({ trainer, error, onRetry }: { trainer: TrainerService; error: Error | null; onRetry: () => void }) {
  const waits = error === null && trainer.state !== "preparing" && trainer.state !== "not-configured";
  return (
    <Panel className="h-full min-h-80" aria-label="New training">
      {waits ? (
        <div aria-busy="true" className="space-y-3 p-3">
          <Skeleton className="h-16" />
          <Skeleton className="h-10" />
          <Skeleton className="h-10" />
          <Skeleton className="h-40" />
          <span className="sr-only">The form is loading.</span>
        </div>
      ) : (
        <TrainerNotice trainer={trainer} error={error} onRetry={onRetry} />
      )}
    </Panel>
  );
}

type FormProps = { defaults: GetTrainingDefaultsResponse; trainer: TrainerService; cloneOf: string };

function Form({ defaults, trainer, cloneOf }: FormProps) {
  const schema = useMemo(() => readConfigSchema(defaults.schemaJson), [defaults.schemaJson]);
  const [edited, setEdited] = useState<Draft>();
  const clone = useClone(schema, cloneOf);
  const preset = useMemo(() => {
    const [first] = defaults.presets;
    return first === undefined ? undefined : presetDraft(schema, first);
  }, [schema, defaults.presets]);
  const draft = edited ?? clone.draft ?? preset;

  const router = useRouter();
  const queryClient = useQueryClient();
  // The same text is the same request: a start that was sent twice starts one run.
  const attempt = useRef({ text: "", requestId: "" });
  const start = useMutation({
    mutationFn: ({ text }: { text: string }) => {
      if (attempt.current.text !== text) attempt.current = { text, requestId: crypto.randomUUID() };
      return startTraining({ configYaml: text }, attempt.current.requestId);
    },
    onSuccess: (training) => {
      attempt.current = { text: "", requestId: "" };
      void queryClient.invalidateQueries({ queryKey: trainingsQuery.queryKey });
      leavePage();
      router.push(`/training/${training.runId}`);
    },
    onError: (error) => {
      // What was refused was no run: the next press is another request. What was not answered may have been one.
      if (!(error instanceof BffError && error.retryable)) attempt.current = { text: "", requestId: "" };
    },
  });
  const now = useNow(start.isError);
  const refused = useRefused(start.error, start.variables?.text, draft?.text);
  const begin = () => {
    if (draft !== undefined && draft.faults.length === 0 && !start.isPending) start.mutate({ text: draft.text });
  };
  useCommands(() => [{ id: "start-training", group: "Playback", title: "Start the training", icon: Play, run: begin }]);

  if (draft === undefined || clone.waits) return <NoForm trainer={trainer} error={null} onRetry={() => {}} />;
  const said = start.isError && refused.length === 0 ? start.error : undefined;
  return (
    <StartForm
      defaults={defaults}
      schema={schema}
      draft={draft}
      refused={refused}
      starting={start.isPending || start.isSuccess}
      blocked={blockedBy(trainer)}
      notice={
        said === undefined ? (
          clone.problem
        ) : said instanceof BffError && said.code === "resource_exhausted" ? (
          <BusyNotice busy={busyOf(said)} message={said.message} saidAt={start.submittedAt} now={now} />
        ) : (
          <StateLine kind="problem" title="The training was not started">
            {said.message}
          </StateLine>
        )
      }
      onDraft={(next) => {
        setEdited(next);
        if (start.isError) start.reset();
      }}
      onStart={begin}
    />
  );
}

function blockedBy({ state }: TrainerService): string {
  if (state === "away") return "The trainer does not answer.";
  return state === "preparing" ? "The trainer is being prepared." : "";
}

/** The faults that the server found in the text as it still is. */
function useRefused(error: Error | null, sent: string | undefined, text: string | undefined): readonly ConfigFault[] {
  return useMemo(
    () =>
      error instanceof BffError && error.code === "invalid_argument" && sent !== undefined && sent === text
        ? serverFaults(error, sent)
        : [],
    [error, sent, text],
  );
}

/** The configuration of the run that is to be cloned. */
function useClone(schema: ConfigSchema, runId: string) {
  const run = useQuery({ ...trainingQuery(runId), enabled: runId !== "", staleTime: Number.POSITIVE_INFINITY });
  const configYaml = run.data?.configYaml;
  const draft = useMemo(
    () => (configYaml === undefined ? undefined : cloneDraft(schema, runId, configYaml)),
    [schema, runId, configYaml],
  );
  return {
    draft,
    waits: runId !== "" && run.isPending,
    problem: run.isError ? (
      <StateLine kind="problem" title="The run that you want to clone cannot be read">
        {run.error.message}
      </StateLine>
    ) : null,
  };
}

function Runs() {
  const list = useInfiniteQuery({
    ...trainingsQuery,
    refetchInterval: (query) =>
      query.state.data?.pages[0]?.trainings.some(isOpen) || query.state.status === "error"
        ? LIVE_LIST_MS
        : QUIET_LIST_MS,
  });
  const trainings = useMemo(() => list.data?.pages.flatMap((page) => page.trainings), [list.data]);
  const now = useNow(trainings?.some(isOpen) ?? false);
  return (
    <RunList
      trainings={trainings}
      error={list.error}
      readAt={list.dataUpdatedAt}
      hasMore={list.hasNextPage}
      loadingMore={list.isFetchingNextPage}
      now={now}
      onMore={() => void list.fetchNextPage()}
      onRetry={() => void list.refetch()}
    />
  );
}
