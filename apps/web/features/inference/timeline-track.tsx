import type { EpisodeEvent, EpisodeEventKind } from "@rlmaze/episode-playback/events";
import { memo, useMemo } from "react";
import { Slider } from "@/components/ui/slider";
import { cn } from "@/lib/class-names";
import { eventName, timelineTicks } from "./timeline";

type TimelineTrackProps = {
  shownStep: number;
  liveStep: number;
  /** Step at the right end. */
  end: number;
  events: readonly EpisodeEvent[];
  onShow: (step: number) => void;
};

/** Slider over the steps: what has arrived is lighter than what has not, and below it stand the events as ticks. */
export function TimelineTrack({ shownStep, liveStep, end, events, onShow }: TimelineTrackProps) {
  const from = end > 0 ? shownStep / end : 0;
  const to = end > 0 ? Math.min(1, liveStep / end) : 0;
  return (
    <div className="relative min-w-0 flex-1">
      <Slider
        aria-label="Shown step"
        valueText={`step ${shownStep} of ${liveStep}`}
        min={0}
        max={end}
        step={1}
        disabled={liveStep === 0}
        value={shownStep}
        onValueChange={(step) => onShow(Math.min(step, liveStep))}
        className="block"
      />
      {/* Moved by transforms: what only slides along the track is no shift of the layout. */}
      <div
        aria-hidden="true"
        className="@container pointer-events-none absolute inset-x-[7px] inset-y-0 max-md:inset-x-[10px]"
      >
        {to > from ? (
          <span
            className="absolute top-1/2 left-0 -mt-0.5 h-1 w-full origin-left bg-line-strong"
            style={{ transform: `translateX(calc(${from * 100}cqw + 9px)) scaleX(max(0, ${to - from} - 0.02))` }}
          />
        ) : null}
        <Ticks events={events} end={end} />
      </div>
    </div>
  );
}

const tickLook: Record<EpisodeEventKind, string> = {
  worse: "h-1 w-px bg-text-3",
  bump: "h-1.5 w-0.5 bg-danger",
  loop: "size-1.5 rounded-full border border-warn bg-panel",
  goal_seen: "size-1.5 rotate-45 bg-maze-goal",
  reached_goal: "size-2 rotate-45 bg-ok",
  step_limit: "h-2 w-0.5 bg-warn",
};

const Ticks = memo(function Ticks({ events, end }: { events: readonly EpisodeEvent[]; end: number }) {
  const ticks = useMemo(() => timelineTicks(events, end), [events, end]);
  return ticks.map((tick) => (
    <span
      key={`${tick.kind} ${tick.step}`}
      data-event={tick.kind}
      title={`${eventName(tick.kind)}, step ${tick.step}`}
      className="absolute top-full left-0 -mt-1 grid h-2 w-0 place-items-center max-md:-mt-3"
      style={{ transform: `translateX(${tick.share * 100}cqw)` }}
    >
      <span className={cn("block shrink-0", tickLook[tick.kind])} />
    </span>
  ));
});
