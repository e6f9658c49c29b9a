import { type Training, TrainingPhase, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { Boxes, Copy, Eye, FlaskConical, Play, Square } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { momentPath } from "@/lib/moment-link";
import { isOpen } from "./training-words";

const StopDialog = dynamic(() => import("./stop-dialog").then((module) => module.StopDialog), { ssr: false });

type RunActionsProps = {
  training: Training;
  /** What is under way. */
  busy: "stopping" | "resuming" | undefined;
  onStop: () => void;
  onResume: () => void;
};

/** A held-out maze: no training plays it. */
const UNSEEN_MAZE = "heldout-0007";

/** Where a model is seen at work in a maze that it has never seen. */
export function watchPath(modelId: string): string {
  const moment = momentPath({
    mode: "watch",
    lanes: [{ policy: { modelId }, sampling: "greedy" }],
    maze: { mazeId: UNSEEN_MAZE },
    seed: 1n,
    step: 0,
  });
  return `${moment}&play=1`;
}

/** What stopping now would lose, in one sentence; empty where the run can go on later. */
export function stopLoses(training: Training): string {
  if (training.state !== TrainingState.RUNNING) return "";
  if (training.phase > TrainingPhase.LEARNING)
    return "It has learned all of its steps and is about to finish: stopped now, it brings no model and cannot go on.";
  if (training.bestCheckpoint === undefined && (training.latest?.timesteps ?? 0n) > 0n)
    return "It has no checkpoint yet: what it learned so far is lost, and it cannot go on.";
  return "";
}

/** What can be done with a run. */
export function RunActions({ training, busy, onStop, onResume }: RunActionsProps) {
  const [asking, setAsking] = useState(false);
  const loses = stopLoses(training);
  const open = isOpen(training);
  return (
    <>
      {training.modelId === "" ? null : (
        <Button asChild variant="primary">
          <Link href={watchPath(training.modelId)} prefetch={false}>
            <Eye />
            Watch it solve an unseen maze
          </Link>
        </Button>
      )}
      {open ? (
        <Button
          variant="danger"
          disabled={busy !== undefined || training.state === TrainingState.STOPPING}
          onClick={() => (loses === "" ? onStop() : setAsking(true))}
        >
          <Square />
          {busy === "stopping" || training.state === TrainingState.STOPPING ? "Stopping…" : "Stop"}
        </Button>
      ) : null}
      {training.resumable && !open ? (
        <Button variant="primary" disabled={busy !== undefined} onClick={onResume}>
          <Play />
          {busy === "resuming" ? "Resuming…" : "Resume"}
        </Button>
      ) : null}
      <Button asChild>
        <Link href={`/training?from=${encodeURIComponent(training.runId)}`} prefetch={false}>
          <Copy />
          Clone
        </Link>
      </Button>
      {training.mlflowRunId === "" ? null : (
        <Button asChild variant="ghost" className="max-md:hidden">
          <Link href={`/experiments/compare?runs=${training.mlflowRunId}`} prefetch={false}>
            <FlaskConical />
            Experiment
          </Link>
        </Button>
      )}
      {training.modelId === "" ? null : (
        <Button asChild variant="ghost" className="max-md:hidden">
          <Link href="/models" prefetch={false}>
            <Boxes />
            Models
          </Link>
        </Button>
      )}
      {asking ? (
        <StopDialog
          loses={loses}
          onClose={() => setAsking(false)}
          onStop={() => {
            setAsking(false);
            onStop();
          }}
        />
      ) : null}
    </>
  );
}
