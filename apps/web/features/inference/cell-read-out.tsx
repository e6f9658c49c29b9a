import type { ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { Check, TriangleAlert, X } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/class-names";
import { actionArrow, actionName, count, decimal, scoreName, stateValueName } from "@/lib/format";
import { ActionBars } from "./action-bars";
import type { CellFacts } from "./cell-facts";

const kindName = { wall: "Wall", path: "Path", start: "Start", goal: "Goal" } as const;

function visitText({ age, visits }: CellFacts): string {
  if (age === undefined) return "never visited";
  const times = visits === 1 ? "visited once" : `visited ${count(visits)} times`;
  return age === 0 ? `${times}, now` : `${times}, ${count(age)} steps ago`;
}

type CellReadOutProps = {
  facts: CellFacts | undefined;
  /** Kind of the scores, also while they are on their way. */
  kind: ScoreKind;
  /** It is the cell that the agent stands on, shown because no other one is asked for. */
  isAgent?: boolean;
  /** The cell was chosen and stays; undefined while it only lies under the pointer. */
  onClose?: (() => void) | undefined;
};

/** What is known about the cell that was chosen, or that lies under the pointer or the keyboard's cursor. */
export function CellReadOut({ facts, kind, isAgent = false, onClose }: CellReadOutProps) {
  if (facts === undefined) return <p className="text-sub text-text-3">Point at a cell of the maze to read it out.</p>;
  const { policy, optimal } = facts;
  return (
    <div className="space-y-1.5 text-sub">
      <div className="flex h-6 items-center justify-between gap-2">
        <p className="min-w-0 truncate">
          <b className="font-medium text-text">{isAgent ? "Agent at" : kindName[facts.kind]}</b>{" "}
          <span className="figure text-text">
            ({facts.row}, {facts.col})
          </span>
          {facts.kind === "wall" ? null : <span className="text-text-3"> · {visitText(facts)}</span>}
        </p>
        {onClose === undefined ? null : (
          <Button
            size="icon"
            variant="ghost"
            aria-label="Let go of this cell"
            onClick={onClose}
            className="-mr-1 size-6"
          >
            <X />
          </Button>
        )}
      </div>
      {facts.kind === "wall" ? null : (
        <>
          <ActionBars kind={kind} scores={policy} chosen={policy?.best} optimal={optimal} />
          <dl className="grid grid-cols-3 gap-x-2">
            <Fact term={stateValueName(kind)}>{decimal(policy?.stateValue ?? Number.NaN, 2)}</Fact>
            <Fact term="Entropy">{decimal(policy?.entropyBits ?? Number.NaN, 2)} bit</Fact>
            <Fact term="To the goal">{facts.distance === undefined ? "–" : count(facts.distance)}</Fact>
          </dl>
        </>
      )}
      <Verdict facts={facts} />
      {isAgent ? (
        <p className="text-meta text-text-3">Point at another cell to read it out; click to keep it.</p>
      ) : null}
      {policy === undefined ? null : <p className="sr-only">{`The numbers are probability and ${scoreName(kind)}.`}</p>}
    </div>
  );
}

/** Whether the policy would take a shortest path from here. */
function Verdict({ facts }: { facts: CellFacts }) {
  const { policy, optimal, agrees } = facts;
  if (optimal.length === 0) return null;
  const names = optimal.map((action) => `${actionArrow(action + 1)} ${actionName(action + 1)}`).join(" or ");
  if (policy === undefined || agrees === undefined) {
    return <p className="text-text-2">Shortest path: {names}</p>;
  }
  return (
    <p className={cn("flex items-center gap-1.5 [&_svg]:size-3.5 [&_svg]:shrink-0", agrees ? "text-ok" : "text-warn")}>
      {agrees ? <Check aria-hidden="true" /> : <TriangleAlert aria-hidden="true" />}
      {agrees ? `On the shortest path: ${names}` : `Worse than the shortest path: ${names}`}
    </p>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="flex gap-1.5 whitespace-nowrap">
      <dt className="text-text-3">{term}</dt>
      <dd className="figure text-text">{children}</dd>
    </div>
  );
}
