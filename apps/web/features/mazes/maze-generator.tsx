"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Dices } from "lucide-react";
import { type ReactNode, useEffect, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { Slider } from "@/components/ui/slider";
import { BffError } from "@/lib/bff";
import { cn } from "@/lib/class-names";
import { difficultyName } from "@/lib/format";
import { generateMaze } from "@/lib/queries";
import { isSeed } from "@/lib/seed";
import { MazePicture } from "./maze-picture";

const SMALLEST = 5;
const LARGEST = 50;
/** A slider that is held asks for no maze at each of its places. */
const REST_MS = 150;

type MazeGeneratorProps = {
  /** What the button does with the maze: "Generate and run". */
  label: string;
  onPick: (maze: Maze) => void;
};

/** A number for whoever named none; small enough to be typed by a person who wants the maze again. */
const anySeed = () => String(Math.floor(Math.random() * 1_000_000));

/** A maze by size, loops and seed, shown before it is taken. */
export function MazeGenerator({ label, onPick }: MazeGeneratorProps) {
  const [size, setSize] = useState(10);
  const [loops, setLoops] = useState(0);
  const [seed, setSeed] = useState("");
  const [drawnSeed, setDrawnSeed] = useState(anySeed);
  const [taking, setTaking] = useState(false);
  const [takeError, setTakeError] = useState<Error>();
  const ids = useId();
  const queryClient = useQueryClient();
  const seedWrong = !isSeed(seed);
  const choice = { size, loopRatio: loops / 100, seed: seed === "" ? drawnSeed : seed };
  const rested = useRested(choice);
  const preview = useQuery({
    ...generatedQuery(rested),
    enabled: isSeed(rested.seed),
    placeholderData: (before: Maze | undefined) => before,
    retry: false,
  });
  const maze = preview.data;
  const error = takeError ?? preview.error;

  const take = async () => {
    setTaking(true);
    setTakeError(undefined);
    try {
      const made = await queryClient.fetchQuery(generatedQuery(choice));
      if (made !== undefined) onPick(made);
    } catch (reason) {
      setTakeError(reason instanceof Error ? reason : new Error("The maze could not be made."));
    } finally {
      setTaking(false);
    }
  };

  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!seedWrong) void take();
      }}
    >
      <div className="flex items-center gap-3">
        {maze === undefined ? (
          <div className="size-28 shrink-0 animate-status-pulse rounded-small bg-raised" />
        ) : (
          <MazePicture rows={maze.rows} className="size-28 shrink-0 rounded-small border" />
        )}
        <div className="min-w-0 space-y-1 text-sub text-text-3" aria-live="polite">
          <p className="figure truncate text-text">{maze?.mazeId ?? "…"}</p>
          {maze === undefined ? null : (
            <p>
              Shortest path <span className="figure text-text-2">{maze.shortestPath}</span>,{" "}
              {difficultyName(maze.difficulty)}
            </p>
          )}
          <Button
            size="sm"
            disabled={seed !== ""}
            title={seed === "" ? undefined : "The seed is given"}
            onClick={() => setDrawnSeed(anySeed())}
          >
            <Dices aria-hidden="true" />
            Another
          </Button>
        </div>
      </div>
      <Field label="Size" value={`${size} × ${size}`}>
        <Slider
          aria-label="Size"
          valueText={`${size} by ${size} cells`}
          min={SMALLEST}
          max={LARGEST}
          value={size}
          onValueChange={setSize}
        />
      </Field>
      <Field label="Loops" value={`${loops}\u202f% of inner walls opened`}>
        <Slider
          aria-label="Loops"
          valueText={`${loops} per cent`}
          min={0}
          max={50}
          value={loops}
          onValueChange={setLoops}
        />
      </Field>
      <div className="space-y-1">
        <Label htmlFor={`${ids}-seed`}>Seed</Label>
        <Input
          id={`${ids}-seed`}
          inputMode="numeric"
          autoComplete="off"
          placeholder={`any, now ${drawnSeed}`}
          value={seed}
          aria-invalid={seedWrong}
          aria-describedby={`${ids}-rule`}
          onChange={(event) => setSeed(event.target.value.trim())}
        />
        <p id={`${ids}-rule`} className={cn("text-meta", seedWrong ? "text-danger" : "text-text-3")}>
          {seedWrong
            ? "A whole number from 0 to 18446744073709551615."
            : "The same size, loops and seed give the same maze everywhere."}
        </p>
      </div>
      {error ? (
        <p role="alert" className="text-danger text-sub">
          {error instanceof BffError && error.violations[0]
            ? `${error.violations[0].field}: ${error.violations[0].message}`
            : error.message}
        </p>
      ) : null}
      <Button type="submit" variant="primary" className="w-full" disabled={seedWrong || taking}>
        {label}
      </Button>
    </form>
  );
}

interface Choice {
  readonly size: number;
  readonly loopRatio: number;
  readonly seed: string;
}

const generatedQuery = (choice: Choice) => ({
  queryKey: ["generated-maze", choice.size, choice.loopRatio, choice.seed],
  queryFn: () => generateMaze(choice),
  // The same choice gives the same maze for ever.
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: 60_000,
});

/** The choice once nothing has changed for a moment. */
function useRested({ size, loopRatio, seed }: Choice): Choice {
  const [rested, setRested] = useState<Choice>({ size, loopRatio, seed });
  useEffect(() => {
    const timer = setTimeout(() => setRested({ size, loopRatio, seed }), REST_MS);
    return () => clearTimeout(timer);
  }, [size, loopRatio, seed]);
  return rested;
}

function Field({ label, value, children }: { label: string; value: string; children: ReactNode }) {
  return (
    <div className="space-y-1">
      <div className="flex justify-between gap-3 text-sub">
        <span className="text-text-2">{label}</span>
        <span className="figure text-right text-text">{value}</span>
      </div>
      {children}
    </div>
  );
}
