/**
 * What a viewer does. `live`: shows what arrives; `replay`: plays from memory, from a past step up to the live one, and is live from then on;
 * `still`: stays at a step, whatever arrives.
 */
export type ViewerMode = "live" | "replay" | "still";

/** How long the agent takes from one cell to the next at most, in milliseconds; at higher speeds it moves all the time. */
export const GLIDE_MS = 160;

/** A live viewer that is behind by more than a step catches up within about so many milliseconds. */
const CATCH_UP_MS = 80;
/** A longer gap between two frames is a tab that was away: nothing is skipped over in a replay. */
const LONGEST_FRAME_MS = 250;
/** Without a frame for so long nobody draws, and there is no reason to glide. */
const ABSENT_MS = 500;
/** Fastest replay, steps a second: the contract's fastest pace. */
const FASTEST_REPLAY = 1000;
/** Where a glide ends, against leftovers of rounding. */
const ARRIVED = 1 - 1e-9;

/**
 * The one clock that everything shown follows: a whole step that is shown, and how far the agent is on its way to the next one. A drawing
 * loop drives it with its frames. Without frames (a hidden tab, a test) each order takes effect at once.
 */
export class ViewerClock {
  mode: ViewerMode = "live";
  /** Step whose moment is shown. */
  step = 0;
  /** Way from the shown step to the next one, 0 to below 1. */
  glide = 0;
  /** Steps a second of a replay; 0 is as fast as possible. */
  replaySpeed = 10;
  /** 0 for people who want no motion. */
  glideMs = GLIDE_MS;
  /** Where `still` goes to. */
  #target = 0;
  /** Rest on the shown step, in milliseconds, of a replay. */
  #rested = 0;
  #frameTime: number | undefined;
  #drivenAt = Number.NEGATIVE_INFINITY;

  /** Shown step with its fraction. */
  get moment(): number {
    return this.step + this.glide;
  }

  /** Whether frames come, so that moves may take their time. */
  get isDriven(): boolean {
    return performance.now() - this.#drivenAt < ABSENT_MS;
  }

  /** Back to the start, live. */
  reset(): void {
    this.mode = "live";
    this.#goTo(0);
  }

  /** A frame: moves on by the time since the last one. `frameTime` is that of requestAnimationFrame, in milliseconds. */
  advance(frameTime: number, live: number): void {
    const elapsed = Math.min(LONGEST_FRAME_MS, Math.max(0, frameTime - (this.#frameTime ?? frameTime)));
    this.#frameTime = frameTime;
    this.#drivenAt = performance.now();
    if (this.mode === "live") this.#glideTo(live, elapsed);
    else if (this.mode === "still") this.#glideTo(this.#target, elapsed);
    else this.#replay(elapsed, live);
  }

  /** Takes the place that an absent drawing loop would come to. */
  settle(live: number): void {
    if (this.mode === "live") this.#goTo(live);
    else if (this.mode === "still") this.#goTo(this.#target);
  }

  /** Stays at a step, at once. */
  stay(step: number): void {
    this.mode = "still";
    this.#goTo(step);
  }

  /** Goes to a neighbouring step, gliding where frames come, and stays there. */
  stepBy(steps: number, live: number): void {
    const from = this.mode === "still" ? this.#target : this.step;
    const target = Math.min(live, Math.max(0, from + Math.round(steps)));
    this.mode = target === live && steps > 0 ? "live" : "still";
    const before = this.moment;
    if (Math.abs(target - before) > 2 || !this.isDriven || this.glideMs === 0) {
      this.#goTo(target);
      return;
    }
    this.#target = target;
    this.#rested = 0;
    // Backwards the moment to come is shown at once, and the agent glides back into it.
    if (target < before) {
      this.step = target;
      this.glide = Math.min(ARRIVED, before - target);
    }
  }

  /** Goes to the live step and stays with it. */
  follow(live: number): void {
    this.mode = "live";
    this.#goTo(live);
  }

  /** Plays from the shown step up to the live one, and is live from then on. */
  replay(stepsPerSecond: number, live: number): void {
    this.replaySpeed = stepsPerSecond;
    if (this.step >= live) this.follow(live);
    else this.mode = "replay";
  }

  #goTo(step: number): void {
    this.step = step;
    this.glide = 0;
    this.#rested = 0;
    this.#target = step;
  }

  #set(moment: number): void {
    this.step = Math.floor(moment);
    this.glide = moment - this.step;
  }

  #glideTo(target: number, elapsed: number): void {
    const gap = target - this.moment;
    if (gap === 0) return;
    const moves =
      this.glideMs === 0 ? Math.abs(gap) : elapsed * Math.max(1 / this.glideMs, Math.abs(gap) / CATCH_UP_MS);
    if (Math.abs(gap) - moves < 1 - ARRIVED) this.#goTo(target);
    else this.#set(this.moment + Math.sign(gap) * moves);
  }

  /** The agent rests on a step and then glides, so that it arrives when the next step is due. Speeds differ in how long it rests. */
  #replay(elapsed: number, live: number): void {
    const interval = 1000 / (this.replaySpeed > 0 ? Math.min(FASTEST_REPLAY, this.replaySpeed) : FASTEST_REPLAY);
    const glideMs = Math.min(interval, this.glideMs);
    const restMs = interval - glideMs;
    let left = elapsed;
    while (left > 0 && this.step < live) {
      if (this.glide === 0 && this.#rested < restMs) {
        const rest = Math.min(left, restMs - this.#rested);
        this.#rested += rest;
        left -= rest;
        // Less than a microsecond is a leftover of rounding.
        if (restMs - this.#rested > 1e-3) break;
        this.#rested = restMs;
      }
      const way = glideMs > 0 ? Math.min(1 - this.glide, left / glideMs) : 1;
      this.glide += way;
      left -= way * glideMs;
      if (this.glide >= ARRIVED) {
        this.step += 1;
        this.glide = 0;
        this.#rested = 0;
      }
    }
    if (this.step >= live) this.follow(live);
  }
}
