import type { Figures } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_pb";
import { ArrowDown, ArrowUp, ChevronRight } from "lucide-react";
import { Fragment, useState } from "react";
import { ProgressBar } from "@/components/services/progress-bar";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Panel } from "@/components/ui/panel";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import { count, decimal, percent } from "@/lib/format";
import type { Board } from "./board-address";
import { type Column, columns } from "./board-columns";
import type { BoardRow } from "./board-rows";
import { RowDetails } from "./row-details";
import type { EvaluationShares } from "./use-evaluations";

type BoardTableProps = {
  rows: readonly BoardRow[];
  board: Board;
  shares: EvaluationShares;
  onChange: (part: Partial<Board>) => void;
  onEvaluate: (rows: readonly BoardRow[]) => void;
};

/** One row a policy; each opens on its groups and on the mazes where it failed. */
export function BoardTable({ rows, board, shares, onChange, onEvaluate }: BoardTableProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (key: string) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  return (
    <Panel>
      <table className="w-full text-sub">
        <caption className="sr-only">Leaderboard</caption>
        <thead className="border-b bg-panel text-left text-meta text-text-3">
          <tr>
            <th scope="col" className="h-9 px-3 font-normal max-md:px-2">
              Policy
            </th>
            {columns.map((column) => (
              <SortHead key={column.key} column={column} board={board} onChange={onChange} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Fragment key={row.key}>
              <Row
                row={row}
                share={shares[row.key]}
                open={open.has(row.key)}
                onToggle={() => toggle(row.key)}
                onEvaluate={() => onEvaluate([row])}
              />
              {open.has(row.key) && row.evaluation !== undefined ? (
                <tr id={detailsId(row)} className="bg-raised">
                  <td colSpan={columns.length + 1} className="p-3 max-md:p-2">
                    <RowDetails policy={row.policy} evaluation={row.evaluation} />
                  </td>
                </tr>
              ) : null}
            </Fragment>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

const detailsId = ({ key }: BoardRow) => `details-${key}`;

type SortHeadProps = { column: Column; board: Board; onChange: (part: Partial<Board>) => void };

function SortHead({ column, board, onChange }: SortHeadProps) {
  const chosen = board.sort === column.key;
  const descends = column.larger !== board.reversed;
  const Arrow = descends ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      {...(chosen ? { "aria-sort": descends ? ("descending" as const) : ("ascending" as const) } : {})}
      className={cn("px-1 text-right font-normal", column.wide)}
    >
      <Tooltip text={column.line} side="bottom">
        <button
          type="button"
          onClick={() => onChange({ sort: column.key, reversed: chosen && !board.reversed })}
          className={cn(
            "inline-flex h-8 items-center gap-1 whitespace-nowrap rounded-small px-1 transition-colors hover:text-text max-md:h-11",
            chosen && "text-text",
          )}
        >
          {chosen ? <Arrow className="size-3" aria-hidden="true" /> : null}
          {column.head}
        </button>
      </Tooltip>
    </th>
  );
}

type RowProps = {
  row: BoardRow;
  share: number | undefined;
  open: boolean;
  onToggle: () => void;
  onEvaluate: () => void;
};

function Row({ row, share, open, onToggle, onEvaluate }: RowProps) {
  const { evaluation } = row;
  const figures = evaluation?.figures;
  return (
    <tr className="border-t first:border-t-0">
      <th scope="row" className="px-3 py-2 text-left font-normal max-md:px-2">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          {evaluation === undefined ? (
            <span className="size-4 max-md:hidden" />
          ) : (
            <Button
              variant="ghost"
              size="icon"
              aria-expanded={open}
              aria-controls={detailsId(row)}
              aria-label={`Details of ${row.name}`}
              onClick={onToggle}
              className="-my-1 -ml-2 size-7"
            >
              <ChevronRight className={cn("transition-transform", open && "rotate-90")} />
            </Button>
          )}
          <span className={cn("break-all text-text", "modelId" in row.policy && "figure")}>{row.name}</span>
          <Badge className="max-md:hidden">{row.kind}</Badge>
        </div>
      </th>
      {figures === undefined ? (
        <td colSpan={columns.length} className="px-2 py-1.5 text-right">
          <Missing name={row.name} share={share} onEvaluate={onEvaluate} />
        </td>
      ) : (
        columns.map((column) => (
          <td key={column.key} className={cn("figure px-2 py-1.5 text-right text-text-2", column.wide)}>
            {column.key === "success" ? (
              <Success figures={figures} />
            ) : column.key === "cost" && evaluation !== undefined ? (
              <>
                {column.write(column.of(figures, evaluation))}
                <span className="block text-meta text-text-3">p95 {decimal(evaluation.p95StepUs, 2)}</span>
              </>
            ) : (
              column.write(column.of(figures, evaluation))
            )}
          </td>
        ))
      )}
    </tr>
  );
}

function Success({ figures }: { figures: Figures }) {
  return (
    <>
      <span className="text-text" title={`${count(figures.successes)} of ${count(figures.episodes)}`}>
        {percent(figures.rate)}
      </span>
      <span className="block whitespace-nowrap text-meta text-text-3">
        {decimal(figures.intervalLow * 100, 1)}–{percent(figures.intervalHigh)}
      </span>
    </>
  );
}

type MissingProps = { name: string; share: number | undefined; onEvaluate: () => void };

function Missing({ name, share, onEvaluate }: MissingProps) {
  if (share === undefined) {
    return (
      <Button size="sm" aria-label={`Evaluate ${name}`} onClick={onEvaluate}>
        Evaluate
      </Button>
    );
  }
  // Evaluations follow one another, and the first progress is a tenth of a second off.
  if (share === 0)
    return <span className="inline-flex h-7 items-center text-text-3 max-md:h-11">Waits for its turn</span>;
  return (
    <div className="ml-auto flex max-w-56 items-center gap-3">
      <ProgressBar label={`Evaluation of ${name}`} share={share} className="flex-1" />
      <span className="figure w-12 text-right text-text-3">{percent(share, 0)}</span>
    </div>
  );
}
