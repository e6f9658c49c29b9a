"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { BookmarkPlus } from "lucide-react";
import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { KeptMazeList } from "@/features/mazes/kept-maze-list";
import { freeName, keptName, MOST_KEPT } from "@/features/mazes/kept-mazes";
import { keptMazes, useKeptMazes } from "@/features/mazes/kept-mazes-store";
import { type Drawing, rowsOf } from "./drawing";

type KeptPanelProps = { drawing: Drawing; onOpen: (maze: Pick<Maze, "rows" | "mazeId">) => void };

/** The drawings that this browser keeps, and the one that could join them. */
export function KeptPanel({ drawing, onOpen }: KeptPanelProps) {
  const kept = useKeptMazes();
  const [name, setName] = useState("");
  const ids = useId();
  const fallback = freeName(kept);
  const rows = rowsOf(drawing);
  const twin = kept.find((entry) => entry.rows.join() === rows.join());
  const full = kept.length >= MOST_KEPT;
  return (
    <div className="space-y-3">
      <form
        className="space-y-1.5"
        onSubmit={(event) => {
          event.preventDefault();
          if (keptMazes.keep(keptName(name, fallback), rows) !== undefined) setName("");
        }}
      >
        <Label htmlFor={`${ids}-name`}>Keep this drawing as</Label>
        <div className="flex gap-2">
          <Input
            id={`${ids}-name`}
            placeholder={fallback}
            autoComplete="off"
            maxLength={60}
            value={name}
            aria-describedby={`${ids}-note`}
            onChange={(event) => setName(event.target.value)}
          />
          <Button type="submit" disabled={twin !== undefined || full}>
            <BookmarkPlus aria-hidden="true" />
            Keep
          </Button>
        </div>
        <p id={`${ids}-note`} role="status" className="text-meta text-text-3">
          {twin !== undefined
            ? `Kept as “${twin.name}”.`
            : full
              ? `There is room for ${MOST_KEPT}. Delete one first.`
              : keptMazes.lasting
                ? "It stays in this browser; a link takes it elsewhere."
                : "This browser keeps nothing: it lasts until the page is closed."}
        </p>
      </form>
      <KeptMazeList onOpen={({ rows: opened }) => onOpen({ rows: [...opened], mazeId: "" })} />
    </div>
  );
}
