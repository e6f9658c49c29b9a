"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { ChevronDown } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Skeleton } from "@/components/ui/skeleton";
import { difficultyName } from "@/lib/format";
import { MazePicture } from "./maze-picture";

const MazePicker = dynamic(() => import("./maze-picker").then((module) => module.MazePicker), { ssr: false });

type MazeChoiceProps = { maze: Maze | undefined; setId: string; onPick: (maze: Maze) => void };

/** Shows the maze that runs and opens the picker. */
export function MazeChoice({ maze, setId, onPick }: MazeChoiceProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      {open ? <MazePicker maze={maze} setId={setId} onPick={onPick} onClose={() => setOpen(false)} /> : null}
      <button
        type="button"
        className="flex w-full min-w-0 items-center gap-3 rounded-control border bg-raised p-2 text-left transition-colors hover:border-line-strong"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(true)}
      >
        {maze === undefined ? (
          <Skeleton className="size-12 shrink-0" />
        ) : (
          <MazePicture rows={maze.rows} className="size-12 shrink-0 rounded-[4px]" />
        )}
        <span className="min-w-0 flex-1">
          <span className="figure block truncate text-body">{maze?.title || maze?.mazeId || "Choose a maze"}</span>
          <span className="block truncate text-meta text-text-3">
            {maze === undefined
              ? "no maze is shown"
              : `${maze.setId || "generated"} · ${maze.rows.length} × ${maze.rows[0]?.length ?? 0} · shortest path ${maze.shortestPath} · ${difficultyName(maze.difficulty)}`}
          </span>
        </span>
        <ChevronDown className="size-4 shrink-0 text-text-3" aria-hidden="true" />
      </button>
    </>
  );
}
