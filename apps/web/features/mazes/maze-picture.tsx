import { memo } from "react";
import { findMark, openCellsPath } from "./maze-path";

/** A maze as a small picture. It has no name of its own: what it stands in says which maze it is. */
export const MazePicture = memo(function MazePicture({
  rows,
  className,
}: {
  rows: readonly string[];
  className?: string;
}) {
  const cols = rows[0]?.length ?? 0;
  const start = findMark(rows, "S");
  const goal = findMark(rows, "G");
  const radius = Math.max(0.42, rows.length / 34);
  return (
    <svg viewBox={`0 0 ${cols} ${rows.length}`} className={className} shapeRendering="crispEdges" aria-hidden="true">
      <rect width={cols} height={rows.length} fill="var(--maze-wall)" />
      <path d={openCellsPath(rows)} fill="var(--maze-path)" />
      {start ? (
        // A ring and a diamond, as on the board: told apart by shape too.
        <circle
          cx={start.col + 0.5}
          cy={start.row + 0.5}
          r={radius * 0.85}
          fill="var(--maze-wall)"
          stroke="var(--maze-start)"
          strokeWidth={radius * 0.6}
          shapeRendering="auto"
        />
      ) : null}
      {goal ? (
        <path
          d={`M${goal.col + 0.5} ${goal.row + 0.5 - radius * 1.3}l${radius * 1.3} ${radius * 1.3}l${-radius * 1.3} ${radius * 1.3}l${-radius * 1.3} ${-radius * 1.3}z`}
          fill="var(--maze-goal)"
          shapeRendering="auto"
        />
      ) : null}
    </svg>
  );
});
