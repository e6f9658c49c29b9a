"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { LayoutGrid } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { MazeGenerator } from "@/features/mazes/maze-generator";

const MazePicker = dynamic(() => import("@/features/mazes/maze-picker").then((module) => module.MazePicker), {
  ssr: false,
});

/** Something to begin with: a maze of a set, a puzzle, or a generated one. */
export function SourcePanel({ onOpen }: { onOpen: (maze: Maze) => void }) {
  const [picking, setPicking] = useState(false);
  return (
    <div className="space-y-4">
      <Button className="w-full" aria-haspopup="dialog" onClick={() => setPicking(true)}>
        <LayoutGrid aria-hidden="true" />
        From a set or a puzzle…
      </Button>
      {picking ? (
        <MazePicker purpose="draw" maze={undefined} setId="puzzles" onPick={onOpen} onClose={() => setPicking(false)} />
      ) : null}
      <div className="border-t pt-3">
        <MazeGenerator label="Draw on this one" onPick={onOpen} />
      </div>
    </div>
  );
}
