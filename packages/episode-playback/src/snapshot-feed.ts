/**
 * Turns changes, however many, into snapshots, a few a second: immutable values for `useSyncExternalStore`. None is made without a change.
 */
export class SnapshotFeed<Snapshot> {
  readonly #intervalMs: number;
  readonly #make: (version: number) => Snapshot;
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #current: Snapshot;
  #madeAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Makes the first snapshot at once. `intervalMs` is the shortest time between two that nobody asked for by `flush`. */
  constructor(intervalMs: number, make: (version: number) => Snapshot) {
    this.#intervalMs = intervalMs;
    this.#make = make;
    this.#current = make(0);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly get = (): Snapshot => this.#current;

  /** Something changed: a snapshot follows within the interval. */
  changed(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#madeAt + this.#intervalMs - performance.now());
    this.#timer = setTimeout(() => this.flush(), wait);
  }

  /** Makes a snapshot now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#madeAt = performance.now();
    this.#version += 1;
    this.#current = this.#make(this.#version);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Stops the timer and forgets all listeners. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#listeners.clear();
  }
}
