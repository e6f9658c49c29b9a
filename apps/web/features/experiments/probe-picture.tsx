import type { ProbeEpisode } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { MazePicture } from "@/features/mazes/maze-picture";
import { probeCells } from "./checkpoints";

/** The way of a policy through its probe maze, as a small picture. What it stands in says how it went. */
export function ProbePicture({
  rows,
  probe,
  className,
}: {
  rows: readonly string[];
  probe: Pick<ProbeEpisode, "actions">;
  className?: string;
}) {
  const cells = probeCells(rows, probe);
  const cols = rows[0]?.length ?? 0;
  const last = cells.at(-1);
  const way = cells.map(({ row, col }) => `${col + 0.5} ${row + 0.5}`).join("L");
  return (
    <div className={className}>
      <div className="relative">
        <MazePicture rows={rows} className="block w-full rounded-small" />
        <svg viewBox={`0 0 ${cols} ${rows.length}`} className="absolute inset-0 size-full" aria-hidden="true">
          <g fill="none" strokeLinejoin="round">
            <path d={`M${way}`} stroke="var(--maze-casing)" strokeWidth="0.44" />
            <path d={`M${way}`} stroke="var(--maze-trail)" strokeWidth="0.24" />
          </g>
          {last === undefined ? null : (
            <circle
              cx={last.col + 0.5}
              cy={last.row + 0.5}
              r="0.34"
              fill="var(--maze-agent)"
              stroke="var(--maze-agent-ring)"
              strokeWidth="0.12"
            />
          )}
        </svg>
      </div>
    </div>
  );
}
