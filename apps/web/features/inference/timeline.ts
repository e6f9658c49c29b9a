import type { EpisodeEvent, EpisodeEventKind } from "@rlmaze/episode-playback/events";

/** A tick below the timeline. */
export interface TimelineTick {
  readonly step: number;
  readonly kind: EpisodeEventKind;
  /** Place on the track, 0–1. */
  readonly share: number;
}

/** Ticks closer than this share of the track would be one blot; of each kind only the first of them is drawn. */
const CLOSEST = 1 / 160;

/** What weighs more is drawn over what weighs less. */
const order: readonly EpisodeEventKind[] = ["worse", "bump", "loop", "goal_seen", "step_limit", "reached_goal"];

/** The ticks of a timeline that ends at a step: thinned, the weightiest last. */
export function timelineTicks(events: readonly EpisodeEvent[], end: number): TimelineTick[] {
  const last = new Map<EpisodeEventKind, number>();
  const ticks: TimelineTick[] = [];
  for (const { step, kind } of events) {
    const share = Math.min(1, step / Math.max(1, end));
    const before = last.get(kind);
    if (before !== undefined && share - before < CLOSEST) continue;
    last.set(kind, share);
    ticks.push({ step, kind, share });
  }
  return ticks.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
}

const names: Record<EpisodeEventKind, string> = {
  bump: "bump into a wall",
  worse: "choice worse than the shortest path",
  goal_seen: "first sight of the goal",
  loop: "loop closed",
  reached_goal: "goal reached",
  step_limit: "step limit",
};

/** What happened, in words. */
export function eventName(kind: EpisodeEventKind): string {
  return names[kind];
}
