import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { cn } from "@/lib/class-names";
import { type Verdict, verdicts } from "./disputes";

/**
 * The sign of a verdict as the board draws it: how much of the cell is filled says who is right. The upper left half for A, the lower right
 * half for B, all of it for both, an outline for neither.
 */
export function VerdictSign({ verdict, theme, className }: { verdict: Verdict; theme: MazeTheme; className?: string }) {
  const colour = theme.difference[verdicts.indexOf(verdict) as 0 | 1 | 2 | 3];
  return (
    <svg viewBox="0 0 16 16" className={cn("size-4 shrink-0", className)} aria-hidden="true">
      <rect x="0.5" y="0.5" width="15" height="15" rx="3" fill={verdict === "both" ? colour : theme.path} />
      {verdict === "a" ? <path d="M3.5 .5h12L.5 15.5v-12a3 3 0 0 1 3-3z" fill={colour} /> : null}
      {verdict === "b" ? <path d="M12.5 15.5H.5L15.5 .5v12a3 3 0 0 1-3 3z" fill={colour} /> : null}
      {verdict === "neither" ? (
        <rect x="1.5" y="1.5" width="13" height="13" rx="2" fill="none" stroke={colour} strokeWidth="2.5" />
      ) : null}
    </svg>
  );
}
