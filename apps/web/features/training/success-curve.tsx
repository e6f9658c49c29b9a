"use client";

import { CurveKey } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import type { Training } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { useQuery } from "@tanstack/react-query";
import { memo, useEffect, useRef, useState } from "react";
import { cn } from "@/lib/class-names";
import { historyQuery } from "./queries";
import { isOpen } from "./training-words";

/** Points of a curve that is as wide as a thumb. */
const POINTS = 48;
/** A run that goes on is read again so often. */
const LIVE_MS = 5_000;

/** Success of a run over its steps, small. It is asked for when it comes into view. */
export const SuccessCurve = memo(function SuccessCurve({
  training,
  className,
}: {
  training: Training;
  className?: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const { current } = place;
    if (current === null || seen || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true);
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [seen]);
  const open = isOpen(training);
  const history = useQuery({
    ...historyQuery(training.runId, POINTS),
    enabled: seen && training.lastSequence > 0n,
    retry: false,
    staleTime: open ? LIVE_MS : Number.POSITIVE_INFINITY,
    refetchInterval: open ? LIVE_MS : false,
  });
  const curve = history.data?.curves.find(({ key }) => key === CurveKey.EPISODE_SUCCESS);
  const total = Number(training.totalTimesteps);
  return (
    <div ref={place} className={cn("text-curve-1", className)} aria-hidden="true">
      {curve === undefined || curve.timesteps.length < 2 || total <= 0 ? null : (
        <svg viewBox="0 0 100 32" preserveAspectRatio="none" className="size-full" aria-hidden="true">
          <path
            d={curvePath(
              curve.timesteps.map((timesteps) => Number(timesteps) / total),
              curve.values,
            )}
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
            vectorEffect="non-scaling-stroke"
          />
        </svg>
      )}
    </div>
  );
});

/** A path in a box of 100 × 32 through shares of both axes. */
function curvePath(xs: readonly number[], ys: readonly number[]): string {
  return xs
    .map(
      (x, at) => `${at === 0 ? "M" : "L"}${(Math.min(1, x) * 100).toFixed(1)} ${(30 - (ys[at] ?? 0) * 28).toFixed(1)}`,
    )
    .join("");
}
