import type { FailedMaze } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_pb";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { MazePicture } from "@/features/mazes/maze-picture";
import { cn } from "@/lib/class-names";
import type { MomentPolicy } from "@/lib/moment-link";
import { mazeQuery } from "@/lib/queries";
import { episodePath } from "./board-rows";

/** Each picture is a question to the server, so a row that failed everywhere shows its failures by the dozen. */
const DOZEN = 12;

type FailedMazesProps = {
  policy: MomentPolicy;
  failed: readonly FailedMaze[];
  /** Titles of puzzles by their id; other mazes are called by their id. */
  titles: ReadonlyMap<string, string>;
};

/** Pictures of the mazes where a policy failed; each leads to the episode that failed. */
export function FailedMazes({ policy, failed, titles }: FailedMazesProps) {
  const [shown, setShown] = useState(DOZEN);
  const more = Math.min(DOZEN, failed.length - shown);
  return (
    <>
      <ul aria-label="Failed mazes" className="grid grid-cols-[repeat(auto-fill,minmax(6rem,1fr))] gap-2">
        {failed.slice(0, shown).map((maze) => (
          <li key={maze.mazeId}>
            <Link
              href={episodePath(policy, maze)}
              prefetch={false}
              className="group block rounded-small border bg-panel p-1.5 transition-colors hover:border-line-strong"
            >
              <Picture mazeId={maze.mazeId} />
              <span
                className={cn(
                  "block truncate pt-1 text-center text-meta text-text-2 group-hover:text-text",
                  !titles.has(maze.mazeId) && "figure",
                )}
              >
                {titles.get(maze.mazeId) ?? maze.mazeId}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {more > 0 ? (
        <Button size="sm" onClick={() => setShown(shown + more)}>
          Show {more} more
        </Button>
      ) : null}
    </>
  );
}

function Picture({ mazeId }: { mazeId: string }) {
  const { data: maze } = useQuery(mazeQuery(mazeId));
  // The place is kept as a square; a maze that is not one stands in its middle.
  return maze === undefined ? (
    <Skeleton className="aspect-square w-full" />
  ) : (
    <MazePicture rows={maze.rows} className="block aspect-square w-full rounded-[4px]" />
  );
}
