"use client";

import type { Maze, MazeSet } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { PencilRuler, Search } from "lucide-react";
import Link from "next/link";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent, DialogDescription, DialogTitle } from "@/components/ui/dialog";
import { Input } from "@/components/ui/input";
import { Select, SelectContent, SelectItem, SelectTrigger, SelectValue } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { cn } from "@/lib/class-names";
import { count, difficultyName } from "@/lib/format";
import { mazeQuery, mazeSetsQuery, mazesQuery } from "@/lib/queries";
import { drawnMaze } from "./drawn-maze";
import { KeptMazeList } from "./kept-maze-list";
import { MazeGenerator } from "./maze-generator";
import { MazePicture } from "./maze-picture";
import { matchesSearch, searchedIds } from "./maze-search";

type MazePickerProps = {
  maze: Maze | undefined;
  setId: string;
  onPick: (maze: Maze) => void;
  onClose: () => void;
  /** What a picked maze is for; default `run`. */
  purpose?: "run" | "draw";
};

/** A dialog to choose a maze of a set by its picture, a drawn one, or to generate a new one. A drawn maze has no id. */
export function MazePicker({ maze, setId, onPick, onClose, purpose = "run" }: MazePickerProps) {
  const pick = (picked: Maze) => {
    onClose();
    onPick(picked);
  };
  const generated = maze?.mazeId.startsWith("generated-") === true;
  const drawn = maze !== undefined && maze.mazeId === "";
  return (
    <Dialog open onOpenChange={(open) => (open ? undefined : onClose())}>
      <DialogContent className="w-[720px]">
        <DialogTitle>Choose a maze</DialogTitle>
        <DialogDescription>
          {purpose === "run" ? "The agent starts in it at once." : "It becomes the drawing; undo brings yours back."}
        </DialogDescription>
        <Tabs defaultValue={drawn ? "drawn" : generated ? "generate" : "sets"} className="mt-3">
          <TabsList className="px-0">
            <TabsTrigger value="sets">From a set</TabsTrigger>
            <TabsTrigger value="generate">Generate</TabsTrigger>
            <TabsTrigger value="drawn">Drawn</TabsTrigger>
          </TabsList>
          <TabsContent value="sets" className="pt-3">
            <SetPicker maze={maze} startSetId={setId} onPick={pick} />
          </TabsContent>
          <TabsContent value="generate" className="pt-3">
            <MazeGenerator label={purpose === "run" ? "Generate and run" : "Generate and draw"} onPick={pick} />
          </TabsContent>
          <TabsContent value="drawn" className="space-y-3 pt-3">
            <div className="scroll-thin max-h-[50dvh] overflow-y-auto">
              <KeptMazeList
                onOpen={({ rows, name }) => pick(drawnMaze(rows, name))}
                empty="No drawing is kept in this browser yet."
              />
            </div>
            {purpose === "run" ? (
              <Button asChild className="w-full">
                <Link href="/draw" prefetch={false}>
                  <PencilRuler aria-hidden="true" />
                  Draw one
                </Link>
              </Button>
            ) : null}
          </TabsContent>
        </Tabs>
      </DialogContent>
    </Dialog>
  );
}

const skeletonPlaces = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

function SetPicker({
  maze,
  startSetId,
  onPick,
}: {
  maze: Maze | undefined;
  startSetId: string;
  onPick: (maze: Maze) => void;
}) {
  const [setId, setSetId] = useState(startSetId);
  const [text, setText] = useState("");
  const searched = useDeferredValue(text);
  const sets = useQuery(mazeSetsQuery);
  const pages = useInfiniteQuery(mazesQuery(setId));
  const loaded = pages.data?.pages.flatMap((page) => page.mazes) ?? [];
  const found = useFoundMaze(searched, setId, loaded);
  const mazes = [
    ...(found === undefined ? [] : [found]),
    ...loaded.filter((candidate) => candidate.mazeId !== found?.mazeId && matchesSearch(candidate, searched)),
  ];
  const set = sets.data?.find((candidate) => candidate.setId === setId);
  // What is tested is a sentence: it needs a line of its own beside the picture.
  const isPuzzles = mazes.some((candidate) => candidate.tests !== "");
  const more = searched === "" && pages.hasNextPage;
  return (
    <div className="space-y-3">
      <div className="grid grid-cols-[minmax(0,1fr)_minmax(0,200px)] gap-2 max-md:grid-cols-1">
        <Select value={setId} onValueChange={setSetId}>
          <SelectTrigger aria-label="Maze set">
            <SelectValue>{set ? `${set.setId} · ${count(set.mazeCount)} mazes` : setId}</SelectValue>
          </SelectTrigger>
          <SelectContent>
            {(sets.data ?? []).map((candidate) => (
              <SelectItem key={candidate.setId} value={candidate.setId} detail={candidate.description}>
                <span className="figure">{candidate.setId}</span>
                <span className="text-text-3"> · {setFacts(candidate)}</span>
              </SelectItem>
            ))}
          </SelectContent>
        </Select>
        <div className="relative">
          <Search className="-translate-y-1/2 absolute top-1/2 left-2.5 size-3.5 text-text-3" aria-hidden="true" />
          <Input
            type="search"
            aria-label="Search by number, id or word"
            placeholder="number, id or word"
            autoComplete="off"
            className="pl-8"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      </div>
      {set === undefined ? null : (
        <p className="text-sub text-text-3">
          {set.description}
          {set.seenInTraining ? " Success on these says nothing about unseen mazes." : ""}
        </p>
      )}
      {pages.isError ? (
        <p role="alert" className="text-danger text-sub">
          {pages.error.message}
        </p>
      ) : null}
      <div
        aria-busy={pages.isPending}
        className={cn(
          "scroll-thin grid max-h-[50dvh] min-h-40 content-start gap-2 overflow-y-auto p-0.5",
          isPuzzles ? "grid-cols-2 max-md:grid-cols-1" : "grid-cols-[repeat(auto-fill,minmax(108px,1fr))]",
        )}
      >
        {pages.isPending ? skeletonPlaces.map((place) => <Skeleton key={place} className="aspect-[4/5]" />) : null}
        {mazes.map((candidate) => (
          <MazeCard
            key={candidate.mazeId}
            maze={candidate}
            chosen={candidate.mazeId === maze?.mazeId}
            wide={isPuzzles}
            onPick={onPick}
          />
        ))}
        {more ? <NextPage loading={pages.isFetchingNextPage} onReach={() => void pages.fetchNextPage()} /> : null}
        {mazes.length === 0 && !pages.isPending && !pages.isError ? (
          <p className="col-span-full py-8 text-center text-sub text-text-3">
            Nothing here is called “{searched}”. A number, an id such as heldout-0007, or a word of a title finds a
            maze.
          </p>
        ) : null}
      </div>
      <p role="status" className="sr-only">
        {searched === "" ? "" : `${mazes.length} found`}
      </p>
    </div>
  );
}

function setFacts(set: MazeSet): string {
  const size = set.rows > 0 ? `, ${set.rows} × ${set.cols}` : "";
  return `${count(set.mazeCount)}${size}${set.seenInTraining ? ", seen in training" : ""}`;
}

/** The one maze whose number or id was typed, wherever in the set or in another set it is. */
function useFoundMaze(text: string, setId: string, loaded: readonly Maze[]): Maze | undefined {
  const [wanted] = searchedIds(text, setId, loaded[0]?.mazeId);
  const known = loaded.find(({ mazeId }) => mazeId === wanted);
  const named = useQuery({
    ...mazeQuery(wanted ?? ""),
    // A word is no id; asking for each letter of it would be noise.
    enabled: wanted !== undefined && known === undefined && /\d/.test(wanted),
    retry: false,
  });
  return known ?? (named.isSuccess ? named.data : undefined);
}

function MazeCard({
  maze,
  chosen,
  wide,
  onPick,
}: {
  maze: Maze;
  chosen: boolean;
  wide: boolean;
  onPick: (maze: Maze) => void;
}) {
  const facts = (
    <>
      <span className={cn("block truncate text-text", maze.title === "" ? "figure text-meta" : "text-sub font-medium")}>
        {maze.title || maze.mazeId}
      </span>
      <span className="block truncate text-meta text-text-3">
        <span className="figure">{maze.shortestPath}</span> steps · {difficultyName(maze.difficulty)}
      </span>
    </>
  );
  return (
    <button
      type="button"
      aria-pressed={chosen}
      onClick={() => onPick(maze)}
      className={cn(
        // Cards out of sight are neither laid out nor painted.
        "min-w-0 rounded-control border p-1.5 text-left transition-colors [content-visibility:auto] hover:border-line-strong hover:bg-raised",
        wide ? "flex items-center gap-3 [contain-intrinsic-size:auto_96px]" : "[contain-intrinsic-size:auto_160px]",
        chosen && "border-accent",
      )}
    >
      <MazePicture
        rows={maze.rows}
        className={cn("rounded-[4px]", wide ? "size-20 shrink-0" : "aspect-square w-full")}
      />
      <span className={cn("block min-w-0", wide ? "flex-1" : "mt-1")}>
        {facts}
        {maze.tests === "" ? null : <span className="mt-0.5 block text-meta text-text-2">{maze.tests}</span>}
      </span>
    </button>
  );
}

/** The end of the list: asks for the next page when it comes into sight, or is pressed. */
function NextPage({ loading, onReach }: { loading: boolean; onReach: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  const reach = useRef(onReach);
  useEffect(() => {
    reach.current = onReach;
  });
  useEffect(() => {
    if (button.current === null || loading || !("IntersectionObserver" in window)) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) reach.current();
    });
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [loading]);
  return (
    <Button ref={button} size="sm" className="col-span-full" disabled={loading} onClick={onReach}>
      {loading ? "Loading…" : "Show more"}
    </Button>
  );
}
