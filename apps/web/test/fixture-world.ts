import { create } from "@bufbuild/protobuf";
import { type Maze, MazeSchema } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";

/** A small random generator (mulberry32), so that fixtures are the same in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Row and column change of UP, DOWN, LEFT, RIGHT. */
export const moves = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;

/** Steps from a cell to every open cell, -1 where there is no way. */
export function distances(rows: readonly string[], fromRow: number, fromCol: number): number[][] {
  const steps = rows.map((row) => Array.from(row, () => -1));
  const queue: [number, number][] = [[fromRow, fromCol]];
  (steps[fromRow] as number[])[fromCol] = 0;
  for (const [row, col] of queue) {
    for (const [down, right] of moves) {
      const line = steps[row + down];
      if (line === undefined || line[col + right] !== -1 || rows[row + down]?.[col + right] === "#") continue;
      line[col + right] = (steps[row]?.[col] ?? 0) + 1;
      queue.push([row + down, col + right]);
    }
  }
  return steps;
}

/** A maze by recursive backtracking. It is not the project's generator: a fixture only has to look like a maze. */
export function fixtureMaze(mazeId: string, size: number, seed: number, setId = ""): Maze {
  const random = randomNumbers(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const open = Array.from({ length: size }, () => Array.from({ length: size }, () => false));
  const isOpen = (row: number, col: number) => open[row]?.[col] === true;
  const carve = (row: number, col: number) => {
    (open[row] as boolean[])[col] = true;
  };
  const stack: [number, number][] = [[below(size), below(size)]];
  carve(...(stack[0] as [number, number]));
  while (stack.length > 0) {
    const [row, col] = stack[stack.length - 1] as [number, number];
    const candidates = moves
      .map(([down, right]) => [row + down, col + right] as [number, number])
      .filter(
        ([r, c]) =>
          r >= 0 &&
          c >= 0 &&
          r < size &&
          c < size &&
          !isOpen(r, c) &&
          moves.filter(([down, right]) => isOpen(r + down, c + right)).length === 1,
      );
    const next = candidates[below(candidates.length)];
    if (next === undefined) stack.pop();
    else {
      carve(...next);
      stack.push(next);
    }
  }
  const rows = open.map((line) => line.map((cell) => (cell ? "." : "#")).join(""));
  const cells = open.flatMap((line, row) =>
    line.flatMap((cell, col) => (cell ? [[row, col] as [number, number]] : [])),
  );
  const start = cells[below(cells.length)] as [number, number];
  const away = distances(rows, ...start);
  const far = cells.filter(([row, col]) => (away[row]?.[col] ?? 0) >= size);
  const goal = far[below(far.length)] ?? (cells[cells.length - 1] as [number, number]);
  const mark = ([row, col]: [number, number], letter: string) => {
    const line = rows[row] as string;
    rows[row] = line.slice(0, col) + letter + line.slice(col + 1);
  };
  mark(start, "S");
  mark(goal, "G");
  const shortestPath = away[goal[0]]?.[goal[1]] ?? 0;
  const measure = 5 * shortestPath;
  return create(MazeSchema, {
    mazeId,
    setId,
    rows,
    start: { row: start[0], col: start[1] },
    goal: { row: goal[0], col: goal[1] },
    shortestPath,
    difficulty: measure < 8 * size ? 1 : measure < 12 * size ? 2 : 3,
    maxSteps: 2 * size * size,
    hash: seed.toString(16).padStart(64, "0"),
    seed: BigInt(seed),
  });
}
