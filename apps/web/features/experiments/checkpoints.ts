import type { ProbeEpisode, TrainingCheckpoint } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { findMark } from "@/features/mazes/maze-path";

/** The checkpoint whose timesteps are nearest to a step, the earlier one of two as near; undefined when there is none. */
export function nearestCheckpoint(
  checkpoints: readonly TrainingCheckpoint[],
  step: number,
): TrainingCheckpoint | undefined {
  let nearest: TrainingCheckpoint | undefined;
  for (const checkpoint of checkpoints) {
    const away = Math.abs(Number(checkpoint.timesteps) - step);
    if (nearest === undefined || away < Math.abs(Number(nearest.timesteps) - step)) nearest = checkpoint;
  }
  return nearest;
}

/** Row and column change of UP, DOWN, LEFT, RIGHT, as the bytes of an episode count them. */
const MOVES = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;

/** The cells that a probe episode went through, from the start; where it bumped into a wall it stayed. */
export function probeCells(
  rows: readonly string[],
  probe: Pick<ProbeEpisode, "actions">,
): { row: number; col: number }[] {
  const start = findMark(rows, "S");
  if (start === undefined) return [];
  const cells = [start];
  let { row, col } = start;
  for (const action of probe.actions) {
    const move = MOVES[action];
    if (move === undefined) return cells;
    const [down, right] = move;
    const ahead = rows[row + down]?.[col + right];
    if (ahead !== undefined && ahead !== "#") {
      row += down;
      col += right;
    }
    cells.push({ row, col });
  }
  return cells;
}
