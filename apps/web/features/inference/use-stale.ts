"use client";

import { useEffect, useState } from "react";
import type { EpisodeSession } from "./episode-session";

/** Silence that is worth a word, in milliseconds; slower paces are given three steps' time. */
const SILENT_MS = 3_000;

/** How long a step may be overdue at a pace before what is shown counts as old, in milliseconds. */
export function patience(stepsPerSecond: number): number {
  return Math.max(SILENT_MS, stepsPerSecond > 0 ? 3_000 / stepsPerSecond : 0);
}

/** Milliseconds for which a running stream has brought no step although one was due; undefined while all is well. */
export function useStale(session: EpisodeSession, watching: boolean): number | undefined {
  const [staleMs, setStaleMs] = useState<number>();
  useEffect(() => {
    setStaleMs(undefined);
    if (!watching) return;
    let known = session.playback.liveStep;
    let since = performance.now();
    const timer = setInterval(() => {
      const { liveStep } = session.playback;
      if (liveStep !== known) {
        known = liveStep;
        since = performance.now();
      }
      const silent = performance.now() - since;
      setStaleMs(silent > patience(session.getState().stepsPerSecond) ? silent : undefined);
    }, 500);
    return () => clearInterval(timer);
  }, [session, watching]);
  return staleMs;
}
