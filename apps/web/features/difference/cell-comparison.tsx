import { Check, X } from "lucide-react";
import { cn } from "@/lib/class-names";
import { actionArrow, actionName, decimal, percent, stateValueName } from "@/lib/format";
import type { CellChoices, Choice } from "./disputes";
import { SideMark } from "./model-choice";
import { verdictText } from "./verdict-text";

type CellComparisonProps = {
  choices: CellChoices | undefined;
  names: { readonly a: string; readonly b: string };
  /** Why there is nothing to show. */
  hint: string;
};

/** What both models would do in one cell: four bars each, the choice, and which actions are on a shortest path. */
export function CellComparison({ choices, names, hint }: CellComparisonProps) {
  if (choices === undefined) {
    return <p className="text-sub text-text-3">{hint}</p>;
  }
  const { best } = choices;
  return (
    <div>
      <h2 className="flex items-baseline justify-between gap-2 text-sub">
        <span className="text-text-2">
          Cell{" "}
          <span className="figure text-text">
            {choices.row}, {choices.col}
          </span>
        </span>
        <span className="text-text-3">
          <span className="figure">{choices.toGoal}</span> {choices.toGoal === 1 ? "step" : "steps"} from the goal
        </span>
      </h2>
      <p className="mt-1 mb-3 text-sub text-text-2">
        The shortest path goes{" "}
        <span className="text-text">{best.map((action) => actionName(action + 1).toLowerCase()).join(" or ")}</span>:{" "}
        {verdictText(choices.verdict, names)}.
      </p>
      <div className="space-y-3">
        <Side side="a" name={names.a} choice={choices.a} best={best} />
        <Side side="b" name={names.b} choice={choices.b} best={best} />
      </div>
    </div>
  );
}

type SideProps = { side: "a" | "b"; name: string; choice: Choice; best: readonly number[] };

function Side({ side, name, choice, best }: SideProps) {
  return (
    <section aria-label={name} className="min-w-0">
      <h3 className="mb-1 flex items-center gap-2 text-sub">
        <SideMark side={side} />
        <span className="min-w-0 flex-1 truncate text-text">{name}</span>
        <span className="figure shrink-0 text-meta text-text-3">
          {stateValueName(choice.kind)} {decimal(choice.stateValue, 3)}
        </span>
      </h3>
      <ul>
        {[0, 1, 2, 3].map((action) => {
          const share = choice.probabilities[action] ?? 0;
          const chosen = action === choice.action;
          const right = best.includes(action);
          return (
            <li
              key={action}
              className={cn(
                "grid h-[22px] grid-cols-[14px_38px_minmax(0,1fr)_48px_16px] items-center gap-2 text-sub",
                chosen ? "text-text" : "text-text-3",
              )}
            >
              <span className="figure" aria-hidden="true">
                {actionArrow(action + 1)}
              </span>
              <span className={cn(chosen && "font-medium")}>{actionName(action + 1)}</span>
              <span className="h-1.5 overflow-hidden rounded-full bg-active" aria-hidden="true">
                <span
                  className={cn("block h-full rounded-full", chosen ? "" : "bg-text-3/50")}
                  style={{
                    width: `${Math.max(share * 100, share > 0.001 ? 1 : 0)}%`,
                    ...(chosen ? { background: `var(--difference-${side})` } : {}),
                  }}
                />
              </span>
              <span className="figure text-right">{percent(share)}</span>
              <span className="[&_svg]:size-4">
                {right ? (
                  <>
                    <Check className="text-ok" aria-hidden="true" />
                    <span className="sr-only">on a shortest path</span>
                  </>
                ) : chosen ? (
                  <>
                    <X className="text-danger" aria-hidden="true" />
                    <span className="sr-only">not on a shortest path</span>
                  </>
                ) : null}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
