import { create, toJson } from "@bufbuild/protobuf";
import {
  CheckMazeRequestSchema,
  type CheckMazeResponse,
  CheckMazeResponseSchema,
} from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { BffError, postMessage } from "@/lib/bff";
import { type Drawing, rowsOf } from "./drawing";

/** What the server says about the drawing; `pending` while it was not asked about this one yet. */
export type ServerVerdict =
  | { readonly state: "pending" }
  | { readonly state: "away" }
  | {
      readonly state: "told";
      readonly solvable: boolean;
      /** What is wrong, one sentence each. */
      readonly problems: readonly string[];
      /** Cells that the problems are about. */
      readonly cells: readonly number[];
      /** The maze of a committed set that is the same but for turning and mirroring; empty for a new one. */
      readonly knownMazeId: string;
    };

/** A hand at rest: shorter than that, a drag would ask for each of its cells. */
const REST_MS = 350;

/** Asks the server to judge rows. Throws {@link BffError}. */
export function checkMaze(rows: readonly string[]): Promise<CheckMazeResponse> {
  const request = create(CheckMazeRequestSchema, { maze: { rows: [...rows] } });
  return postMessage(CheckMazeResponseSchema, "/api/maze/check", toJson(CheckMazeRequestSchema, request));
}

/** The verdict of the server, asked for whenever the hand rests. */
export function useServerVerdict(drawing: Drawing): ServerVerdict {
  const [rested, setRested] = useState<Drawing>();
  useEffect(() => {
    const timer = setTimeout(() => setRested(drawing), REST_MS);
    return () => clearTimeout(timer);
  }, [drawing]);
  const rows = rested === undefined ? [] : rowsOf(rested);
  const check = useQuery({
    queryKey: ["check-maze", rows.join("\n")],
    queryFn: () => checkMaze(rows),
    enabled: rows.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    retry: false,
    // The server may have been away for a moment.
    refetchInterval: (query) => (query.state.status === "error" ? 4_000 : false),
  });
  if (rested !== drawing || check.isPending) return { state: "pending" };
  if (check.isError) {
    const violation = check.error instanceof BffError ? check.error.violations[0] : undefined;
    if (violation === undefined) return { state: "away" };
    return {
      state: "told",
      solvable: false,
      problems: [`${violation.field}: ${violation.message}`],
      cells: [],
      knownMazeId: "",
    };
  }
  const { solvable, problems, knownMazeId } = check.data;
  return {
    state: "told",
    solvable,
    problems: problems.map((problem) => problem.message),
    cells: problems.flatMap((problem) => problem.cells.map(({ row, col }) => row * drawing.cols + col)),
    knownMazeId,
  };
}
