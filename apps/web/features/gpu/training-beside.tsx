"use client";

import { CurveKey } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import type { Training } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { useQuery } from "@tanstack/react-query";
import { ArrowRight, Dumbbell } from "lucide-react";
import Link from "next/link";
import { ProgressBar } from "@/components/services/progress-bar";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { percent, shortCount, signed } from "@/lib/format";
import { CourseChart } from "./course-chart";
import { deviceCurvesQuery } from "./queries";
import { trainingCourse } from "./training-courses";

type TrainingBesideProps = {
  /** The run that holds the device; undefined when none does. */
  training: Training | undefined;
  /** What the device is called: "GPU 0". */
  device: string;
  now: number;
  minutes: number;
  syncKey: string;
};

/** The training that runs on a device, on the same clock as the device's own figures. */
export function TrainingBeside({ training, device, now, minutes, syncKey }: TrainingBesideProps) {
  const curves = useQuery(deviceCurvesQuery(training?.runId ?? ""));
  if (training === undefined) {
    return (
      <Panel aria-label={`Training on ${device}`} className="min-h-60">
        <Notice
          icon={<Dumbbell />}
          title={`No training runs on ${device}`}
          actions={
            <Button asChild>
              <Link href="/training" prefetch={false}>
                Start a training
              </Link>
            </Button>
          }
        >
          Its reward stands here beside what the device does.
        </Notice>
      </Panel>
    );
  }
  return (
    <Panel aria-label={`Training on ${device}`}>
      <TrainingHead training={training} />
      <div className="flex flex-1 flex-col gap-2 p-3">
        <TrainingProgressLine training={training} />
        <h3 className="mt-1 text-sub text-text-2">Reward of the episodes</h3>
        <CourseChart
          label="Reward"
          color="--curve-3"
          course={trainingCourse(curves.data, CurveKey.EPISODE_REWARD, now)}
          write={(value) => signed(value, 2)}
          minutes={minutes}
          syncKey={syncKey}
          empty={curves.isError ? "The curves cannot be read now." : "No episode has ended yet."}
          className="h-48 lg:h-auto lg:min-h-48 lg:flex-1"
        />
      </div>
    </Panel>
  );
}

/** What runs, and the way to it. */
export function TrainingHead({ training }: { training: Training }) {
  return (
    <PanelHead>
      <PanelTitle>
        {training.title || training.name} <span className="figure font-normal text-text-3">{training.device}</span>
      </PanelTitle>
      <Button asChild variant="ghost" size="sm" className="-mr-2">
        <Link href={`/training/${training.runId}`} prefetch={false}>
          Open
          <ArrowRight aria-hidden="true" />
        </Link>
      </Button>
    </PanelHead>
  );
}

/** How far a run is, and how fast. */
export function TrainingProgressLine({ training }: { training: Training }) {
  const { latest, totalTimesteps } = training;
  const share = totalTimesteps > 0n ? Number(latest?.timesteps ?? 0n) / Number(totalTimesteps) : 0;
  return (
    <div>
      <div className="figure mb-1 flex justify-between text-meta text-text-3">
        <span>
          {shortCount(latest?.timesteps ?? 0n)} of {shortCount(totalTimesteps)} steps
        </span>
        <span>{latest === undefined ? "" : `${shortCount(Math.round(latest.stepsPerSecond))} steps/s`}</span>
        <span>{latest?.successRate === undefined ? "" : `success ${percent(latest.successRate)}`}</span>
      </div>
      <ProgressBar label="Steps learned" share={share} />
    </div>
  );
}
