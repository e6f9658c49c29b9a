/** SVG path of the open cells of a maze, one unit a cell; runs of a row are joined, so that the path stays short. */
export function openCellsPath(rows: readonly string[]): string {
  let path = "";
  rows.forEach((line, row) => {
    for (const run of line.matchAll(/[^#]+/g)) {
      path += `M${run.index} ${row}h${run[0].length}v1h${-run[0].length}z`;
    }
  });
  return path;
}

/** Row and column of a mark; undefined when the maze lacks it. */
export function findMark(rows: readonly string[], mark: "S" | "G"): { row: number; col: number } | undefined {
  for (const [row, line] of rows.entries()) {
    const col = line.indexOf(mark);
    if (col >= 0) return { row, col };
  }
  return undefined;
}
