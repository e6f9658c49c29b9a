/** A walk through a maze, known before the clock runs: the same for both contestants. */
export interface Course {
  readonly size: number;
  /** `S`, `G`, `.` and `#`. */
  readonly rows: readonly string[];
  readonly start: number;
  /** 1 for wall. */
  readonly wall: Uint8Array;
  readonly steps: readonly { readonly cell: number; readonly action: number; readonly hitWall: boolean }[];
}

const MOVES = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;

/** Numbers of one seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A maze by recursive backtracking and a walk in it that goes to the least visited neighbour, as an agent does that explores: it reaches
 * nearly all cells and then goes round and round.
 */
export function courseOf(size: number, count: number, lane: number): Course {
  const random = randomNumbers(size);
  const open = new Uint8Array(size * size);
  const inside = (row: number, col: number): boolean => row >= 0 && col >= 0 && row < size && col < size;
  const stack: [number, number][] = [[0, 0]];
  open[0] = 1;
  for (let at = stack.at(-1); at; at = stack.at(-1)) {
    const [row, col] = at;
    const ways = MOVES.filter(
      ([down, right]) => inside(row + 2 * down, col + 2 * right) && !open[(row + 2 * down) * size + col + 2 * right],
    );
    const way = ways[Math.floor(random() * ways.length)];
    if (!way) {
      stack.pop();
      continue;
    }
    const [down, right] = way;
    open[(row + down) * size + col + right] = 1;
    open[(row + 2 * down) * size + col + 2 * right] = 1;
    stack.push([row + 2 * down, col + 2 * right]);
  }
  const wall = open.map((is) => 1 - is);
  const last = (size - 1 - ((size - 1) % 2)) * (size + 1);
  const start = 0;
  const rows = Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, col) => {
      const cell = row * size + col;
      return cell === start ? "S" : cell === last ? "G" : wall[cell] ? "#" : ".";
    }).join(""),
  );
  const tie = randomNumbers(1000 + lane);
  const visits = new Uint32Array(size * size);
  const steps: { cell: number; action: number; hitWall: boolean }[] = [];
  let cell = start;
  for (let step = 0; step < count; step++) {
    visits[cell] = (visits[cell] ?? 0) + 1;
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    MOVES.forEach(([down, right], action) => {
      const row = Math.floor(cell / size) + down;
      const col = (cell % size) + right;
      if (!inside(row, col) || wall[row * size + col]) return;
      const cost = (visits[row * size + col] ?? 0) + tie() * 0.5;
      if (cost < least) {
        least = cost;
        best = action;
      }
    });
    const [down, right] = MOVES[best] ?? [0, 0];
    cell += down * size + right;
    steps.push({ cell, action: best, hitWall: false });
  }
  return { size, rows, start, wall, steps };
}
