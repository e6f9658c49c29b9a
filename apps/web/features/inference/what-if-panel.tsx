import { Action, type ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { Decision } from "@rlmaze/episode-playback/decision";
import { RotateCcw } from "lucide-react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/class-names";
import { actionArrow, actionName, decimal, percent, stateValueName } from "@/lib/format";
import { Bar } from "./action-bars";

const actions = [Action.UP, Action.DOWN, Action.LEFT, Action.RIGHT] as const;

type WhatIfPanelProps = {
  kind: ScoreKind;
  /** What the network makes of the real observation; undefined until it is known. */
  now: Decision | undefined;
  /** What it makes of the changed one; undefined while nothing is changed, or the answer is on its way. */
  changed: Decision | undefined;
  /** Inputs that are changed. */
  flips: number;
  /** Why there is no answer, in a sentence. */
  problem: string | undefined;
  onReset: () => void;
  className?: string;
};

/** The decision on what is there and the one on what was changed, side by side. */
export function WhatIfPanel({ kind, now, changed, flips, problem, onReset, className }: WhatIfPanelProps) {
  const comparing = flips > 0;
  const turned = now !== undefined && changed !== undefined && now.best !== changed.best;
  return (
    <section aria-label="Decision" className={cn("min-w-0 text-sub", className)}>
      <div className="flex h-6 items-center justify-between gap-2">
        <p className="truncate text-text-2">
          {comparing ? (
            <>
              Now <span className="text-text-3">and</span> <span className="text-warn">what if</span>
            </>
          ) : (
            "It decides"
          )}
        </p>
        {comparing ? (
          <Button
            size="icon"
            variant="ghost"
            aria-label="Reset the changed cells"
            title="Reset the changed cells"
            onClick={onReset}
            className="-mr-1 size-6 max-md:-my-2.5 max-md:size-11"
          >
            <RotateCcw />
          </Button>
        ) : null}
      </div>
      <ul className="mt-0.5 space-y-1">
        {actions.map((action, at) => (
          <li key={action} className="grid grid-cols-[14px_minmax(16px,1fr)_auto] items-center gap-x-1.5">
            <span
              aria-hidden="true"
              className={cn(
                "figure",
                changed?.best === at ? "text-warn" : now?.best === at ? "text-accent" : "text-text-3",
              )}
            >
              {actionArrow(action)}
            </span>
            <span className="sr-only">{actionName(action)}</span>
            <span className="space-y-0.5">
              <Bar share={now?.probabilities[at] ?? 0} strong={now?.best === at} />
              <span className={cn("block", !comparing && "invisible")}>
                <Bar share={changed?.probabilities[at] ?? 0} strong={changed?.best === at} tone="bg-warn" />
              </span>
            </span>
            <span className="figure w-[50px] text-right leading-[13px]">
              <span className={cn("block", now?.best === at ? "text-text" : "text-text-2")}>
                {now ? percent(now.probabilities[at] ?? Number.NaN) : "–"}
              </span>
              <span
                className={cn("block", changed?.best === at ? "text-warn" : "text-text-3", !comparing && "invisible")}
              >
                {changed ? percent(changed.probabilities[at] ?? Number.NaN) : "–"}
              </span>
            </span>
          </li>
        ))}
      </ul>
      <div className="mt-1 min-h-9 text-text-2" aria-live="polite">
        <p className="truncate">
          {problem !== undefined && comparing ? (
            <span className="text-danger">{problem}</span>
          ) : now === undefined ? null : changed === undefined ? (
            <Choice decision={now} />
          ) : turned ? (
            <>
              <Choice decision={now} /> becomes <Choice decision={changed} tone="text-warn" />
            </>
          ) : (
            <>
              <Choice decision={now} /> stays
            </>
          )}
        </p>
        {now === undefined ? null : (
          <p className="figure text-text-3">
            {stateValueName(kind)} {decimal(now.stateValue, 2)}
            {changed === undefined ? "" : ` → ${decimal(changed.stateValue, 2)}`}
          </p>
        )}
      </div>
    </section>
  );
}

function Choice({ decision, tone = "text-text" }: { decision: Decision; tone?: string }) {
  return (
    <b className={cn("whitespace-nowrap font-medium", tone)}>
      {actionArrow(decision.best + 1)} {actionName(decision.best + 1)}
    </b>
  );
}
