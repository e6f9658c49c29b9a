"use client";

import { Check, PencilLine, Trash2, Undo2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import type { KeptMaze } from "./kept-mazes";
import { keptMazes, useKeptMazes } from "./kept-mazes-store";
import { MazePicture } from "./maze-picture";

type KeptMazeListProps = {
  onOpen: (maze: KeptMaze) => void;
  /** What is said while there are none. */
  empty?: string;
};

/** The drawn mazes of this browser: open, rename, delete, and take the deletion back. */
export function KeptMazeList({ onOpen, empty = "Nothing is kept yet." }: KeptMazeListProps) {
  const kept = useKeptMazes();
  const [renamed, setRenamed] = useState<string>();
  const [deleted, setDeleted] = useState<string>();
  return (
    <div className="space-y-2">
      <div role="status">
        {deleted === undefined ? null : (
          <p className="flex items-center justify-between gap-2 rounded-control border bg-raised py-1 pr-1 pl-3 text-sub">
            <span className="min-w-0 truncate">“{deleted}” was deleted.</span>
            <Button
              size="sm"
              variant="ghost"
              onClick={() => {
                keptMazes.undo();
                setDeleted(undefined);
              }}
            >
              <Undo2 aria-hidden="true" />
              Undo
            </Button>
          </p>
        )}
      </div>
      {kept.length === 0 ? <p className="py-4 text-center text-sub text-text-3">{empty}</p> : null}
      <ul className="space-y-1">
        {kept.map((entry) => (
          <li
            key={entry.id}
            className="flex items-center gap-1 rounded-control border border-transparent p-1 hover:border-line"
          >
            {renamed === entry.id ? (
              <RenameForm entry={entry} onDone={() => setRenamed(undefined)} />
            ) : (
              <>
                <button
                  type="button"
                  className="flex min-h-11 min-w-0 flex-1 items-center gap-3 rounded-small text-left"
                  onClick={() => onOpen(entry)}
                >
                  <MazePicture rows={entry.rows} className="size-11 shrink-0 rounded-[4px]" />
                  <span className="min-w-0">
                    <span className="block truncate text-body">{entry.name}</span>
                    <span className="figure block text-meta text-text-3">
                      {entry.rows.length} × {entry.rows[0]?.length ?? 0}
                    </span>
                  </span>
                </button>
                <Button
                  variant="ghost"
                  size="icon"
                  aria-label={`Rename ${entry.name}`}
                  onClick={() => setRenamed(entry.id)}
                >
                  <PencilLine />
                </Button>
                <Button
                  variant="ghost"
                  size="icon"
                  aria-label={`Delete ${entry.name}`}
                  onClick={() => {
                    keptMazes.remove(entry.id);
                    setDeleted(entry.name);
                  }}
                >
                  <Trash2 />
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function RenameForm({ entry, onDone }: { entry: KeptMaze; onDone: () => void }) {
  const [name, setName] = useState(entry.name);
  return (
    <form
      className="flex flex-1 items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        keptMazes.rename(entry.id, name);
        onDone();
      }}
    >
      <Input
        aria-label={`New name of ${entry.name}`}
        autoFocus
        maxLength={60}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onDone();
        }}
      />
      <Button type="submit" size="icon" aria-label="Take the name">
        <Check />
      </Button>
    </form>
  );
}
