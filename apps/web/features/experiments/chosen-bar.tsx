import { GitCompareArrows } from "lucide-react";
import Link from "next/link";
import { Button } from "@/components/ui/button";
import { Kbd } from "@/components/ui/kbd";
import { comparisonPath, MOST_RUNS, plainComparison } from "./compare-address";

/** Id of the link to the comparison; its key presses it. */
export const COMPARE_LINK = "compare-chosen";

/** The runs that were chosen, and the way to their comparison. It says how to begin while none is. */
export function ChosenBar({ chosen, onClear }: { chosen: readonly string[]; onClear: () => void }) {
  const none = chosen.length === 0;
  return (
    <div className="flex min-h-12 shrink-0 items-center gap-2 border-t bg-panel px-3 max-md:sticky max-md:bottom-0 max-md:z-10 max-md:-mx-px max-md:border-x">
      <p role="status" className="min-w-0 flex-1 text-sub text-text-2">
        {none ? (
          `Choose up to ${MOST_RUNS} runs to compare them.`
        ) : (
          <>
            <span className="figure text-text">{chosen.length}</span> of {MOST_RUNS} chosen
            {chosen.length === MOST_RUNS ? ", no more fit" : ""}
          </>
        )}
      </p>
      {none ? null : (
        <>
          <Button variant="ghost" size="sm" onClick={onClear}>
            Clear
          </Button>
          <Button asChild variant="primary" size="sm">
            <Link id={COMPARE_LINK} href={comparisonPath({ ...plainComparison, runIds: chosen })} prefetch={false}>
              <GitCompareArrows aria-hidden="true" />
              {chosen.length === 1 ? "Open the run" : `Compare ${chosen.length} runs`}
              <Kbd aria-hidden="true" className="border-accent-ink/30 bg-transparent text-accent-ink max-md:hidden">
                C
              </Kbd>
            </Link>
          </Button>
        </>
      )}
    </div>
  );
}
