import { figureFace, wordFace } from "./faces";
import { MazeScene } from "./scene";
import type { MazeTheme } from "./theme";
import type { BoardSource, Lane, MazeView } from "./view";

/** What a picture shows, and how large. */
export interface PictureOptions {
  /** An `EpisodePlayback`, or a lane of a race. It is read, never moved. */
  readonly playback: BoardSource;
  readonly lanes?: readonly Lane[] | undefined;
  readonly theme: MazeTheme;
  /** Layers as on the screen; hover, glide and preview are left out. */
  readonly view: MazeView;
  /** Words of the line below the maze; the step is added. */
  readonly caption: { readonly model: string; readonly maze: string };
  /** Side of the maze in CSS pixels; of one that is not square the longer side. Default 720 for a picture, 480 for an animation. */
  readonly size?: number | undefined;
  /** Device pixels a CSS pixel. Default 2 for a picture, 1 for an animation. */
  readonly scale?: number | undefined;
}

const PICTURE_SIZE = 720;
const PICTURE_SCALE = 2;

/** Height of the caption in CSS pixels, and its distance from both edges. */
const CAPTION = 36;
const INSET = 16;

/** PNG of the shown moment with a line that says what it is. Fails with a RangeError where there is no maze. */
export async function momentPicture(options: PictureOptions): Promise<Blob> {
  const easel = new Easel(
    options,
    options.playback,
    options.lanes,
    options.size ?? PICTURE_SIZE,
    options.scale ?? PICTURE_SCALE,
  );
  easel.draw(options.playback.shownStep);
  return easel.canvas.convertToBlob({ type: "image/png" });
}

/** Canvases on which moments of one maze are put together with their caption. */
export class Easel {
  /** The whole picture. */
  readonly canvas: OffscreenCanvas;
  readonly context: OffscreenCanvasRenderingContext2D;
  readonly #scene: MazeScene;
  readonly #board: OffscreenCanvasRenderingContext2D;
  readonly #actors: OffscreenCanvasRenderingContext2D;
  readonly #options: Pick<PictureOptions, "theme" | "caption">;
  readonly #scale: number;

  constructor(
    options: Pick<PictureOptions, "theme" | "caption" | "view">,
    source: BoardSource,
    lanes: readonly Lane[] | undefined,
    size: number,
    scale: number,
  ) {
    const { grid } = source;
    if (!grid) throw new RangeError("there is no maze to draw");
    const longest = Math.max(grid.rows, grid.cols);
    const width = Math.round((size * grid.cols) / longest);
    const height = Math.round((size * grid.rows) / longest);
    this.#options = options;
    this.#scale = scale;
    const whole = (length: number): number => Math.floor(length * scale);
    this.canvas = new OffscreenCanvas(whole(width), whole(height + CAPTION));
    this.context = contextOf(this.canvas, true);
    this.#board = contextOf(new OffscreenCanvas(whole(width), whole(height)));
    this.#actors = contextOf(new OffscreenCanvas(whole(width), whole(height)));
    const view: MazeView = { ...options.view, reducedMotion: true, preview: undefined };
    this.#scene = new MazeScene(source, options.theme, view, lanes);
    this.#scene.setPlace({ width, height, dpr: scale });
  }

  /** Draws the moment that the source shows; `step` is what the caption says. */
  draw(step: number): void {
    const { context } = this;
    this.#scene.advance(0);
    this.#scene.drawBoard(this.#board);
    this.#scene.drawActors(this.#actors);
    context.fillStyle = this.#options.theme.paper;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.#board.canvas, 0, 0);
    context.drawImage(this.#actors.canvas, 0, 0);
    this.#drawCaption(step);
  }

  #drawCaption(step: number): void {
    const { context } = this;
    const { theme, caption } = this.#options;
    const scale = this.#scale;
    const middle = this.canvas.height - (CAPTION / 2 + 4) * scale;
    const right = this.canvas.width - INSET * scale;
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.fillStyle = theme.ruler;
    context.font = `${12 * scale}px ${figureFace()}`;
    const figure = `step ${step}`;
    context.fillText(figure, right, middle);
    const room = right - context.measureText(figure).width - 2 * INSET * scale;
    context.textAlign = "left";
    context.font = `500 ${13 * scale}px ${wordFace()}`;
    context.fillStyle = theme.caption;
    const words = [caption.model, caption.maze].filter(Boolean).join("  ·  ");
    context.fillText(shortened(context, words, room), INSET * scale, middle);
  }
}

/** Text that fits, its end cut where it is too long. */
function shortened(context: OffscreenCanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let length = text.length;
  while (length > 0 && context.measureText(`${text.slice(0, length).trimEnd()}…`).width > room) length--;
  return `${text.slice(0, length).trimEnd()}…`;
}

/** Context of a canvas; `isRead` for one whose pixels are asked for again and again. */
function contextOf(canvas: OffscreenCanvas, isRead = false): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: isRead });
  if (!context) throw new Error("this browser gives no more canvases");
  return context;
}
