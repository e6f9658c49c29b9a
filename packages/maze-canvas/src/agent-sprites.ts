import { agentReach, drawAgent, drawLaneSign, laneRadius } from "./draw-actor";
import type { Context2D } from "./draw-board";
import type { MazeLayout } from "./layout";
import type { MazeTheme } from "./theme";
import { MOST_LANES } from "./view";

/** Sprites before the lanes': the agent, and the agent on the goal. */
const AGENT = 0;
const ON_GOAL = 1;
const LANES = 2;

/**
 * The signs of agents, each drawn once and then copied: gradient, four discs or a casing in every frame cost more than all changed cells. Where
 * there is no `OffscreenCanvas` they are drawn each time.
 */
export class AgentSprites {
  readonly #layout: MazeLayout;
  readonly #theme: MazeTheme;
  readonly #sprites: (OffscreenCanvas | undefined)[] = new Array(LANES + MOST_LANES).fill(undefined);
  /** From a sprite's edge to its middle: a whole number and, as the middle of an odd cell lies between two pixels, a half. So a sprite at rest is copied pixel for pixel. */
  readonly #agentMiddle: number;
  readonly #laneMiddle: number;

  constructor(layout: MazeLayout, theme: MazeTheme) {
    const half = (layout.cell % 2) / 2;
    this.#layout = layout;
    this.#theme = theme;
    this.#agentMiddle = agentReach(layout) + half;
    this.#laneMiddle = Math.ceil(laneRadius(layout) * 1.3 + 3 * layout.dpr) + half;
  }

  /** Draws the single agent, its middle at a place. */
  drawAgent(context: Context2D, x: number, y: number, onGoal: boolean): void {
    this.#draw(context, onGoal ? ON_GOAL : AGENT, x, y);
  }

  /** Draws a lane's agent, its middle at a place. */
  drawLane(context: Context2D, x: number, y: number, lane: number): void {
    this.#draw(context, LANES + lane, x, y);
  }

  #draw(context: Context2D, sprite: number, x: number, y: number): void {
    const middle = sprite < LANES ? this.#agentMiddle : this.#laneMiddle;
    const made = this.#sprites[sprite] ?? this.#make(sprite, middle);
    if (made) context.drawImage(made, x - middle, y - middle);
    else this.#paint(context, sprite, x, y);
  }

  #make(sprite: number, middle: number): OffscreenCanvas | undefined {
    if (typeof OffscreenCanvas === "undefined") return undefined;
    const canvas = new OffscreenCanvas(2 * middle, 2 * middle);
    const context = canvas.getContext("2d");
    if (!context) return undefined;
    this.#paint(context, sprite, middle, middle);
    this.#sprites[sprite] = canvas;
    return canvas;
  }

  #paint(context: Context2D, sprite: number, x: number, y: number): void {
    if (sprite < LANES) drawAgent(context, x, y, sprite === ON_GOAL, this.#layout, this.#theme);
    else drawLaneSign(context, x, y, laneRadius(this.#layout), sprite - LANES, this.#layout.dpr, this.#theme);
  }
}
