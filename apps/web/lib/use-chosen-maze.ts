"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useServerConnection } from "@/components/shell/connection-provider";
import { type FirstAnswers, firstShowcase } from "./first-answers";
import { generateMaze, mazeQuery, mazesQuery } from "./queries";

/** Which maze a person chose. */
export interface MazeWish {
  /** Empty: the first maze of the set. */
  readonly mazeId: string;
  /** Set that "next maze" goes through. */
  readonly setId: string;
}

/** The maze that was chosen, and the way to another one. */
export interface ChosenMaze {
  /** Undefined while it is being read, and when it cannot be. */
  readonly maze: Maze | undefined;
  /** Id of the maze that was wanted last and that this server does not have; undefined while it has all. */
  readonly missing: string | undefined;
  /** Chooses a maze of any kind; a drawn one is kept for this visit only. */
  readonly setMaze: (maze: Maze) => void;
  /** The maze after this one in its set, or another generated one of the same size. */
  readonly nextMaze: () => Promise<void>;
}

/**
 * Reads the maze that a page's choices name. A maze that this server does not have makes way for the first of the showcase; what could not be
 * read is read again when the server is back. `drawn` is a maze that only the address knows.
 */
export function useChosenMaze(
  wish: MazeWish,
  changeWish: (wish: MazeWish) => void,
  first: FirstAnswers,
  drawn?: Maze,
): ChosenMaze {
  const { connection: server } = useServerConnection();
  const showcase = useMemo(() => firstShowcase(first), [first]);
  const initial =
    wish.setId === "showcase" && showcase !== undefined ? { initialData: { pages: [showcase], pageParams: [""] } } : {};
  const { data, isError, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    ...mazesQuery(wish.setId),
    ...initial,
  });
  const mazes = useMemo(() => data?.pages.flatMap((page) => page.mazes) ?? [], [data]);
  const [picked, setPicked] = useState<Maze | undefined>(drawn);

  // A picked maze that has no id was drawn; it stays until another one is picked.
  const held = picked !== undefined && (picked.mazeId === "" || picked.mazeId === wish.mazeId);
  const listed = mazes.find((candidate) => candidate.mazeId === wish.mazeId);
  const named = useQuery({
    ...mazeQuery(wish.mazeId),
    enabled: wish.mazeId !== "" && listed === undefined && !held,
  });
  const { isError: namedFailed, error: namedError, refetch: refetchNamed } = named;
  const maze = held ? picked : wish.mazeId === "" ? mazes[0] : (listed ?? named.data ?? undefined);

  const gone = namedFailed && "code" in namedError && namedError.code === "not_found";
  const [missing, setMissing] = useState<string>();
  useEffect(() => {
    if (!gone) return;
    setMissing(wish.mazeId);
    changeWish({ mazeId: "", setId: "showcase" });
  }, [gone, wish.mazeId, changeWish]);

  useEffect(() => {
    if (server.state !== "connected") return;
    if (isError) void refetch();
    if (namedFailed && !gone) void refetchNamed();
  }, [server.state, isError, refetch, namedFailed, gone, refetchNamed]);

  const { setId } = wish;
  const setMaze = useCallback(
    (wanted: Maze) => {
      setPicked(wanted);
      if (wanted.mazeId !== "") {
        changeWish({ mazeId: wanted.mazeId, setId: wanted.setId === "" ? setId : wanted.setId });
      }
    },
    [changeWish, setId],
  );

  const nextMaze = useCallback(async () => {
    if (maze?.mazeId.startsWith("generated-")) {
      const made = await generateMaze({ size: maze.rows.length, seed: "", loopRatio: maze.loopRatio }).catch(
        () => undefined,
      );
      if (made !== undefined) setMaze(made);
      return;
    }
    let list = mazes;
    const at = () => list.findIndex((candidate) => candidate.mazeId === maze?.mazeId);
    if (hasNextPage && at() === list.length - 1) {
      list = (await fetchNextPage()).data?.pages.flatMap((page) => page.mazes) ?? list;
    }
    const next = list[(at() + 1) % Math.max(1, list.length)];
    if (next !== undefined) setMaze(next);
  }, [maze, mazes, hasNextPage, fetchNextPage, setMaze]);

  return { maze, missing, setMaze, nextMaze };
}
