import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/class-names";
import { percent } from "@/lib/format";
import { type DifferenceSummary, type Verdict, verdicts } from "./disputes";
import { SideMark } from "./model-choice";
import { VerdictSign } from "./verdict-sign";

type SummaryPanelProps = {
  summary: DifferenceSummary | undefined;
  names: { readonly a: string; readonly b: string };
  theme: MazeTheme;
  /** Only cells of this verdict are listed; undefined lists all. */
  only: Verdict | undefined;
  onOnly: (verdict: Verdict | undefined) => void;
  className?: string;
};

const words: Readonly<Record<Verdict, string>> = {
  a: "A is right",
  b: "B is right",
  both: "Both are right",
  neither: "Neither is right",
};

/** How often the two differ, who is right then, and how often each is right at all. The four signs are the legend of the board. */
export function SummaryPanel({ summary, names, theme, only, onOnly, className }: SummaryPanelProps) {
  if (summary === undefined) {
    return (
      <div aria-busy="true" className={cn("space-y-3", className)}>
        <Skeleton className="h-11" />
        <Skeleton className="h-28" />
        <Skeleton className="h-16" />
        <span className="sr-only">Both models are being asked.</span>
      </div>
    );
  }
  const { compared, disputed, counts, right } = summary;
  return (
    <div className={className}>
      <p className="mb-3">
        <span className="block text-sub text-text-2">They differ in</span>
        <span className="figure text-key">{disputed}</span>{" "}
        <span className="text-sub text-text-3">
          of <span className="figure">{compared}</span> cells,{" "}
          <span className="figure">{percent(disputed / Math.max(1, compared), 0)}</span>
        </span>
      </p>
      <ul aria-label="Who is right where they differ" className="-mx-1.5 mb-3 max-md:grid max-md:grid-cols-2">
        {verdicts.map((verdict) => (
          <li key={verdict}>
            <button
              type="button"
              aria-pressed={only === verdict}
              disabled={counts[verdict] === 0}
              onClick={() => onOnly(only === verdict ? undefined : verdict)}
              className={cn(
                "flex h-7 w-full items-center gap-2 rounded-small px-1.5 text-left text-sub transition-colors max-md:h-11",
                only === verdict ? "bg-active" : "hover:bg-raised disabled:hover:bg-transparent",
              )}
            >
              <VerdictSign verdict={verdict} theme={theme} />
              <span className={cn("flex-1 truncate", counts[verdict] === 0 ? "text-text-3" : "text-text-2")}>
                {words[verdict]}
              </span>
              <span className={cn("figure", counts[verdict] === 0 ? "text-text-3" : "text-text")}>
                {counts[verdict]}
              </span>
              <span className="figure w-9 text-right text-text-3">
                {disputed === 0 ? "–" : percent(counts[verdict] / disputed, 0)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <div className="border-t pt-3">
        <h2 className="mb-2 text-sub text-text-2">On a shortest path, in all cells</h2>
        <dl className="space-y-2">
          <RightShare side="a" name={names.a} right={right.a} compared={compared} />
          <RightShare side="b" name={names.b} right={right.b} compared={compared} />
        </dl>
      </div>
    </div>
  );
}

type RightShareProps = { side: "a" | "b"; name: string; right: number; compared: number };

function RightShare({ side, name, right, compared }: RightShareProps) {
  const share = right / Math.max(1, compared);
  return (
    <div className="grid grid-cols-[20px_minmax(0,1fr)_auto] items-center gap-x-2 gap-y-1">
      <dt className="contents">
        <SideMark side={side} className="row-span-2" />
        <span className="truncate text-sub text-text-2" title={name}>
          {name}
        </span>
      </dt>
      <dd className="contents">
        <span className="figure text-sub text-text">{percent(share, 0)}</span>
        <span className="col-span-2 col-start-2 h-1 overflow-hidden rounded-full bg-active" aria-hidden="true">
          <span
            className="block h-full rounded-full"
            style={{ width: `${share * 100}%`, background: `var(--difference-${side})` }}
          />
        </span>
      </dd>
    </div>
  );
}
