/** Rows and columns that an arrow key goes: down and right are positive. */
const moves: Record<string, readonly [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** The cell that an arrow key leads to, which is the same one at the edge; undefined for any other key. */
export function cellByArrow(
  key: string,
  from: number,
  grid: { readonly rows: number; readonly cols: number },
): number | undefined {
  const move = moves[key];
  if (move === undefined) return undefined;
  const row = Math.min(grid.rows - 1, Math.max(0, Math.floor(from / grid.cols) + move[0]));
  const col = Math.min(grid.cols - 1, Math.max(0, (from % grid.cols) + move[1]));
  return row * grid.cols + col;
}
