import type { Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import type { TrainingCheckpoint } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX, MapPin, X } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { count, percent } from "@/lib/format";
import { mazeQuery } from "@/lib/queries";
import { runLook } from "./chart-lines";
import type { Comparison } from "./compare-address";
import { ProbePicture } from "./probe-picture";
import { RunSign } from "./run-sign";
import { placeInFull } from "./run-words";
import type { PlaceOfRun } from "./use-checkpoints";

type PlacePanelProps = {
  comparison: Pick<Comparison, "at" | "along">;
  runs: readonly Run[];
  places: readonly PlaceOfRun[];
  onClose: () => void;
};

/** What the policies did at a chosen place of the charts: for each run the probe maze at its nearest checkpoint. */
export function PlacePanel({ comparison, runs, places, onClose }: PlacePanelProps) {
  const { at, along } = comparison;
  if (at === undefined) {
    return (
      <Panel aria-label="Episodes" className="px-3 py-3">
        <p className="flex items-start gap-2 text-sub text-text-3">
          <MapPin className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          Choose a place in a chart, by a click or with the arrow keys and Enter, to see what each policy did there.
        </p>
      </Panel>
    );
  }
  return (
    <Panel aria-label="Episodes" className="animate-appear">
      <PanelHead>
        <PanelTitle>
          At <span className="figure">{placeInFull(along, at)}</span>
        </PanelTitle>
        <Button variant="ghost" size="icon" aria-label="Close the chosen place" onClick={onClose}>
          <X />
        </Button>
      </PanelHead>
      <ul className="grid grid-cols-2 gap-3 p-3">
        {places.map((place) => {
          const index = runs.findIndex(({ runId }) => runId === place.runId);
          const run = runs[index];
          return run === undefined ? null : <Episode key={place.runId} run={run} index={index} place={place} />;
        })}
      </ul>
    </Panel>
  );
}

function Episode({ run, index, place }: { run: Run; index: number; place: PlaceOfRun }) {
  const { checkpoint, state } = place;
  return (
    <li className="min-w-0 space-y-1">
      <div className="flex items-center gap-2">
        <RunSign look={runLook(index)} />
        <span className="figure min-w-0 flex-1 truncate text-meta text-text-2" title={run.name}>
          {run.name}
        </span>
      </div>
      {state === "known" && checkpoint !== undefined ? (
        <Checkpoint run={run} checkpoint={checkpoint} ended={place.step === undefined} />
      ) : state === "loading" ? (
        <Skeleton className="aspect-square w-full" />
      ) : (
        <Missing>
          {state === "failed"
            ? "The training cannot be read now."
            : run.trainingRunId === ""
              ? "Not a training of this trainer: nothing was played."
              : "No checkpoint yet."}
        </Missing>
      )}
    </li>
  );
}

function Missing({ children }: { children: ReactNode }) {
  return (
    <p className="grid aspect-square place-items-center rounded-small border border-dashed p-2 text-center text-meta text-text-3">
      {children}
    </p>
  );
}

function Checkpoint({ run, checkpoint, ended }: { run: Run; checkpoint: TrainingCheckpoint; ended: boolean }) {
  const { probe, validation, timesteps } = checkpoint;
  const maze = useQuery({ ...mazeQuery(probe?.mazeId ?? ""), enabled: probe !== undefined && probe.mazeId !== "" });
  const path = `/training/${run.trainingRunId}?checkpoint=${timesteps}`;
  return (
    <>
      <Link
        href={path}
        prefetch={false}
        aria-label={`${run.name}: training at checkpoint ${count(timesteps)}`}
        className="block rounded-small hover:brightness-110"
      >
        {probe === undefined ? (
          <Missing>This checkpoint was not played.</Missing>
        ) : maze.data === undefined ? (
          maze.isError ? (
            <Missing>The probe maze cannot be read now.</Missing>
          ) : (
            <Skeleton className="aspect-square w-full" />
          )
        ) : (
          <ProbePicture rows={maze.data.rows} probe={probe} />
        )}
      </Link>
      <p className="figure text-meta text-text-3">
        {count(timesteps)} steps{ended ? ", its last" : ""}
      </p>
      <p className="flex items-center gap-1 text-meta">
        {probe === undefined ? null : probe.reachedGoal ? (
          <>
            <CircleCheck className="size-3.5 shrink-0 text-ok" aria-hidden="true" />
            <span className="text-text-2">goal in {count(probe.actions.length)}</span>
          </>
        ) : (
          <>
            <CircleX className="size-3.5 shrink-0 text-warn" aria-hidden="true" />
            <span className="text-text-2">lost after {count(probe.actions.length)}</span>
          </>
        )}
        {validation === undefined ? null : (
          <span className="figure ml-auto text-text-3" title="Validation success">
            {percent(validation.rate)}
          </span>
        )}
      </p>
    </>
  );
}
