"use client";

import type { TrainingCheckpoint } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { useQuery } from "@tanstack/react-query";
import { Radio, RotateCcw, StepBack, StepForward } from "lucide-react";
import { useTheme } from "next-themes";
import { useMemo } from "react";
import { usePageKeys } from "@/components/shell/page-keys";
import { Button } from "@/components/ui/button";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Skeleton } from "@/components/ui/skeleton";
import { Slider } from "@/components/ui/slider";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import { count, decimal, percent, shortCount } from "@/lib/format";
import { mazeQuery } from "@/lib/queries";
import { useReducedMotion } from "@/lib/use-reduced-motion";
import { ProbeBoard } from "./probe-board";
import { useProbe } from "./use-probe";

type ProbePanelProps = {
  checkpoints: readonly TrainingCheckpoint[];
  /** Index of the shown one; the newest while one follows. */
  index: number;
  following: boolean;
  /** Whether more checkpoints may come. */
  live: boolean;
  onShow: (index: number) => void;
  onFollow: () => void;
  className?: string;
};

const boardView: Omit<MazeView, "reducedMotion"> = {
  heat: "visits",
  arrows: false,
  trail: true,
  rulers: false,
  stepsPerSecond: 0,
};

/** One validation maze, the same at every checkpoint: watch the policy learn, and drag back to when it could not. */
export function ProbePanel({ checkpoints, index, following, live, onShow, onFollow, className }: ProbePanelProps) {
  const checkpoint = checkpoints[index];
  const mazeId = checkpoint?.probe?.mazeId ?? checkpoints.find(({ probe }) => probe !== undefined)?.probe?.mazeId ?? "";
  const maze = useQuery({ ...mazeQuery(mazeId), enabled: mazeId !== "" });
  const reducedMotion = useReducedMotion();
  const { resolvedTheme } = useTheme();
  const { playback, replay } = useProbe(maze.data, checkpoint, reducedMotion);
  usePageKeys([{ keys: [" "], does: "Play the maze again", group: "Watch it learn", run: replay }]);
  const view = useMemo(() => ({ ...boardView, reducedMotion }), [reducedMotion]);
  const last = checkpoints.length - 1;
  const steps = checkpoint?.probe?.actions.length ?? 0;
  const outcome = probeWords(checkpoint, maze.data?.shortestPath ?? 0);
  return (
    <Panel className={className} aria-label="Probe maze">
      <PanelHead className="max-md:py-1">
        <PanelTitle>Watch it learn</PanelTitle>
        {live && checkpoints.length > 0 ? (
          <Button
            size="sm"
            variant={following ? "ghost" : "outline"}
            disabled={following}
            onClick={onFollow}
            className={cn(following && "text-accent disabled:opacity-100")}
          >
            <Radio />
            {following ? "Newest" : "To the newest"}
          </Button>
        ) : (
          <span className="figure truncate text-sub text-text-3">{mazeId}</span>
        )}
      </PanelHead>
      <div className="relative min-h-48 flex-1">
        {checkpoint?.probe === undefined ? (
          <NoProbe live={live} />
        ) : maze.data === undefined ? (
          <Skeleton className="absolute inset-3" />
        ) : (
          <ProbeBoard
            playback={playback}
            theme={resolvedTheme === "light" ? LIGHT_MAZE_THEME : DARK_MAZE_THEME}
            view={view}
            label={`Maze ${mazeId}, played by the policy of ${count(checkpoint.timesteps)} steps: ${outcome}`}
          />
        )}
      </div>
      <div className="space-y-2 border-t p-3 max-md:py-2">
        <div className="flex items-center gap-1">
          <Tooltip text="Checkpoint before" shortcut="←">
            <Button
              variant="ghost"
              size="icon"
              aria-label="Checkpoint before"
              disabled={index <= 0}
              onClick={() => onShow(index - 1)}
            >
              <StepBack />
            </Button>
          </Tooltip>
          <Slider
            aria-label="Checkpoint"
            min={0}
            max={Math.max(1, last)}
            value={Math.max(0, index)}
            disabled={last < 1}
            valueText={
              checkpoint === undefined
                ? "none yet"
                : `${count(checkpoint.timesteps)} steps, validation success ${percent(checkpoint.validation?.rate ?? 0)}`
            }
            onValueChange={onShow}
          />
          <Tooltip text="Next checkpoint" shortcut="→">
            <Button
              variant="ghost"
              size="icon"
              aria-label="Next checkpoint"
              disabled={index >= last}
              onClick={() => onShow(index + 1)}
            >
              <StepForward />
            </Button>
          </Tooltip>
          <Tooltip text="Play it again" shortcut="Space">
            <Button
              variant="ghost"
              size="icon"
              aria-label="Play it again"
              disabled={checkpoint === undefined}
              onClick={replay}
            >
              <RotateCcw />
            </Button>
          </Tooltip>
        </div>
        <dl className="grid grid-cols-3 gap-2">
          <Fact term="Learned" value={checkpoint === undefined ? "–" : shortCount(checkpoint.timesteps)} note="steps" />
          <Fact
            term="Validation"
            value={checkpoint?.validation === undefined ? "–" : percent(checkpoint.validation.rate)}
            note={
              checkpoint?.validation === undefined
                ? "success"
                : `${decimal(checkpoint.validation.intervalLow * 100, 1)}–${decimal(checkpoint.validation.intervalHigh * 100, 1)}`
            }
          />
          <Fact
            term="This maze"
            value={
              checkpoint?.probe === undefined
                ? "–"
                : checkpoint.probe.reachedGoal
                  ? `${count(steps)} steps`
                  : "not solved"
            }
            note={checkpoint?.probe === undefined ? "" : `shortest ${count(maze.data?.shortestPath ?? 0)}`}
          />
        </dl>
      </div>
      <p role="status" className="sr-only">
        {following || checkpoint === undefined ? "" : `Checkpoint at ${count(checkpoint.timesteps)} steps: ${outcome}.`}
      </p>
    </Panel>
  );
}

function probeWords(checkpoint: TrainingCheckpoint | undefined, shortestPath: number): string {
  const probe = checkpoint?.probe;
  if (probe === undefined) return "no probe";
  const steps = count(probe.actions.length);
  return probe.reachedGoal
    ? `solved in ${steps} steps, the shortest path has ${count(shortestPath)}`
    : `not solved in ${steps} steps`;
}

function NoProbe({ live }: { live: boolean }) {
  return (
    <p className="absolute inset-0 grid place-items-center p-6 text-center text-sub text-text-3">
      {live
        ? "At every checkpoint the policy plays one maze that it does not train on. The first one is on its way."
        : "No maze was played: the run ended before its first checkpoint."}
    </p>
  );
}

function Fact({ term, value, note }: { term: string; value: string; note: string }) {
  return (
    <div className="min-w-0">
      <dt className="text-meta text-text-3">{term}</dt>
      <dd className="figure truncate text-body">{value}</dd>
      <dd className="figure truncate text-meta text-text-3">{note || "\u00a0"}</dd>
    </div>
  );
}
