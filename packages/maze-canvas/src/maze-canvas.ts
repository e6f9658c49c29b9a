import { GLIDE_MS } from "@rlmaze/episode-playback/viewer-clock";
import type { HeatScale } from "./heat-ramp";
import { type CellAt, cellAtPoint, cellBoxOf } from "./layout";
import { MazeScene } from "./scene";
import type { MazeTheme } from "./theme";
import type { BoardSource, FrameClock, Lane, MazeView } from "./view";

export type { CellAt, HeatScale, MazeView };

/** What a canvas needs. The two elements lie on top of each other; the caller gives them CSS `position: absolute`. */
export interface MazeCanvasOptions {
  /** Walls, paths, heat, arrows, markers. */
  readonly board: HTMLCanvasElement;
  /** Trail and agent. */
  readonly actor: HTMLCanvasElement;
  /** What is shown; in a race the lane whose heat and arrows are on the board, by default the first. */
  readonly playback: BoardSource | (BoardSource & FrameClock);
  /** Keeper of the shown moment, told of every frame: the race. Default: the playback, where it keeps its own. */
  readonly clock?: FrameClock | undefined;
  readonly theme: MazeTheme;
  readonly view: MazeView;
  /** Up to four agents in place of the playback's own; the heat stays the playback's. All run in the playback's maze. */
  readonly lanes?: readonly Lane[] | undefined;
}

/** Owner of two canvases and one animation frame loop that reads a playback. It touches no other element. */
export interface MazeCanvas {
  /** Size of the place in CSS pixels; the maze is centred in it with the largest integer cell size. `dpr` defaults to the window's. */
  resize(width: number, height: number, dpr?: number): void;
  setTheme(theme: MazeTheme): void;
  setView(view: Partial<MazeView>): void;
  /** Shows another playback and other lanes: a race has new ones when another one starts. */
  setPlayback(playback: BoardSource, lanes?: readonly Lane[]): void;
  /** Outlines a cell; undefined removes the outline. */
  setHover(cell: CellAt | undefined): void;
  /** Cell at a point relative to the canvas's top left corner in CSS pixels; undefined outside the maze. */
  cellAt(x: number, y: number): CellAt | undefined;
  /** Centre and size of a cell in CSS pixels, to place a read-out beside it; undefined without a maze. */
  cellBox(cell: number): { readonly x: number; readonly y: number; readonly size: number } | undefined;
  /** Scale of the heat that is drawn now, for the legend; undefined when heat is off or there are no values. */
  heatScale(): HeatScale | undefined;
  start(): void;
  /** Stops the loop and lets go of the canvases. */
  dispose(): void;
}

/** Makes a canvas; `start()` begins to draw. */
export function createMazeCanvas(options: MazeCanvasOptions): MazeCanvas {
  return new TwoLayerCanvas(options);
}

/**
 * The pictures go to the screen past the page's own frame. Nothing else on the page has to be in step with them to the millisecond, and it halves
 * the main thread's work where there is no GPU: the copy of each canvas into the page's frame cost more than all drawing (`make bench`, canvas).
 */
const PAST_THE_PAGE: CanvasRenderingContext2DSettings = { desynchronized: true };

class TwoLayerCanvas implements MazeCanvas {
  readonly #board: HTMLCanvasElement;
  readonly #actor: HTMLCanvasElement;
  readonly #clock: FrameClock | undefined;
  readonly #scene: MazeScene;
  readonly #boardContext: CanvasRenderingContext2D | null;
  readonly #actorContext: CanvasRenderingContext2D | null;
  #place = { width: 0, height: 0, dpr: 1 };
  #frame: number | undefined;
  /** Time of the frame before; undefined for the first one. */
  #before: number | undefined;

  constructor(options: MazeCanvasOptions) {
    this.#board = options.board;
    this.#actor = options.actor;
    this.#clock = options.clock ?? ("advance" in options.playback ? options.playback : undefined);
    this.#tellMotion(options.view);
    this.#scene = new MazeScene(options.playback, options.theme, options.view, options.lanes);
    this.#boardContext = options.board.getContext("2d", PAST_THE_PAGE);
    this.#actorContext = options.actor.getContext("2d", PAST_THE_PAGE);
  }

  resize(width: number, height: number, dpr: number = globalThis.devicePixelRatio || 1): void {
    if (width === this.#place.width && height === this.#place.height && dpr === this.#place.dpr) return;
    this.#place = { width, height, dpr };
    for (const canvas of [this.#board, this.#actor]) {
      canvas.width = Math.floor(width * dpr);
      canvas.height = Math.floor(height * dpr);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    this.#scene.setPlace(this.#place);
    // Setting its size cleared the canvas; without drawing at once a resized window would flicker.
    if (this.#frame !== undefined) this.#draw();
  }

  setTheme(theme: MazeTheme): void {
    this.#scene.setTheme(theme);
  }

  setView(view: Partial<MazeView>): void {
    this.#scene.setView(view);
    this.#tellMotion(this.#scene.view);
  }

  setPlayback(playback: BoardSource, lanes?: readonly Lane[]): void {
    this.#scene.setSource(playback, lanes);
  }

  setHover(cell: CellAt | undefined): void {
    this.#scene.setHover(cell?.cell);
  }

  cellAt(x: number, y: number): CellAt | undefined {
    const { layout } = this.#scene;
    return layout && cellAtPoint(layout, x, y);
  }

  cellBox(cell: number): { readonly x: number; readonly y: number; readonly size: number } | undefined {
    const { layout } = this.#scene;
    return layout && cellBoxOf(layout, cell);
  }

  heatScale(): HeatScale | undefined {
    return this.#scene.heatScale;
  }

  start(): void {
    if (this.#frame !== undefined) return;
    const tick = (time: number): void => {
      this.#frame = requestAnimationFrame(tick);
      const elapsed = this.#before === undefined ? 0 : time - this.#before;
      this.#before = time;
      this.#clock?.advance(time);
      this.#scene.advance(elapsed);
      this.#draw();
    };
    this.#frame = requestAnimationFrame(tick);
  }

  dispose(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#before = undefined;
  }

  #tellMotion(view: MazeView): void {
    this.#clock?.setGlide(view.reducedMotion ? 0 : GLIDE_MS);
  }

  #draw(): void {
    if (this.#boardContext) this.#scene.drawBoard(this.#boardContext);
    if (this.#actorContext) this.#scene.drawActors(this.#actorContext);
  }
}
