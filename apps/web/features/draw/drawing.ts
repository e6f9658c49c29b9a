/**
 * A maze while it is drawn; a value that no operation changes. Start and goal are open cells and never the same one. Whether a way leads from
 * one to the other is not its concern: half a drawing has none.
 */
export interface Drawing {
  readonly rows: number;
  readonly cols: number;
  /** 1 for wall, 0 for open; flat: cell (row, col) is at row · cols + col. */
  readonly wall: Uint8Array;
  readonly start: number;
  readonly goal: number;
}

/** What an operation does to every cell of the grid, the two marks included. */
export type Turn = "rotate" | "mirror" | "flip";

/** Size of a rows × cols grid with nothing but start and goal, in opposite corners. */
export function emptyDrawing(rows: number, cols: number): Drawing {
  return { rows, cols, wall: new Uint8Array(rows * cols), start: 0, goal: rows * cols - 1 };
}

/** Reads rows as `Maze.rows` has them: a grid with one `S` and one `G`. */
export function drawingOf(rows: readonly string[]): Drawing {
  const cells = rows.join("");
  return {
    rows: rows.length,
    cols: rows[0]?.length ?? 0,
    wall: Uint8Array.from(cells, (mark) => (mark === "#" ? 1 : 0)),
    start: cells.indexOf("S"),
    goal: cells.indexOf("G"),
  };
}

/** Rows as `Maze.rows` has them. */
export function rowsOf(drawing: Drawing): string[] {
  return Array.from({ length: drawing.rows }, (_, row) => {
    let text = "";
    for (let col = 0; col < drawing.cols; col++) text += markOf(drawing, row * drawing.cols + col);
    return text;
  });
}

function markOf(drawing: Drawing, cell: number): string {
  if (cell === drawing.start) return "S";
  if (cell === drawing.goal) return "G";
  return drawing.wall[cell] ? "#" : ".";
}

/** Whether two drawings are the same maze, cell by cell. */
export function sameDrawing(a: Drawing, b: Drawing): boolean {
  return (
    a.rows === b.rows &&
    a.cols === b.cols &&
    a.start === b.start &&
    a.goal === b.goal &&
    a.wall.every((value, cell) => value === b.wall[cell])
  );
}

/** Makes cells wall or path. Start and goal stay open. Gives the same drawing back when nothing changes. */
export function paint(drawing: Drawing, cells: Iterable<number>, as: "wall" | "path"): Drawing {
  const value = as === "wall" ? 1 : 0;
  let wall: Uint8Array | undefined;
  for (const cell of cells) {
    if (!isPaintable(drawing, cell) || (wall ?? drawing.wall)[cell] === value) continue;
    wall ??= drawing.wall.slice();
    wall[cell] = value;
  }
  return wall === undefined ? drawing : { ...drawing, wall };
}

/** Whether a cell is in the grid and neither start nor goal. */
export function isPaintable(drawing: Drawing, cell: number): boolean {
  return cell >= 0 && cell < drawing.wall.length && cell !== drawing.start && cell !== drawing.goal;
}

/** Moves start or goal to a cell, which becomes open if it was wall. On the other mark's cell they change places. */
export function place(drawing: Drawing, mark: "start" | "goal", cell: number): Drawing {
  if (cell < 0 || cell >= drawing.wall.length || drawing[mark] === cell) return drawing;
  const other = mark === "start" ? "goal" : "start";
  if (drawing[other] === cell) return { ...drawing, start: drawing.goal, goal: drawing.start };
  return { ...opened(drawing, cell), [mark]: cell };
}

/** Makes every cell path, or every cell wall but start and goal. */
export function fillAll(drawing: Drawing, as: "wall" | "path"): Drawing {
  return paint(drawing, drawing.wall.keys(), as);
}

/** Turns wall into path and path into wall. Start and goal stay open. */
export function invert(drawing: Drawing): Drawing {
  const wall = drawing.wall.map((value, cell) => (isPaintable(drawing, cell) ? 1 - value : 0));
  return { ...drawing, wall };
}

/** Another size. What lies within both stays; new cells are path; a mark that falls outside moves to the nearest free cell. */
export function resize(drawing: Drawing, rows: number, cols: number): Drawing {
  if (rows === drawing.rows && cols === drawing.cols) return drawing;
  const wall = new Uint8Array(rows * cols);
  for (let row = 0; row < Math.min(rows, drawing.rows); row++) {
    const line = drawing.wall.subarray(row * drawing.cols, row * drawing.cols + Math.min(cols, drawing.cols));
    wall.set(line, row * cols);
  }
  const moved = (cell: number) =>
    Math.min(rows - 1, Math.floor(cell / drawing.cols)) * cols + Math.min(cols - 1, cell % drawing.cols);
  const start = moved(drawing.start);
  let goal = moved(drawing.goal);
  // Both were pushed into one cell: the goal takes the one beside it.
  if (goal === start) goal = start % cols > 0 ? start - 1 : start + 1;
  return opened(opened({ rows, cols, wall, start, goal }, start), goal);
}

/** Turns the drawing clockwise by a quarter, or mirrors it left to right or top to bottom. */
export function turn(drawing: Drawing, how: Turn): Drawing {
  const { rows, cols } = drawing;
  const rotated = how === "rotate";
  const newCols = rotated ? rows : cols;
  const to = (cell: number): number => {
    const row = Math.floor(cell / cols);
    const col = cell % cols;
    if (how === "rotate") return col * newCols + (rows - 1 - row);
    return how === "mirror" ? row * cols + (cols - 1 - col) : (rows - 1 - row) * cols + col;
  };
  const wall = new Uint8Array(rows * cols);
  drawing.wall.forEach((value, cell) => {
    wall[to(cell)] = value;
  });
  return { rows: rotated ? cols : rows, cols: newCols, wall, start: to(drawing.start), goal: to(drawing.goal) };
}

/** Cells from one to another in a line without a gap that an agent could slip through: each is beside the one before. */
export function lineOfCells(cols: number, from: number, to: number): number[] {
  let row = Math.floor(from / cols);
  let col = from % cols;
  const toRow = Math.floor(to / cols);
  const toCol = to % cols;
  const rowStep = Math.sign(toRow - row);
  const colStep = Math.sign(toCol - col);
  const height = Math.abs(toRow - row);
  const width = Math.abs(toCol - col);
  const cells = [from];
  // Of the two moves the one that stays nearer to the straight line (Bresenham without diagonal moves).
  for (let down = 0, across = 0; down < height || across < width; ) {
    if ((1 + 2 * across) * height < (1 + 2 * down) * width) {
      col += colStep;
      across++;
    } else {
      row += rowStep;
      down++;
    }
    cells.push(row * cols + col);
  }
  return cells;
}

function opened(drawing: Drawing, cell: number): Drawing {
  if (!drawing.wall[cell]) return drawing;
  const wall = drawing.wall.slice();
  wall[cell] = 0;
  return { ...drawing, wall };
}
