import type { EpisodeEvent } from "@rlmaze/episode-playback/events";
import type { ViewerMode } from "@rlmaze/episode-playback/viewer-clock";
import { ChevronFirst, ChevronLast, Pause, Play, RotateCcw, SkipForward, StepBack, StepForward } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import { count } from "@/lib/format";
import type { Activity } from "./episode-session";
import { SpeedControl } from "./speed-control";
import { eventName } from "./timeline";
import { TimelineTrack } from "./timeline-track";

/** What the playback controls show and do. */
export type PlaybackPanelProps = {
  activity: Activity;
  /** Whether one sees the newest step, a play from memory, or one step. */
  mode: ViewerMode;
  /** False while there is nothing to play: no maze, no model, no server. */
  enabled: boolean;
  shownStep: number;
  liveStep: number;
  maxSteps: number;
  stepsPerSecond: number;
  /** Ticks of the timeline. */
  events: readonly EpisodeEvent[];
  previousEvent: EpisodeEvent | undefined;
  nextEvent: EpisodeEvent | undefined;
  onPlay: () => void;
  onStop: () => void;
  onReset: () => void;
  onStep: () => void;
  onBack: () => void;
  onNext: () => void;
  onLive: () => void;
  onShow: (step: number) => void;
  onSpeed: (stepsPerSecond: number) => void;
  className?: string;
};

/** Timeline, play, stop, reset, single steps, jumps to events, the way back to live, and speed. */
export function PlaybackPanel(props: PlaybackPanelProps) {
  const { activity, enabled, shownStep, liveStep, maxSteps, mode, previousEvent, nextEvent } = props;
  // On an earlier step only a play from memory moves what is shown.
  const moving = mode === "replay" || (mode === "live" && activity === "running");
  // Once the result is known the track is the episode; before that it is the budget of steps.
  const end = activity === "finished" ? Math.max(1, liveStep) : trackEnd(liveStep, maxSteps);
  return (
    <div className={cn("space-y-2", props.className)}>
      <div className="flex items-center gap-3 md:block md:space-y-1.5">
        <TimelineTrack
          shownStep={shownStep}
          liveStep={liveStep}
          end={end}
          events={props.events}
          onShow={props.onShow}
        />
        <div className="flex h-7 shrink-0 items-center justify-between gap-2 text-sub max-md:h-11">
          <span
            data-testid="step-display"
            className="figure whitespace-nowrap text-text max-md:text-right"
            style={{ minWidth: `${2 * count(maxSteps).length + 3}ch` }}
          >
            {count(shownStep)} <span className="text-text-3">/ {count(maxSteps)}</span>
          </span>
          <LiveMark {...props} />
        </div>
      </div>
      <div className="flex items-center justify-between gap-0.5 md:justify-center md:gap-1">
        <Control name="Reset" shortcut="R" disabled={!enabled} onClick={props.onReset}>
          <RotateCcw />
        </Control>
        <Control
          name="Previous event"
          detail={previousEvent && `${eventName(previousEvent.kind)}, step ${previousEvent.step}`}
          shortcut="["
          disabled={previousEvent === undefined}
          onClick={() => previousEvent && props.onShow(previousEvent.step)}
        >
          <ChevronFirst />
        </Control>
        <Control name="Step back" shortcut="←" disabled={shownStep === 0} onClick={props.onBack}>
          <StepBack />
        </Control>
        <Tooltip text={moving ? "Stop" : playText(props)} shortcut="Space">
          <Button
            variant="primary"
            size="play"
            aria-label={moving ? "Stop" : "Play"}
            disabled={!enabled}
            className="mx-1.5"
            onClick={moving ? props.onStop : props.onPlay}
          >
            {moving ? <Pause fill="currentColor" /> : <Play fill="currentColor" className="translate-x-px" />}
          </Button>
        </Tooltip>
        <Control name="Single step" shortcut="→" disabled={!enabled} onClick={props.onStep}>
          <StepForward />
        </Control>
        <Control
          name="Next event"
          detail={nextEvent && `${eventName(nextEvent.kind)}, step ${nextEvent.step}`}
          shortcut="]"
          disabled={nextEvent === undefined}
          onClick={() => nextEvent && props.onShow(nextEvent.step)}
        >
          <ChevronLast />
        </Control>
        <Control name="Next maze" shortcut="N" disabled={!enabled} onClick={props.onNext}>
          <SkipForward />
        </Control>
      </div>
      <SpeedControl stepsPerSecond={props.stepsPerSecond} onChange={props.onSpeed} />
    </div>
  );
}

/** Right end of the track while the episode is open: a quarter of the budget at first, so that early steps are far enough apart, then more. */
export function trackEnd(liveStep: number, maxSteps: number): number {
  const budget = Math.max(1, maxSteps);
  let end = Math.max(1, Math.ceil(budget / 4));
  while (end < budget && liveStep > end * 0.9) end = Math.min(budget, end * 2);
  return end;
}

function playText({ shownStep, liveStep }: PlaybackPanelProps): string {
  return shownStep < liveStep ? "Play from here" : "Play";
}

const activityText: Record<Activity, string> = {
  ready: "ready",
  running: "live",
  paused: "stopped",
  finished: "finished",
  failed: "refused",
};

/** Whether one sees the newest step; if not, how many steps behind, and the way there. */
function LiveMark({ mode, activity, liveStep, shownStep, onLive }: PlaybackPanelProps) {
  const behind = liveStep - shownStep;
  const running = activity === "running";
  if (mode !== "live" && (running || behind > 0)) {
    return (
      <Tooltip text={running ? "Return to live" : "To the newest step"} shortcut="L">
        <Button
          size="sm"
          aria-label={`${running ? "Return to live" : "To the newest step"}, ${count(behind)} ${behind === 1 ? "step" : "steps"} behind`}
          onClick={onLive}
          className="rounded-full"
        >
          <span aria-hidden="true" className={cn("size-1.5 rounded-full", running ? "bg-danger" : "bg-text-3")} />
          {running ? "Live" : "Newest"}
          <span className="figure text-text-3">−{count(behind)}</span>
        </Button>
      </Tooltip>
    );
  }
  return (
    <span className="flex items-center gap-1.5 whitespace-nowrap text-sub text-text-2">
      {activity === "running" ? (
        <span aria-hidden="true" className="size-1.5 animate-status-pulse rounded-full bg-danger" />
      ) : null}
      {activityText[activity]}
    </span>
  );
}

type ControlProps = {
  name: string;
  detail?: string | undefined;
  shortcut: string;
  disabled: boolean;
  onClick: () => void;
  children: ReactNode;
};

function Control({ name, detail, shortcut, disabled, onClick, children }: ControlProps) {
  return (
    <Tooltip text={detail === undefined ? name : `${name}: ${detail}`} shortcut={shortcut}>
      <Button variant="ghost" size="icon" aria-label={name} disabled={disabled} onClick={onClick}>
        {children}
      </Button>
    </Tooltip>
  );
}
