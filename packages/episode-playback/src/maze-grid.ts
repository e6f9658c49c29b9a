import type { Cell, Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";

/** The grid of a maze, flat: cell (row, col) is at row · cols + col. */
export interface MazeGrid {
  readonly mazeId: string;
  readonly rows: number;
  readonly cols: number;
  /** 1 for wall, 0 for open. */
  readonly wall: Uint8Array;
  readonly start: number;
  readonly goal: number;
  /** Number of open cells. */
  readonly openCells: number;
  /** Steps of the shortest path from start to goal; 0 when unknown. */
  readonly shortestPath: number;
}

/** Reads the grid of a maze. Throws on ragged rows or a missing start or goal, which a server never sends. */
export function mazeGrid(maze: Pick<Maze, "mazeId" | "rows" | "shortestPath">): MazeGrid {
  const rows = maze.rows.length;
  const cols = maze.rows[0]?.length ?? 0;
  const wall = new Uint8Array(rows * cols);
  let start = -1;
  let goal = -1;
  let openCells = 0;
  maze.rows.forEach((text, row) => {
    if (text.length !== cols) throw new RangeError(`maze row ${row} has ${text.length} cells, not ${cols}`);
    for (let col = 0; col < cols; col++) {
      const mark = text[col];
      const cell = row * cols + col;
      if (mark === "#") wall[cell] = 1;
      else openCells++;
      if (mark === "S") start = cell;
      if (mark === "G") goal = cell;
    }
  });
  if (start < 0 || goal < 0) throw new RangeError("maze has no start or no goal");
  return { mazeId: maze.mazeId, rows, cols, wall, start, goal, openCells, shortestPath: maze.shortestPath };
}

/** Flat index of a cell of the contract; a missing one is the origin. */
export function cellIndex(grid: Pick<MazeGrid, "cols">, cell: Pick<Cell, "row" | "col"> | undefined): number {
  return cell ? cell.row * grid.cols + cell.col : 0;
}
