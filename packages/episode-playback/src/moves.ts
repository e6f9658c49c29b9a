/** Row and column change of each action, in the order UP, DOWN, LEFT, RIGHT (0–3: the enum's number less one). */
export const MOVES: readonly (readonly [row: number, col: number])[] = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
];

/** Cells to each side of the agent that it sees: the view is 5 × 5. */
export const VIEW_REACH = 2;

/** A grid's size. */
export interface GridSize {
  readonly rows: number;
  readonly cols: number;
}

/** Flat index of the cell that an action leads to, walls not asked; −1 outside of the grid. */
export function neighbour(grid: GridSize, cell: number, action: number): number {
  const [down, right] = MOVES[action] ?? [0, 0];
  const row = Math.floor(cell / grid.cols) + down;
  const col = (cell % grid.cols) + right;
  return row >= 0 && row < grid.rows && col >= 0 && col < grid.cols ? row * grid.cols + col : -1;
}

/** Flat indexes of the 5 × 5 cells around a cell, row by row; −1 outside of the grid. */
export function viewCells(grid: GridSize, cell: number): number[] {
  const row = Math.floor(cell / grid.cols);
  const col = cell % grid.cols;
  const cells: number[] = [];
  for (let r = row - VIEW_REACH; r <= row + VIEW_REACH; r++) {
    for (let c = col - VIEW_REACH; c <= col + VIEW_REACH; c++) {
      cells.push(r >= 0 && r < grid.rows && c >= 0 && c < grid.cols ? r * grid.cols + c : -1);
    }
  }
  return cells;
}
