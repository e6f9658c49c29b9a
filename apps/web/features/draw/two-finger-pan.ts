/** A finger on the screen. */
interface Finger {
  readonly pointerId: number;
  readonly clientX: number;
  readonly clientY: number;
}

/**
 * Moves a magnified board with two fingers, since one finger draws. From the second finger on until the last one is lifted nothing is drawn.
 */
export class TwoFingerPan {
  readonly #fingers = new Map<number, { x: number; y: number }>();
  #active = false;

  /** Whether fingers move the board and do not draw. */
  get active(): boolean {
    return this.#active;
  }

  down({ pointerId, clientX, clientY }: Finger): void {
    this.#fingers.set(pointerId, { x: clientX, y: clientY });
    if (this.#fingers.size > 1) this.#active = true;
  }

  move({ pointerId, clientX, clientY }: Finger, scroller: Element | null | undefined): void {
    const before = this.#fingers.get(pointerId);
    if (before === undefined) return;
    // Each finger brings its share of the way: together they move the board as far as they moved themselves.
    const share = this.#fingers.size;
    scroller?.scrollBy((before.x - clientX) / share, (before.y - clientY) / share);
    this.#fingers.set(pointerId, { x: clientX, y: clientY });
  }

  up({ pointerId }: Pick<Finger, "pointerId">): void {
    this.#fingers.delete(pointerId);
    if (this.#fingers.size === 0) this.#active = false;
  }
}
