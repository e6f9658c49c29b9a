"use client";

import { CurveKey } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import type { Training } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { useQuery } from "@tanstack/react-query";
import { Dumbbell } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { bytes, decimal, signed } from "@/lib/format";
import { CourseChart } from "./course-chart";
import { deviceCurvesQuery } from "./queries";
import { TrainingHead, TrainingProgressLine } from "./training-beside";
import { trainingCourse } from "./training-courses";

type CpuPanelsProps = {
  /** The run that the CPU works for; undefined when there is none. */
  training: Training | undefined;
  now: number;
  minutes: number;
};

const percentOfCore = (value: number) => `${decimal(value, 0)}\u202f%`;

/** Where there is no GPU: what the running training takes of the processor and of the memory. */
export function CpuPanels({ training, now, minutes }: CpuPanelsProps) {
  const curves = useQuery(deviceCurvesQuery(training?.runId ?? ""));
  if (training === undefined) {
    return (
      <Panel aria-label="Training on the CPU" className="min-h-72 flex-1">
        <Notice
          icon={<Dumbbell />}
          title="No training is running"
          actions={
            <Button asChild variant="primary">
              <Link href="/training" prefetch={false}>
                Start a training
              </Link>
            </Button>
          }
        >
          While one runs, this page shows what it takes of the processor and the memory. The quick PPO preset needs less
          than a minute on two cores.
        </Notice>
      </Panel>
    );
  }
  const { latest } = training;
  const empty = curves.isError ? "The curves cannot be read now." : "The first figures are on their way.";
  const chart = { minutes, syncKey: "cpu", empty };
  return (
    <>
      <Panel aria-label="Training on the CPU" className="shrink-0">
        <TrainingHead training={training} />
        <div className="p-3">
          <TrainingProgressLine training={training} />
        </div>
      </Panel>
      <div className="grid shrink-0 gap-2 lg:max-h-[560px] lg:min-h-72 lg:flex-1 lg:grid-cols-3">
        <Figure
          name="Processor"
          value={latest === undefined ? "–" : percentOfCore(latest.cpuPercent)}
          note={latest === undefined ? "" : `${decimal(latest.cpuPercent / 100, 1)} cores of the training's process`}
        >
          <CourseChart
            label="Processor"
            color="--curve-1"
            course={trainingCourse(curves.data, CurveKey.CPU_PERCENT, now)}
            write={percentOfCore}
            low={0}
            high={100}
            className="h-48 lg:h-full"
            {...chart}
          />
        </Figure>
        <Figure
          name="Memory"
          value={latest === undefined ? "–" : bytes(latest.memoryBytes)}
          note="held by the training's process"
        >
          <CourseChart
            label="Memory"
            color="--curve-5"
            course={trainingCourse(curves.data, CurveKey.MEMORY_BYTES, now)}
            write={bytes}
            low={0}
            className="h-48 lg:h-full"
            {...chart}
          />
        </Figure>
        <Figure
          name="Reward"
          value={latest?.reward === undefined ? "–" : signed(latest.reward, 2)}
          note="mean of the last 100 episodes"
        >
          <CourseChart
            label="Reward"
            color="--curve-3"
            course={trainingCourse(curves.data, CurveKey.EPISODE_REWARD, now)}
            write={(value) => signed(value, 2)}
            className="h-48 lg:h-full"
            {...chart}
          />
        </Figure>
      </div>
    </>
  );
}

type FigureProps = { name: string; value: string; note: string; children: ReactNode };

function Figure({ name, value, note, children }: FigureProps) {
  return (
    <Panel aria-label={name}>
      <PanelHead>
        <PanelTitle>{name}</PanelTitle>
        <span className="flex items-baseline gap-2">
          <span className="truncate text-meta text-text-3">{note}</span>
          <span className="figure whitespace-nowrap font-medium text-title">{value}</span>
        </span>
      </PanelHead>
      <div className="min-h-0 flex-1 p-1">{children}</div>
    </Panel>
  );
}
