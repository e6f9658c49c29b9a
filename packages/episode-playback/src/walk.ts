const NEVER = -1;

/**
 * Where the agent was after every step, each visit linked to the one of the same cell before it. Append-only, 8 bytes a step; the links make
 * every question about visits answerable at any step, and every step undoable.
 */
export class Walk {
  /** Cell after step s at index s, from the start at 0. Longer than the walk: see `steps`. */
  cells: Int32Array<ArrayBuffer> = new Int32Array(0);
  /** Step of the visit of the same cell before step s at index s; −1 for none. */
  before: Int32Array<ArrayBuffer> = new Int32Array(0);
  /** Last step; −1 before the start is known. */
  steps = -1;
  /** Step of the last visit of every cell; −1 for never. */
  #newest = new Int32Array(0);

  /** Begins at the start, on a grid of so many cells. */
  begin(start: number, cellCount: number): void {
    if (this.#newest.length === cellCount) this.#newest.fill(NEVER);
    else this.#newest = new Int32Array(cellCount).fill(NEVER);
    this.steps = -1;
    this.append(start);
  }

  /** Takes the cell after the next step; a bump repeats its cell. */
  append(cell: number): void {
    const step = this.steps + 1;
    if (step === this.cells.length) {
      const length = Math.max(256, 2 * step);
      this.cells = grown(this.cells, length);
      this.before = grown(this.before, length);
    }
    this.cells[step] = cell;
    this.before[step] = this.#newest[cell] ?? NEVER;
    this.#newest[cell] = step;
    this.steps = step;
  }

  /** Step of the last visit of a cell not after a step; −1 for never. */
  lastVisitAt(cell: number, step: number): number {
    let visit = this.#newest[cell] ?? NEVER;
    while (visit > step) visit = this.before[visit] ?? NEVER;
    return visit;
  }
}

/** Visits up to a step that can be moved both ways, at the cost of the steps in between. */
export class Visits {
  /** Visits of every cell up to the step, the start counted as one. */
  readonly counts: Uint32Array;
  /** Step of the last visit of every cell up to the step; −1 for never. */
  readonly last: Int32Array;
  /** Different cells visited. */
  cells = 0;
  /** −1 before the start is known. */
  step = -1;

  constructor(cellCount: number) {
    this.counts = new Uint32Array(cellCount);
    this.last = new Int32Array(cellCount).fill(NEVER);
  }

  /** Forgets everything. */
  clear(): void {
    this.counts.fill(0);
    this.last.fill(NEVER);
    this.cells = 0;
    this.step = -1;
  }

  moveTo(step: number, walk: Walk): void {
    // Far back it is shorter to start anew.
    if (step < this.step / 2) this.clear();
    while (this.step < step) this.#forward(walk);
    while (this.step > step) this.#back(walk);
  }

  #forward(walk: Walk): void {
    this.step += 1;
    const cell = walk.cells[this.step] ?? 0;
    const count = this.counts[cell] ?? 0;
    if (count === 0) this.cells += 1;
    this.counts[cell] = count + 1;
    this.last[cell] = this.step;
  }

  #back(walk: Walk): void {
    const cell = walk.cells[this.step] ?? 0;
    const count = this.counts[cell] ?? 0;
    if (count === 1) this.cells -= 1;
    this.counts[cell] = count - 1;
    this.last[cell] = walk.before[this.step] ?? NEVER;
    this.step -= 1;
  }
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const into = new Int32Array(length);
  into.set(from);
  return into;
}
