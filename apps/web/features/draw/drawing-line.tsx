import { CircleCheck, CircleX } from "lucide-react";
import { Button } from "@/components/ui/button";
import { count, difficultyName } from "@/lib/format";
import type { EditorState } from "./drawing-editor";
import type { ServerVerdict } from "./server-verdict";

type DrawingLineProps = {
  state: Pick<EditorState, "drawing" | "facts">;
  verdict: ServerVerdict;
  onOpenMissing: () => void;
};

/** Whether the drawing can be solved, in step with the hand, and what the server says to it when the hand rests. */
export function DrawingLine({ state, verdict, onOpenMissing }: DrawingLineProps) {
  const { drawing, facts } = state;
  const lost = facts.unreachable.length;
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 border-t px-3 py-2 text-sub">
      {facts.solvable ? (
        <p className="flex items-center gap-1.5 font-medium text-body text-ok" data-testid="solvable">
          <CircleCheck className="size-4" aria-hidden="true" />
          Solvable
        </p>
      ) : (
        <p className="flex items-center gap-1.5 font-medium text-body text-danger" data-testid="solvable">
          <CircleX className="size-4" aria-hidden="true" />
          No way to the goal
        </p>
      )}
      {facts.solvable ? (
        <dl className="flex flex-wrap max-md:order-2 max-md:w-full gap-x-4 gap-y-0.5 text-text-3 [&>div]:flex [&>div]:gap-1.5">
          <div>
            <dt>Shortest path</dt>
            <dd className="figure text-text">{facts.shortestPath}</dd>
          </div>
          <div>
            <dt>Difficulty</dt>
            <dd className="text-text">{facts.difficulty === undefined ? "" : difficultyName(facts.difficulty)}</dd>
          </div>
          <div>
            <dt>Step limit</dt>
            <dd className="figure text-text">{count(facts.maxSteps)}</dd>
          </div>
          <div className="max-md:hidden!">
            <dt>Open cells</dt>
            <dd className="figure text-text">
              {count(facts.openCells)} of {count(drawing.wall.length)}
            </dd>
          </div>
          {lost > 0 ? (
            <div>
              <dt>Out of reach</dt>
              <dd className="figure text-text">{count(lost)}</dd>
            </div>
          ) : null}
        </dl>
      ) : (
        <>
          <p className="text-text-2 max-md:order-1 max-md:w-full">
            {lost > 1 ? `${count(lost)} cells (hatched)` : "The goal"} cannot be reached from the start.
          </p>
          <Button size="sm" className="max-md:ml-auto" onClick={onOpenMissing}>
            {facts.missing.length === 1 ? "Open the wall in the way" : `Open ${facts.missing.length} walls in the way`}
          </Button>
        </>
      )}
      <ServerSays verdict={verdict} solvable={facts.solvable} />
    </div>
  );
}

function ServerSays({ verdict, solvable }: { verdict: ServerVerdict; solvable: boolean }) {
  if (verdict.state === "pending") return <p className="ml-auto text-text-3 max-md:hidden">The server is asked…</p>;
  if (verdict.state === "away") {
    return <p className="ml-auto text-warn">The server does not answer; this page judged alone.</p>;
  }
  if (verdict.problems.length > 0) {
    // What this page says itself needs no second voice.
    if (!solvable) return null;
    return (
      <p role="alert" className="w-full text-danger">
        The server says: {verdict.problems.join(" ")}
      </p>
    );
  }
  return (
    <p className="ml-auto text-text-3">
      {verdict.knownMazeId === "" ? (
        "In no set: new to every model"
      ) : (
        <>
          The same maze as <span className="figure text-text-2">{verdict.knownMazeId}</span>, perhaps turned or mirrored
        </>
      )}
    </p>
  );
}
