import { Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { EpisodeResult } from "@rlmaze/episode-playback/episode-playback";
import { CircleCheck, Hourglass, Pin, RotateCcw, SkipForward } from "lucide-react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/class-names";
import { count, decimal, signed } from "@/lib/format";

export type ResultNoteProps = {
  form: "card" | "bar";
  className?: string;
  result: EpisodeResult;
  shortestPath: number;
  /** Seconds until the next maze starts by itself; undefined when it does not. */
  nextIn: number | undefined;
  onReplay: () => void;
  onNext: () => void;
  onStay: () => void;
};

/** How the episode ended, and what comes next. `card` stands in the column beside the board, `bar` below it on a phone. */
export function ResultNote({
  form,
  result,
  shortestPath,
  nextIn,
  onReplay,
  onNext,
  onStay,
  className,
}: ResultNoteProps) {
  const reached = result.outcome === Outcome.REACHED_GOAL;
  return (
    // A group, not a landmark: on a phone it may stand in two places.
    <div
      role="group"
      aria-label="Result"
      className={cn(
        "animate-appear",
        form === "card" ? "space-y-3" : "flex items-center gap-2 border-t bg-raised py-2 pr-2 pl-3",
        className,
      )}
    >
      <div className="flex min-w-0 flex-1 items-start gap-2">
        <span className={cn("mt-px [&_svg]:size-[18px]", reached ? "text-ok" : "text-warn")} aria-hidden="true">
          {reached ? <CircleCheck /> : <Hourglass />}
        </span>
        <div className="min-w-0">
          <p className="font-semibold text-body">{reached ? "Reached the goal" : "Step limit"}</p>
          <p className="text-sub text-text-2">
            <span className="figure text-text">{count(result.steps)}</span> steps, shortest path{" "}
            <span className="figure text-text">{count(shortestPath)}</span>
          </p>
        </div>
      </div>
      {form === "card" ? (
        <dl className="grid grid-cols-2 gap-x-6 gap-y-1 text-sub">
          <Fact term="SPL" value={decimal(result.spl, 3)} />
          <Fact term="Total reward" value={signed(result.totalReward, 2)} />
          <Fact term="Bumps" value={count(result.bumps)} />
          <Fact term="Log" value={result.logged ? "written" : "not written"} />
        </dl>
      ) : null}
      {form === "card" ? (
        <div className="flex flex-wrap gap-2">
          <Button size="sm" variant="primary" onClick={onNext}>
            <SkipForward />
            {nextIn === undefined ? "Next maze" : <span className="figure">Next maze in {nextIn} s</span>}
          </Button>
          <Button size="sm" onClick={onReplay}>
            <RotateCcw />
            Again
          </Button>
          {nextIn === undefined ? null : (
            <Button size="sm" variant="ghost" onClick={onStay}>
              Stay here
            </Button>
          )}
        </div>
      ) : (
        <div className="flex shrink-0 items-center gap-1">
          {nextIn === undefined ? null : (
            <Button size="icon" variant="ghost" aria-label="Stay here" onClick={onStay}>
              <Pin />
            </Button>
          )}
          <Button size="icon" variant="ghost" aria-label="Again" onClick={onReplay}>
            <RotateCcw />
          </Button>
          <Button
            size="sm"
            variant="primary"
            aria-label={nextIn === undefined ? "Next maze" : `Next ${nextIn}, next maze`}
            onClick={onNext}
          >
            {nextIn === undefined ? "Next" : <span className="figure">Next {nextIn}</span>}
          </Button>
        </div>
      )}
    </div>
  );
}

function Fact({ term, value }: { term: string; value: string }) {
  return (
    <div className="flex items-baseline justify-between gap-3">
      <dt className="text-text-2">{term}</dt>
      <dd className="figure text-text">{value}</dd>
    </div>
  );
}
