import { type ColumnKey, columns } from "./board-columns";

/** All that the address of the leaderboard holds. */
export interface Board {
  /** The mazes that everybody is measured on. */
  readonly setId: string;
  /** The column that the rows are sorted by. */
  readonly sort: ColumnKey;
  /** The other way round than is usual for the column. */
  readonly reversed: boolean;
}

/** The final figures of finished models come from the held-out set. */
export const plainBoard: Board = { setId: "heldout", sort: "success", reversed: false };

/** Reads the query. What cannot be read is left at what it is without it. */
export function readBoard(params: URLSearchParams): Board {
  const setId = params.get("set") ?? "";
  const sort = columns.find(({ key }) => key === params.get("sort"))?.key ?? plainBoard.sort;
  return {
    setId: /^[a-z0-9][a-z0-9-]{0,63}$/.test(setId) ? setId : plainBoard.setId,
    sort,
    reversed: params.get("order") === "reversed",
  };
}

/** Path and query of a board; what is as usual is left out. */
export function boardPath(board: Board): string {
  const params = new URLSearchParams();
  if (board.setId !== plainBoard.setId) params.set("set", board.setId);
  if (board.sort !== plainBoard.sort) params.set("sort", board.sort);
  if (board.reversed) params.set("order", "reversed");
  return params.size === 0 ? "/leaderboard" : `/leaderboard?${params}`;
}
