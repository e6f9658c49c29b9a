/** Ascending steps, append-only; all questions are answered by binary search. */
export class StepIndex {
  #steps = new Int32Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Appends a step that is later than all before. */
  append(step: number): void {
    if (this.#length === this.#steps.length) {
      const grown = new Int32Array(Math.max(16, 2 * this.#length));
      grown.set(this.#steps);
      this.#steps = grown;
    }
    this.#steps[this.#length++] = step;
  }

  /** The steps; a view, valid until the next one is appended. */
  values(): Int32Array {
    return this.#steps.subarray(0, this.#length);
  }

  /** How many steps are not later than this one. */
  countUntil(step: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#steps[middle] ?? 0) <= step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  has(step: number): boolean {
    return this.#steps[this.countUntil(step) - 1] === step && this.#length > 0;
  }

  /** First one later than a step; undefined when there is none. */
  next(step: number): number | undefined {
    const at = this.countUntil(step);
    return at < this.#length ? this.#steps[at] : undefined;
  }

  /** Last one before a step; undefined when there is none. */
  previous(step: number): number | undefined {
    const at = this.countUntil(step - 1) - 1;
    return at >= 0 ? this.#steps[at] : undefined;
  }
}
