/** A cell under the pointer or the keyboard's focus. */
export interface CellAt {
  readonly row: number;
  readonly col: number;
  /** Flat index. */
  readonly cell: number;
}

/** Where a maze lies on a canvas, in device pixels: everything is a whole number, so that no edge is blurred. */
export interface MazeLayout {
  readonly rows: number;
  readonly cols: number;
  /** Side of a cell. */
  readonly cell: number;
  /** Top left corner of cell (0, 0). */
  readonly x: number;
  readonly y: number;
  /** Width of the wall around the grid: outside of the grid is wall. */
  readonly frame: number;
  readonly dpr: number;
  /** Whether there is room for row and column numbers, and they were asked for. */
  readonly rulers: boolean;
}

/** Room for the numbers, in CSS pixels: three mono digits of 10 px at the left, one line of them below. */
const RULER_LEFT = 28;
const RULER_BELOW = 20;

/** Air around the board and its numbers, in CSS pixels, so that it touches no edge of its panel. */
const MARGIN = 10;

/** Widest frame in CSS pixels; a tenth of the maze is wall enough. */
const WIDEST_FRAME = 14;

/** Lays a maze out in a place of `width` × `height` CSS pixels: the largest whole cell, centred. Undefined when not even one pixel a cell fits. */
export function layoutMaze(
  place: { readonly width: number; readonly height: number; readonly dpr: number },
  grid: { readonly rows: number; readonly cols: number },
  wantRulers: boolean,
): MazeLayout | undefined {
  const { dpr } = place;
  const width = Math.floor(place.width * dpr);
  const height = Math.floor(place.height * dpr);
  // A place that is tiny anyway has no air to give.
  const margin = Math.min(Math.round(MARGIN * dpr), Math.floor(Math.min(width, height) / 20));
  const left = wantRulers ? Math.round(RULER_LEFT * dpr) : 0;
  const below = wantRulers ? Math.round(RULER_BELOW * dpr) : 0;
  const largestCell = (frame: number): number =>
    Math.floor(
      Math.min((width - left - 2 * (margin + frame)) / grid.cols, (height - below - 2 * (margin + frame)) / grid.rows),
    );
  // The frame follows from the cell and takes room from it, so it is found in two steps.
  const frame = Math.max(2, Math.min(Math.round(WIDEST_FRAME * dpr), Math.round(largestCell(0) / 3)));
  const cell = largestCell(frame);
  if (cell < 1) return undefined;
  const boardWidth = cell * grid.cols + 2 * frame;
  const boardHeight = cell * grid.rows + 2 * frame;
  return {
    rows: grid.rows,
    cols: grid.cols,
    cell,
    x: Math.floor((width - boardWidth - left) / 2) + left + frame,
    y: Math.floor((height - boardHeight - below) / 2) + frame,
    frame,
    dpr,
    rulers: wantRulers,
  };
}

/** Cell at a point in CSS pixels from the canvas's top left corner; undefined outside of the grid. */
export function cellAtPoint(layout: MazeLayout, x: number, y: number): CellAt | undefined {
  const col = Math.floor((x * layout.dpr - layout.x) / layout.cell);
  const row = Math.floor((y * layout.dpr - layout.y) / layout.cell);
  if (row < 0 || col < 0 || row >= layout.rows || col >= layout.cols) return undefined;
  return { row, col, cell: row * layout.cols + col };
}

/** Centre of a cell and its side, in CSS pixels. */
export function cellBoxOf(
  layout: MazeLayout,
  cell: number,
): { readonly x: number; readonly y: number; readonly size: number } {
  const row = Math.floor(cell / layout.cols);
  const col = cell % layout.cols;
  return {
    x: (layout.x + (col + 0.5) * layout.cell) / layout.dpr,
    y: (layout.y + (row + 0.5) * layout.cell) / layout.dpr,
    size: layout.cell / layout.dpr,
  };
}

/** Numbers that a ruler shows: every one where there is room, else every fifth, tenth or twentieth. `cell` is in CSS pixels. */
export function rulerMarks(count: number, cell: number): readonly number[] {
  const step = cell >= 18 ? 1 : cell * 5 >= 18 ? 5 : cell * 10 >= 18 ? 10 : 20;
  const marks: number[] = [];
  for (let mark = 0; mark < count; mark += step) marks.push(mark);
  return marks;
}
