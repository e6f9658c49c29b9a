import type { RaceLaneSnapshot } from "@rlmaze/episode-playback/race-playback";
import { cn } from "@/lib/class-names";
import { count, signed } from "@/lib/format";
import { placeText } from "./standings";

type LaneFactsProps = {
  lane: RaceLaneSnapshot | undefined;
  lanes: readonly RaceLaneSnapshot[];
  /** `column` stands beside a board, `row` below one. */
  form: "column" | "row";
  className?: string;
};

/** How a lane stands, in words. */
export function laneState(lane: RaceLaneSnapshot): string {
  if (lane.reachedGoal) return "at the goal";
  if (lane.ended) return "step limit";
  const { distance } = lane.playback.regret;
  return Number.isFinite(distance) ? `${count(distance)} to go` : "at the start";
}

/** Cumulative reward at the shown moment; 0 at the start. */
export function laneReward(lane: RaceLaneSnapshot): number {
  return lane.playback.shown?.cumulativeReward ?? 0;
}

/** Steps over the shortest path, as a text with a plus sign. */
export function gapText(gap: number): string {
  return signed(gap, 0);
}

/** Steps, gap, bumps, reward and place of one lane at the shown moment. */
export function LaneFacts({ lane, lanes, form, className }: LaneFactsProps) {
  const facts = lane === undefined ? undefined : laneFacts(lane);
  const moved = lanes.some((one) => one.playback.shownStep > 0);
  if (form === "row") {
    return (
      <dl className={cn("flex items-baseline gap-x-3 gap-y-0.5 text-meta", className)}>
        <div className="flex min-w-0 flex-1 items-baseline gap-1.5">
          <dt className="sr-only">Place</dt>
          <dd className={cn("figure text-sub", lane?.reachedGoal ? "text-ok" : "text-text-2")}>
            {lane === undefined || !moved ? "–" : placeText(lane.place, lanes)}
          </dd>
          <dt className="sr-only">State</dt>
          <dd className="truncate text-text-3 max-md:sr-only">{lane === undefined ? "" : laneState(lane)}</dd>
        </div>
        {(facts ?? []).slice(0, 2).map(({ term, value }) => (
          <div key={term} className="flex items-baseline gap-1">
            <dt className="text-text-3">{term}</dt>
            <dd className="figure text-text">{value}</dd>
          </div>
        ))}
      </dl>
    );
  }
  return (
    <div className={cn("flex min-w-0 flex-col", className)}>
      <p className="mb-2 leading-none">
        <span className={cn("figure text-key", lane?.reachedGoal ? "text-ok" : "text-text")}>
          {lane === undefined || !moved ? "–" : placeText(lane.place, lanes)}
        </span>
        <span className="mt-1 block truncate text-meta text-text-3">{lane === undefined ? "" : laneState(lane)}</span>
      </p>
      <dl className="space-y-1 text-sub">
        {(facts ?? []).map(({ term, value }) => (
          <div key={term} className="flex items-baseline justify-between gap-2">
            <dt className="text-text-3">{term}</dt>
            <dd className="figure text-text">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function laneFacts(lane: RaceLaneSnapshot): readonly { term: string; value: string }[] {
  const { playback } = lane;
  return [
    { term: "Steps", value: count(playback.shownStep) },
    { term: "Gap", value: gapText(lane.gap) },
    { term: "Bumps", value: count(playback.bumps) },
    { term: "Reward", value: signed(laneReward(lane), 2) },
  ];
}
