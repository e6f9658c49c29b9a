import { Action, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { cn } from "@/lib/class-names";
import { actionArrow, actionName, decimal, percent, scoreName } from "@/lib/format";

const actions = [Action.UP, Action.DOWN, Action.LEFT, Action.RIGHT] as const;

/** What the network says about one observation, as far as the bars need it; in the order UP, DOWN, LEFT, RIGHT. */
export interface ShownScores {
  readonly probabilities: readonly number[];
  readonly values: readonly number[];
}

type ActionBarsProps = {
  kind: ScoreKind;
  scores: ShownScores | undefined;
  /** Index (0–3) of the action that is taken or would be. */
  chosen: number | undefined;
  /** Indexes of the actions on a shortest path; left out where nothing is said about it. */
  optimal?: readonly number[];
  className?: string;
};

/** Four actions with their probabilities and scores; the chosen one and those on a shortest path are marked by shape as well as by colour. */
export function ActionBars({ kind, scores, chosen, optimal, className }: ActionBarsProps) {
  return (
    <ul className={cn("space-y-1", className)}>
      {actions.map((action, at) => {
        const isChosen = chosen === at;
        return (
          <li
            key={action}
            className="grid grid-cols-[14px_40px_minmax(24px,1fr)_56px_48px_12px] items-center gap-x-1.5 text-sub"
          >
            <span aria-hidden="true" className={cn("figure", isChosen ? "text-accent" : "text-text-3")}>
              {actionArrow(action)}
            </span>
            <span className={cn(isChosen ? "font-medium text-text" : "text-text-2")}>{actionName(action)}</span>
            <Bar share={scores?.probabilities[at] ?? 0} strong={isChosen} />
            <span className={cn("figure text-right", isChosen ? "text-text" : "text-text-2")}>
              {scores ? percent(scores.probabilities[at] ?? Number.NaN) : "–"}
            </span>
            <span className="figure text-right text-text-3" title={scoreName(kind)}>
              {scores ? decimal(scores.values[at] ?? Number.NaN, 2) : "–"}
            </span>
            {optimal?.includes(at) ? (
              <span title="On a shortest path" className="text-right text-[10px] text-ok">
                <span aria-hidden="true">◆</span>
                <span className="sr-only">on a shortest path</span>
              </span>
            ) : (
              <span />
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** A share of 0–1 as the length of a bar. */
export function Bar({ share, strong, tone = "bg-accent" }: { share: number; strong: boolean; tone?: string }) {
  return (
    <span className="block h-1.5 overflow-hidden rounded-full bg-active">
      <span
        className={cn("block h-full origin-left rounded-full", strong ? tone : "bg-line-strong")}
        style={{ transform: `scaleX(${Number.isFinite(share) ? share : 0})` }}
      />
    </span>
  );
}

/** What the scores are, in words: a policy's logits are never called Q, nor the other way. */
export function scoresTitle(kind: ScoreKind): string {
  if (kind === ScoreKind.Q_VALUE) return "Action probabilities and Q-values";
  return kind === ScoreKind.LOGIT ? "Action probabilities and logits" : "Action probabilities";
}
