import { MOVES } from "@rlmaze/episode-playback/moves";
import { ease, easing } from "./glide";
import type { AgentSteps } from "./view";

/** How far the agent leans towards a wall that it bumps into, in cells. */
const LEAN = 0.16;

/** Steps that the trail shows: enough to read the way, few enough to keep the heat in view. */
export const TRAIL_STEPS = 36;

/** Pace of the glide. */
export interface Pace {
  readonly stepsPerSecond: number;
  readonly reducedMotion: boolean;
}

/**
 * Where one agent is drawn: at a step with a fraction (4.25 is a quarter of the way from step 4 to step 5), its place in cells, and the trail
 * behind it. One object for the life of an agent, updated in place.
 */
export class MovingAgent {
  readonly steps: AgentSteps;
  /** Step that is drawn, with a fraction while the agent glides. */
  drawnStep: number;
  /** Place in cells, with a fraction: (2.5, 3) is half way between (2, 3) and (3, 3). */
  row = 0;
  col = 0;
  /** Places of the trail from the oldest to the agent's own, `trailLength` of them. Bumps are left out. */
  readonly trailRows = new Float32Array(TRAIL_STEPS + 2);
  readonly trailCols = new Float32Array(TRAIL_STEPS + 2);
  trailLength = 0;
  /** Share of the easing, 0–1; it follows the pace slowly, so that a change of speed in the middle of a cell moves nothing. */
  #easing = 1;
  #bumpStep = -1;
  #bumpAction = 0;

  constructor(steps: AgentSteps) {
    this.steps = steps;
    this.drawnStep = steps.shownStep;
  }

  /** Takes the moment of its steps, so many milliseconds after the last one; returns whether it is another. */
  advance(elapsedMs: number, pace: Pace): boolean {
    const before = this.drawnStep;
    this.drawnStep = pace.reducedMotion ? this.steps.shownStep : this.steps.moment;
    this.#easing = ease(this.#easing, easing(pace.stepsPerSecond), elapsedMs);
    return this.drawnStep !== before;
  }

  /** Computes place and trail for a grid with so many columns. */
  locate(cols: number): void {
    const { steps } = this;
    const last = Math.floor(this.drawnStep);
    const fraction = this.drawnStep - last;
    const here = steps.positionAt(last);
    this.row = Math.floor(here / cols);
    this.col = here % cols;
    let isMoving = false;
    if (fraction > 0) {
      const next = steps.positionAt(last + 1);
      isMoving = next !== here;
      if (isMoving) {
        const smooth = fraction * fraction * (3 - 2 * fraction);
        const share = fraction + (smooth - fraction) * this.#easing;
        this.row += (Math.floor(next / cols) - this.row) * share;
        this.col += ((next % cols) - this.col) * share;
      } else {
        const [down, right] = MOVES[this.#actionOf(last + 1)] ?? NOWHERE;
        const lean = LEAN * Math.sin(Math.PI * fraction);
        this.row += down * lean;
        this.col += right * lean;
      }
    }
    this.#traceTrail(last, cols, isMoving);
  }

  #traceTrail(last: number, cols: number, isMoving: boolean): void {
    let length = 0;
    let previous = -1;
    for (let step = Math.max(0, last - TRAIL_STEPS); step <= last; step++) {
      const cell = this.steps.positionAt(step);
      if (cell === previous) continue;
      previous = cell;
      this.trailRows[length] = Math.floor(cell / cols);
      this.trailCols[length] = cell % cols;
      length++;
    }
    if (isMoving) {
      this.trailRows[length] = this.row;
      this.trailCols[length] = this.col;
      length++;
    }
    this.trailLength = length;
  }

  /** Action 0–3 of a step. A row is an object, so it is asked for once a bump, not once a frame of it. */
  #actionOf(step: number): number {
    if (step !== this.#bumpStep) {
      this.#bumpStep = step;
      this.#bumpAction = this.steps.row(step).action - 1;
    }
    return this.#bumpAction;
  }
}

const NOWHERE = [0, 0] as const;
