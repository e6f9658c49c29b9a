import { create } from "@bufbuild/protobuf";
import { Difficulty, type Maze, MazeSchema } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { distancesFrom } from "@rlmaze/episode-playback/distances";

/**
 * The maze message of drawn rows, with the facts that the server would give it: a maze that is in no store, so `mazeId` is empty and an episode
 * names it by its rows. `shortestPath` is 0 where no way leads to the goal. The rows must be a grid with one `S` and one `G`, as
 * `decodeMoment` returns them.
 */
export function drawnMaze(rows: readonly string[], title = ""): Maze {
  const cols = rows[0]?.length ?? 0;
  const cells = rows.join("");
  const start = cells.indexOf("S");
  const goal = cells.indexOf("G");
  const wall = Uint8Array.from(cells, (mark) => (mark === "#" ? 1 : 0));
  const shortestPath = Math.max(0, distancesFrom({ rows: rows.length, cols, wall, start, goal }, start)[goal] ?? 0);
  return create(MazeSchema, {
    rows: [...rows],
    start: { row: Math.floor(start / cols), col: start % cols },
    goal: { row: Math.floor(goal / cols), col: goal % cols },
    shortestPath,
    difficulty: shortestPath > 0 ? difficultyOf(rows.length, cols, shortestPath) : Difficulty.UNSPECIFIED,
    maxSteps: 2 * rows.length * cols,
    title,
  });
}

/** Whether a maze is in no store: the server has to be given its rows. */
export function isDrawn(maze: Pick<Maze, "mazeId">): boolean {
  return maze.mazeId === "";
}

/** The band that the contract gives a maze of this size whose goal is so many steps away. */
export function difficultyOf(rows: number, cols: number, shortestPath: number): Difficulty {
  if (5 * shortestPath < 4 * (rows + cols)) return Difficulty.EASY;
  return 5 * shortestPath < 6 * (rows + cols) ? Difficulty.MEDIUM : Difficulty.HARD;
}
