import { ServiceState, type ServiceStatus } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { GpuState } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import type { Training } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { Cpu, type LucideIcon, MicrochipIcon, TimerOff, TriangleAlert, Unplug } from "lucide-react";
import { type ReactNode, useState } from "react";
import { ServiceNotice } from "@/components/services/service-notice";
import { PageHeader } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel } from "@/components/ui/panel";
import { Segmented } from "@/components/ui/segmented";
import { Skeleton } from "@/components/ui/skeleton";
import { StateLine } from "@/components/ui/state-line";
import { mayAsk, serviceSentence, serviceWords } from "@/lib/services";
import { CpuPanels } from "./cpu-panels";
import { GpuCard } from "./gpu-card";
import type { GpuSnapshot } from "./gpu-history";
import { lastGood } from "./gpu-readings";
import { TrainingBeside } from "./training-beside";
import { trainingOn } from "./training-courses";

export type GpuPageViewProps = {
  /** All trainers; a choice is offered where there are several. */
  trainers: readonly ServiceStatus[];
  /** The one whose GPUs are shown; undefined while nobody knows one. */
  trainer: ServiceStatus | undefined;
  onTrainer: (name: string) => void;
  snapshot: GpuSnapshot;
  /** The newest runs; undefined while they were not read. */
  trainings: readonly Training[] | undefined;
  /** Why the server does not answer at all. */
  serverError: Error | null;
  onRetry: () => void;
};

const windows = [
  { value: "5", label: "5 min" },
  { value: "15", label: "15 min" },
] as const;

/** What the GPUs do, and how the training on each of them goes. */
export function GpuPageView(props: GpuPageViewProps) {
  const { trainers, trainer, onTrainer, snapshot } = props;
  const [minutes, setMinutes] = useState<"5" | "15">("5");
  return (
    <>
      <PageHeader title="GPU">
        {trainers.length > 1 ? (
          <Segmented
            label="Trainer"
            value={trainer?.name ?? ""}
            options={trainers.map(({ name }) => ({ value: name, label: serviceWords(name).name }))}
            onChange={onTrainer}
          />
        ) : null}
        {snapshot.readings.length === 0 ? null : (
          <Segmented label="Window" value={minutes} options={windows} onChange={setMinutes} className="max-md:hidden" />
        )}
      </PageHeader>
      <main className="scroll-thin flex min-h-0 flex-1 flex-col gap-2 overflow-y-auto p-2">
        <Content {...props} minutes={Number(minutes)} />
      </main>
    </>
  );
}

function Content(props: GpuPageViewProps & { minutes: number }) {
  const { trainer, snapshot, trainings, serverError, onRetry, minutes } = props;
  const { readings, receivedAt, connection } = snapshot;
  const newest = readings.at(-1);
  const retry = <Button onClick={onRetry}>Try again</Button>;

  if (newest === undefined) {
    if (trainer !== undefined && !mayAsk(trainer)) {
      return (
        <Panel className="min-h-80 flex-1">
          <ServiceNotice
            service={trainer}
            notConfigured={
              <p>
                Trainings and the reading of GPUs need one. Start the trainer and name it in{" "}
                <code className="figure">TRAINER_URL</code>; <code className="figure">make run</code> does both.
              </p>
            }
            away="Its GPUs come by themselves when it is back."
            actions={trainer.state === ServiceState.PREPARING ? undefined : retry}
          />
        </Panel>
      );
    }
    if (connection.kind === "disconnected" && connection.reason.kind === "failed") {
      return (
        <Panel className="min-h-80 flex-1">
          <Notice icon={<TriangleAlert />} tone="danger" title={connection.reason.error.title} actions={retry}>
            {connection.reason.error.hint}
          </Notice>
        </Panel>
      );
    }
    if (serverError !== null || connection.kind === "reconnecting") {
      return (
        <Panel className="min-h-80 flex-1">
          <Notice icon={<Unplug />} tone="warn" title="The GPUs cannot be read" actions={retry}>
            {serverError?.message ??
              "The server answers, and its trainer does not send readings. It is asked again by itself."}
          </Notice>
        </Panel>
      );
    }
    return <GpuSkeleton />;
  }

  const good = lastGood(readings);
  const cut = connection.kind === "reconnecting" || serverError !== null || (trainer !== undefined && !mayAsk(trainer));
  const readAt = new Date(receivedAt).toLocaleTimeString();
  const isOk = newest.state === GpuState.OK;
  const now = newest.takenAt;
  const trainerName = props.trainers.length > 1 ? (trainer?.name ?? "") : "";
  return (
    <>
      {cut ? (
        <StateLine
          kind="stale"
          framed
          className="flex-none"
          title={`Readings of ${readAt}`}
          action={
            <Button size="sm" onClick={onRetry}>
              Try again
            </Button>
          }
        >
          {trainer !== undefined && !mayAsk(trainer) && trainer.message !== ""
            ? serviceSentence(trainer)
            : (serverError?.message ?? "The readings stopped. They go on by themselves when the trainer answers.")}
        </StateLine>
      ) : null}
      {isOk ? null : <Trouble state={newest.state} message={newest.message} remembered={good !== undefined} />}
      {good === undefined || newest.state === GpuState.NO_GPU || newest.state === GpuState.NO_DRIVER ? (
        <CpuPanels training={trainingOn(trainings ?? [], undefined, trainerName)} now={now} minutes={minutes} />
      ) : (
        good.gpus.map((gpu) => (
          <div
            key={gpu.index}
            className="grid shrink-0 gap-2 lg:max-h-[760px] lg:min-h-[440px] lg:flex-1 lg:grid-cols-[minmax(0,1fr)_400px]"
          >
            <GpuCard gpu={gpu} readings={readings} now={now} minutes={minutes} stale={cut || !isOk} />
            <TrainingBeside
              training={trainingOn(trainings ?? [], gpu.index, trainerName)}
              device={`GPU ${gpu.index}`}
              now={now}
              minutes={minutes}
              syncKey={`gpu-${gpu.index}`}
            />
          </div>
        ))
      )}
    </>
  );
}

type TroubleWords = { icon: LucideIcon; title: string; tone: "plain" | "warn"; todo: ReactNode };

/** What each state that is not OK means, and what can be done. */
const troubles: Partial<Record<GpuState, TroubleWords>> = {
  [GpuState.NO_DRIVER]: {
    icon: Cpu,
    title: "Trainings run on the CPU",
    tone: "plain",
    todo: "With an NVIDIA GPU in the trainer's machine, install its driver; nvidia-smi comes with it, and this page finds it by itself.",
  },
  [GpuState.NO_GPU]: {
    icon: MicrochipIcon,
    title: "The driver finds no GPU",
    tone: "plain",
    todo: "Trainings run on the CPU. If there is a GPU, see whether it is seated, powered, and passed through to the container.",
  },
  [GpuState.TIMED_OUT]: {
    icon: TimerOff,
    title: "The driver does not answer",
    tone: "warn",
    todo: "Try nvidia-smi in a terminal of the trainer's machine. A driver that hangs needs a restart of the machine; trainings on the CPU go on.",
  },
  [GpuState.UNREADABLE]: {
    icon: TriangleAlert,
    title: "The readings make no sense",
    tone: "warn",
    todo: "Try nvidia-smi in a terminal of the trainer's machine: driver and library may be of different versions after an update.",
  },
};

function Trouble({ state, message, remembered }: { state: GpuState; message: string; remembered: boolean }) {
  const words = troubles[state] ?? {
    icon: TriangleAlert,
    title: "The trainer does not say how its GPUs are",
    tone: "warn" as const,
    todo: "",
  };
  const Icon = words.icon;
  return (
    <Panel aria-label="State of the GPUs" role="status" className="shrink-0 p-3">
      <div className="flex items-start gap-3">
        <span
          className={
            words.tone === "warn"
              ? "grid size-9 shrink-0 place-items-center rounded-control border border-warn/40 text-warn"
              : "grid size-9 shrink-0 place-items-center rounded-control border bg-raised text-text-2"
          }
        >
          <Icon className="size-5" aria-hidden="true" />
        </span>
        <div className="min-w-0 space-y-0.5">
          <h2 className="font-semibold text-title">{words.title}</h2>
          {message === "" ? null : <p className="text-body text-text-2">{message}</p>}
          {words.todo === "" ? null : <p className="max-w-[120ch] text-sub text-text-3">{words.todo}</p>}
          {remembered && words.tone === "warn" ? (
            <p className="text-sub text-text-3">Below is what was read before.</p>
          ) : null}
        </div>
      </div>
    </Panel>
  );
}

function GpuSkeleton() {
  return (
    <div aria-busy="true" className="grid gap-2 lg:grid-cols-[minmax(0,1fr)_400px]">
      <Skeleton className="h-[420px]" />
      <Skeleton className="h-[420px]" />
      <span className="sr-only">The GPUs are being read.</span>
    </div>
  );
}
