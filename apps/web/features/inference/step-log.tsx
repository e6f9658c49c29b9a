"use client";

import type { EpisodePlayback, PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import { useEffect, useRef, useState } from "react";
import { cn } from "@/lib/class-names";
import { actionArrow, actionName, decimal, signed, stateValueName } from "@/lib/format";
import { ROW_HEIGHT, visibleRows } from "./log-window";

type StepLogProps = { playback: EpisodePlayback; snapshot: PlaybackSnapshot; onShow: (step: number) => void };

const columns = "grid grid-cols-[1fr_1.2fr_0.9fr_1.1fr_1.2fr_1.1fr] items-center gap-2 px-3";

/** Every step, the newest on top. Only rows in sight are rendered, so that 20,000 steps cost what 20 do. */
export function StepLog({ playback, snapshot, onShow }: StepLogProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 240 });
  const { shownStep, following } = snapshot;
  // A reset empties the playback at once; the snapshot follows within a tick.
  const liveStep = Math.min(snapshot.liveStep, playback.liveStep);

  useEffect(() => {
    const { current: box } = scroller;
    if (box === null) return;
    const observer = new ResizeObserver(() => setView((before) => ({ ...before, height: box.clientHeight })));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  // Whoever looks back, or plays from memory, sees the row of that moment, also while newer rows push it down. Live the newest row is on
  // top, unless a person has scrolled away from it.
  useEffect(() => {
    const { current: box } = scroller;
    if (box === null || following) return;
    const top = (liveStep - shownStep) * ROW_HEIGHT;
    if (top < box.scrollTop || top + ROW_HEIGHT > box.scrollTop + box.clientHeight) {
      box.scrollTop = Math.max(0, top - box.clientHeight / 2);
    }
  }, [shownStep, liveStep, following]);

  useEffect(() => {
    if (following && scroller.current !== null) scroller.current.scrollTop = 0;
  }, [following]);

  const { first, last } = visibleRows(view.top, view.height, liveStep);
  const rows = [];
  for (let at = first; at <= last; at++) rows.push(playback.row(liveStep - at));

  return (
    <div
      role="table"
      aria-label="Step log"
      aria-rowcount={liveStep + 1}
      className="flex h-full min-h-0 flex-col text-sub"
    >
      <div role="row" aria-rowindex={1} className={cn(columns, "h-8 shrink-0 border-b text-meta text-text-3")}>
        <span role="columnheader">Step</span>
        <span role="columnheader">Position</span>
        <span role="columnheader">Action</span>
        <span role="columnheader" className="text-right">
          Reward
        </span>
        <span role="columnheader" className="text-right">
          Cumulative
        </span>
        <span role="columnheader" className="text-right">
          {stateValueName(snapshot.scoreKind)}
        </span>
      </div>
      <div
        ref={scroller}
        role="rowgroup"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
        tabIndex={0}
        aria-label="Steps"
        className="scroll-thin min-h-0 flex-1 overflow-y-auto focus-visible:outline-offset-[-2px]"
        onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
      >
        <div className="relative" style={{ height: liveStep * ROW_HEIGHT }}>
          {rows.map((row) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the step slider does the same from the keyboard.
            <div
              key={row.step}
              role="row"
              aria-rowindex={liveStep - row.step + 2}
              aria-selected={row.step === shownStep}
              onClick={() => onShow(row.step)}
              className={cn(
                columns,
                "figure absolute inset-x-0 h-6 cursor-pointer text-text-2 hover:bg-raised",
                row.step === shownStep && "bg-active text-text",
              )}
              // Moved, not placed: a row that is pushed down by a newer one is no shift of the layout.
              style={{ transform: `translateY(${(liveStep - row.step) * ROW_HEIGHT}px)` }}
            >
              <span role="cell">{row.step}</span>
              <span role="cell">
                {row.row}, {row.col}
              </span>
              <span role="cell">
                <span aria-hidden="true">{actionArrow(row.action)}</span>
                <span className="sr-only">{actionName(row.action)}</span>
                {row.hitWall ? (
                  <span className="ml-1.5 font-sans text-danger text-meta">bump</span>
                ) : playback.events.at(row.step).includes("worse") ? (
                  <span className="ml-1.5 font-sans text-meta text-warn">worse</span>
                ) : null}
              </span>
              <span
                role="cell"
                className={cn("text-right", row.hitWall && "text-danger", row.reachedGoal && "text-ok")}
              >
                {signed(row.reward, 2)}
              </span>
              <span role="cell" className="text-right">
                {signed(row.cumulativeReward, 2)}
              </span>
              <span role="cell" className="text-right text-text-3">
                {row.scores ? decimal(row.scores.stateValue, 2) : "–"}
              </span>
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
