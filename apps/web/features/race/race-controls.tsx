import { Pause, Play, Radio, RotateCcw, SkipForward, StepBack, StepForward } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Slider } from "@/components/ui/slider";
import { Tooltip } from "@/components/ui/tooltip";
import { SpeedControl } from "@/features/inference/speed-control";
import { cn } from "@/lib/class-names";
import { count } from "@/lib/format";
import type { Activity } from "./race-session";

type RaceControlsProps = {
  activity: Activity;
  /** Whether something moves: the race, or a play from memory. */
  moving: boolean;
  /** Whether the newest step is shown. */
  following: boolean;
  /** False while there is nothing to play. */
  enabled: boolean;
  shownStep: number;
  liveStep: number;
  maxSteps: number;
  stepsPerSecond: number;
  onPlay: () => void;
  onStop: () => void;
  onReset: () => void;
  onStep: () => void;
  onBack: () => void;
  onNext: () => void;
  onShow: (step: number) => void;
  onLive: () => void;
  onSpeed: (stepsPerSecond: number) => void;
  className?: string;
};

const activityText: Record<Activity, string> = {
  ready: "ready",
  running: "live",
  paused: "stopped",
  finished: "finished",
  failed: "refused",
};

/** One playback for all lanes: play, stop, reset, single steps, speed, the shown step, and the way back to the newest one. */
export function RaceControls(props: RaceControlsProps) {
  const { activity, moving, following, enabled, shownStep, liveStep, maxSteps } = props;
  // Once the result is known the track is the race; before that it is the budget of steps, as far as it may matter.
  const end = activity === "finished" ? Math.max(1, liveStep) : Math.max(1, maxSteps);
  const running = activity === "running";
  return (
    <div className={cn("space-y-2", props.className)}>
      <div className="flex items-center gap-3 md:block md:space-y-1">
        <Slider
          aria-label="Shown step"
          valueText={`step ${shownStep} of ${liveStep}`}
          min={0}
          max={end}
          step={1}
          disabled={liveStep === 0}
          value={shownStep}
          onValueChange={(step) => props.onShow(Math.min(step, liveStep))}
        />
        <div className="flex h-5 shrink-0 items-center justify-between gap-2 text-sub max-md:h-auto">
          <span data-testid="step-display" className="figure whitespace-nowrap text-text">
            {count(shownStep)} <span className="text-text-3">/ {count(following ? maxSteps : liveStep)}</span>
          </span>
          {following ? (
            <span className="text-meta text-text-3 max-md:hidden">{activityText[activity]}</span>
          ) : (
            <Button
              size="sm"
              variant="ghost"
              className="h-6 gap-1 px-1.5 text-accent max-md:h-11"
              onClick={props.onLive}
              aria-label={`Return to step ${liveStep}${running ? ", live" : ""}`}
            >
              <Radio className="size-3.5" aria-hidden="true" />
              <span className="max-md:sr-only">{running ? `Live at ${count(liveStep)}` : `To ${count(liveStep)}`}</span>
            </Button>
          )}
        </div>
      </div>
      <div className="flex items-center justify-center gap-1">
        <Control name="Reset" shortcut="R" disabled={!enabled} onClick={props.onReset}>
          <RotateCcw />
        </Control>
        <Control name="Step back" shortcut="←" disabled={shownStep === 0} onClick={props.onBack}>
          <StepBack />
        </Control>
        <Tooltip text={moving ? "Stop" : "Play"} shortcut="Space">
          <Button
            variant="primary"
            size="play"
            aria-label={moving ? "Stop" : "Play"}
            disabled={!enabled}
            className="mx-2"
            onClick={moving ? props.onStop : props.onPlay}
          >
            {moving ? <Pause fill="currentColor" /> : <Play fill="currentColor" className="translate-x-px" />}
          </Button>
        </Tooltip>
        <Control
          name="Single step"
          shortcut="→"
          disabled={!enabled || (following && activity === "finished")}
          onClick={props.onStep}
        >
          <StepForward />
        </Control>
        <Control name="Next maze" shortcut="N" disabled={!enabled} onClick={props.onNext}>
          <SkipForward />
        </Control>
      </div>
      <SpeedControl stepsPerSecond={props.stepsPerSecond} onChange={props.onSpeed} />
    </div>
  );
}

type ControlProps = { name: string; shortcut: string; disabled: boolean; onClick: () => void; children: ReactNode };

function Control({ name, shortcut, disabled, onClick, children }: ControlProps) {
  return (
    <Tooltip text={name} shortcut={shortcut}>
      <Button variant="ghost" size="icon" aria-label={name} disabled={disabled} onClick={onClick}>
        {children}
      </Button>
    </Tooltip>
  );
}
