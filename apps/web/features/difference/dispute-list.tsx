"use client";

import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { useEffect, useRef } from "react";
import { cn } from "@/lib/class-names";
import { actionArrow, actionName, percent } from "@/lib/format";
import type { CellChoices, Choice } from "./disputes";
import { SideMark } from "./model-choice";
import { VerdictSign } from "./verdict-sign";
import { verdictText } from "./verdict-text";

type DisputeListProps = {
  disputes: readonly CellChoices[];
  names: { readonly a: string; readonly b: string };
  theme: MazeTheme;
  selected: number | undefined;
  onSelect: (cell: number | undefined) => void;
};

const columns = "grid grid-cols-[20px_64px_minmax(0,1fr)_minmax(0,1fr)_40px] items-center gap-2 px-3";

/** The cells where the two choose differently; a click shows one on the board. */
export function DisputeList({ disputes, names, theme, selected, onSelect }: DisputeListProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (selected === undefined) return;
    // The list only, not the page: on a phone the board must stay where it is.
    const row = list.current?.querySelector<HTMLElement>(`[data-cell="${selected}"]`);
    const box = list.current;
    if (!row || !box) return;
    if (row.offsetTop < box.scrollTop) box.scrollTop = row.offsetTop;
    else if (row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = row.offsetTop + row.offsetHeight - box.clientHeight;
    }
  }, [selected]);

  return (
    <div className="flex h-full min-h-0 flex-col">
      <div aria-hidden="true" className={cn(columns, "h-8 shrink-0 border-b text-meta text-text-3")}>
        <span />
        <span>Cell</span>
        <SideMark side="a" className="size-4" />
        <SideMark side="b" className="size-4" />
        <span className="text-right">Best</span>
      </div>
      <ul
        ref={list}
        aria-label="Cells where they differ"
        className="scroll-thin relative min-h-0 flex-1 overflow-y-auto py-1"
      >
        {disputes.map((dispute) => {
          const { cell, row, col, a, b, best, verdict } = dispute;
          const current = cell === selected;
          return (
            <li key={cell} data-cell={cell}>
              <button
                type="button"
                aria-pressed={current}
                className={cn(
                  columns,
                  "h-8 w-full text-left text-sub transition-colors max-md:h-11",
                  current ? "bg-active" : "hover:bg-raised",
                )}
                onClick={() => onSelect(current ? undefined : cell)}
              >
                <span aria-hidden="true" className="contents">
                  {verdict === undefined ? <span /> : <VerdictSign verdict={verdict} theme={theme} />}
                  <span className="figure text-text-2">
                    {row}, {col}
                  </span>
                  <Share choice={a} />
                  <Share choice={b} />
                  <span className="figure text-right text-text">
                    {best.map((one) => actionArrow(one + 1)).join(" ")}
                  </span>
                </span>
                <span className="sr-only">
                  {`Row ${row}, column ${col}: ${names.a} ${spoken(a)}, ${names.b} ${spoken(b)}, best ${best
                    .map((action) => actionName(action + 1).toLowerCase())
                    .join(" or ")}; ${verdictText(verdict, names)}`}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Share({ choice }: { choice: Choice }) {
  return (
    <span className={cn("figure truncate", choice.right ? "text-text" : "text-text-3")}>
      {actionArrow(choice.action + 1)} {percent(choice.probabilities[choice.action] ?? Number.NaN, 0)}
    </span>
  );
}

function spoken(choice: Choice): string {
  return `${actionName(choice.action + 1).toLowerCase()} ${percent(choice.probabilities[choice.action] ?? Number.NaN, 0)}`;
}
