import type { MazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { neighbour } from "@rlmaze/episode-playback/moves";

/** Corners of a cell as bits: top left, top right, bottom right, bottom left, clockwise as `roundRect` takes them. */
export const CORNER = { topLeft: 1, topRight: 2, bottomRight: 4, bottomLeft: 8 } as const;

/** A cell that was not painted yet; no look has it. */
const UNPAINTED = -1;

/**
 * What every cell looks like, layer by layer, and what was painted last. The layers are plain arrays that the scene fills; `collectChanged`
 * compares them with the picture and lists the cells to paint again. A comparison of 2,500 cells takes some tens of microseconds, where
 * painting them takes milliseconds; and as the whole look is compared, it does not matter what changed it: a step, a jump back, a new map, a view.
 */
export class BoardCells {
  readonly wall: Uint8Array;
  /** `CORNER` bits that are round: where the corridor turns or ends. */
  readonly corners: Uint8Array;
  /** Colour of the heat ramp, from 1; 0 for plain path. */
  readonly heat: Int16Array;
  /** Best action, 0–3; −1 for no arrow. */
  readonly arrow: Int8Array;
  /** Actions of shortest paths as bits. */
  readonly pathActions: Uint8Array;
  /** 1 where the fog hides the cell. */
  readonly hidden: Uint8Array;
  /** Sides through which the shown shortest path goes, as bits. */
  readonly route: Uint8Array;
  /** `IN_REGION` and the outline's sides of a cycle. */
  readonly cycle: Uint8Array;
  /** 1 where a step was worse than the shortest path. */
  readonly worse: Uint8Array;
  /** `DIFFERENCE` of two policies. */
  readonly difference: Uint8Array;
  readonly differenceFirst: Int8Array;
  readonly differenceSecond: Int8Array;
  /** Cells to paint, `changedCount` of them. */
  readonly changed: Int32Array;
  changedCount = 0;
  /** Which ramp `heat` is of: a cell may be as far up the one as it was up the other. */
  heatIsValue = false;
  start = -1;
  goal = -1;
  readonly #paintedCell: Int32Array;
  readonly #paintedMarks: Int32Array;

  constructor(cells: number) {
    this.wall = new Uint8Array(cells);
    this.corners = new Uint8Array(cells);
    this.heat = new Int16Array(cells);
    this.arrow = new Int8Array(cells).fill(-1);
    this.pathActions = new Uint8Array(cells);
    this.hidden = new Uint8Array(cells);
    this.route = new Uint8Array(cells);
    this.cycle = new Uint8Array(cells);
    this.worse = new Uint8Array(cells);
    this.difference = new Uint8Array(cells);
    this.differenceFirst = new Int8Array(cells).fill(-1);
    this.differenceSecond = new Int8Array(cells).fill(-1);
    this.changed = new Int32Array(cells);
    this.#paintedCell = new Int32Array(cells).fill(UNPAINTED);
    this.#paintedMarks = new Int32Array(cells).fill(UNPAINTED);
  }

  /** Takes the walls, corners, start and goal of a grid of this many cells. */
  setGrid(grid: MazeGrid): void {
    this.wall.set(grid.wall);
    this.start = grid.start;
    this.goal = grid.goal;
    for (let cell = 0; cell < this.corners.length; cell++) this.corners[cell] = cornersOf(grid, cell);
  }

  /** Forgets what was painted: only the ground is there, which is wall. */
  forget(): void {
    for (let cell = 0; cell < this.wall.length; cell++) {
      const painted = this.wall[cell] ? 0 : UNPAINTED;
      this.#paintedCell[cell] = painted;
      this.#paintedMarks[cell] = painted;
    }
  }

  /** Lists the cells that look otherwise than they were painted, and takes them as painted. */
  collectChanged(): void {
    let count = 0;
    for (let cell = 0; cell < this.wall.length; cell++) {
      const body = this.#cellLook(cell);
      const marks = this.#marksLook(cell);
      if (body === this.#paintedCell[cell] && marks === this.#paintedMarks[cell]) continue;
      this.#paintedCell[cell] = body;
      this.#paintedMarks[cell] = marks;
      this.changed[count++] = cell;
    }
    this.changedCount = count;
  }

  /** Wall, corners, heat with its ramp, and arrows in 23 bits. */
  #cellLook(cell: number): number {
    if (this.hidden[cell]) return 1;
    if (this.wall[cell]) return 0;
    const heat = this.heat[cell] ?? 0;
    return (
      2 |
      ((this.corners[cell] ?? 0) << 2) |
      (((this.arrow[cell] ?? -1) + 1) << 6) |
      ((this.pathActions[cell] ?? 0) << 9) |
      (heat << 13) |
      (heat > 0 && this.heatIsValue ? 1 << 22 : 0)
    );
  }

  /** Route, cycle, notch, difference, start and goal in 22 bits. */
  #marksLook(cell: number): number {
    if (this.hidden[cell]) return 0;
    const isEnd = (cell === this.start ? 1 : 0) | (cell === this.goal ? 2 : 0);
    return (
      isEnd |
      ((this.worse[cell] ?? 0) << 2) |
      ((this.route[cell] ?? 0) << 3) |
      ((this.cycle[cell] ?? 0) << 7) |
      ((this.difference[cell] ?? 0) << 12) |
      (((this.differenceFirst[cell] ?? -1) + 1) << 15) |
      (((this.differenceSecond[cell] ?? -1) + 1) << 18)
    );
  }
}

/** Corners of a path cell that are round, as `CORNER` bits: where both sides that meet there are wall. 0 for walls. */
export function cornersOf(grid: Pick<MazeGrid, "rows" | "cols" | "wall">, cell: number): number {
  if (grid.wall[cell]) return 0;
  const isWall = (action: number): boolean => {
    const next = neighbour(grid, cell, action);
    return next < 0 || grid.wall[next] === 1;
  };
  const [up, down, left, right] = [isWall(0), isWall(1), isWall(2), isWall(3)];
  return (
    (up && left ? CORNER.topLeft : 0) |
    (up && right ? CORNER.topRight : 0) |
    (down && right ? CORNER.bottomRight : 0) |
    (down && left ? CORNER.bottomLeft : 0)
  );
}
