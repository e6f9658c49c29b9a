/// <reference path="./gifenc.d.ts" />
import { ColorCount, NearestColor } from "./gif-palette";
import { Easel, type PictureOptions } from "./picture";
import { ReplayedEpisode } from "./replayed-episode";

/**
 * What an animation shows, and who is told how far it is. It has no arrows, value heat, difference or cycle: those of past steps are not kept,
 * and one moment's would be wrong in the next. Where the view has the value heat, it shows visits.
 */
export interface AnimationOptions extends PictureOptions {
  /** First and last step; default the whole episode so far. */
  readonly fromStep?: number | undefined;
  readonly toStep?: number | undefined;
  /** Ends the work; the promise then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told 0 at the beginning and 1 at the end. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** A finished animation. */
export interface EpisodeAnimation {
  /** `image/gif`, looping for ever, the last frame held. */
  readonly blob: Blob;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly durationMs: number;
  /** Steps from one frame to the next: more than one where an episode is too long to show each. */
  readonly stepsPerFrame: number;
}

const ANIMATION_SIZE = 480;
const ANIMATION_SCALE = 1;

/** Frames at most: with the changes of one frame at about 5 KB this stays far below 4 MB, also on 50 × 50. */
const MOST_FRAMES = 200;
/** Time that all frames but the last may take together; with the hold an animation takes less than twelve seconds. */
const LONGEST_MS = 10_000;
const HOLD_MS = 1600;
/** A step takes 120 ms in a short episode: one can follow it. Below 50 ms browsers begin to slow animations down. */
const SLOWEST_FRAME_MS = 120;
const FASTEST_FRAME_MS = 50;

/** Work between two breaths of the page, in milliseconds: half of a frame at 60 a second. */
const SLICE_MS = 8;

/** Which steps are shown, and how long each. */
export function frameSteps(
  fromStep: number,
  toStep: number,
): { readonly steps: readonly number[]; readonly stepsPerFrame: number; readonly frameMs: number } {
  const count = Math.max(0, toStep - fromStep);
  const stepsPerFrame = Math.max(1, Math.ceil(count / (MOST_FRAMES - 1)));
  const steps: number[] = [];
  for (let step = fromStep; step < toStep; step += stepsPerFrame) steps.push(step);
  steps.push(toStep);
  const share = LONGEST_MS / steps.length;
  // GIF counts in hundredths of a second.
  const frameMs = 10 * Math.floor(Math.min(SLOWEST_FRAME_MS, Math.max(FASTEST_FRAME_MS, share)) / 10);
  return { steps, stepsPerFrame, frameMs };
}

/** GIF of an episode or a race. It works in slices between the page's frames. Fails with a RangeError where there is no maze, and with the signal's reason. */
export async function episodeAnimation(options: AnimationOptions): Promise<EpisodeAnimation> {
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const { GIFEncoder, quantize } = await import("gifenc");
  const length = Math.max(options.playback.liveStep, ...(options.lanes ?? []).map(({ steps }) => steps.liveStep));
  const toStep = Math.min(options.toStep ?? length, length);
  const { steps, stepsPerFrame, frameMs } = frameSteps(Math.min(options.fromStep ?? 0, toStep), toStep);
  const reel = new Reel(options);
  const slices = new Slices(signal);
  onProgress?.(0);

  // The palette is made of the first, the middle and the last frame: heat only grows, so they have the colours of all.
  const colors = new ColorCount();
  for (const at of new Set([0, steps.length >> 1, steps.length - 1])) {
    colors.add(reel.frame(steps[at] ?? 0));
    await slices.breathe();
  }
  const palette = colors.palette((rgba, count) => quantize(rgba, count, { format: "rgb565" }));
  const nearest = new NearestColor(palette);
  const unchanged = palette.length;
  palette.push([0, 0, 0]);

  reel.rewind();
  const encoder = GIFEncoder({ initialCapacity: 1 << 18 });
  const { width, height } = reel;
  const indexes = new Uint8Array(width * height);
  let before = new Uint32Array(0);
  let durationMs = 0;
  for (let at = 0; at < steps.length; at++) {
    const isFirst = at === 0;
    const pixels = reel.frame(steps[at] ?? 0);
    for (let pixel = 0; pixel < pixels.length; pixel++) {
      const color = pixels[pixel] ?? 0;
      indexes[pixel] = !isFirst && color === before[pixel] ? unchanged : nearest.indexOf(color);
    }
    before = pixels;
    const delay = at === steps.length - 1 ? HOLD_MS : frameMs;
    encoder.writeFrame(indexes, width, height, {
      palette: isFirst ? palette : undefined,
      delay,
      repeat: 0,
      transparent: !isFirst,
      transparentIndex: unchanged,
      dispose: 1,
    });
    durationMs += delay;
    onProgress?.((at + 1) / steps.length);
    await slices.breathe();
  }
  encoder.finish();
  const blob = new Blob([encoder.bytesView()], { type: "image/gif" });
  return { blob, width, height, frames: steps.length, durationMs, stepsPerFrame };
}

/** Frames of an episode as pixels. */
class Reel {
  readonly width: number;
  readonly height: number;
  readonly #options: AnimationOptions;
  #episodes: readonly ReplayedEpisode[] = [];
  #easel: Easel;

  constructor(options: AnimationOptions) {
    this.#options = options;
    this.#easel = this.#begin();
    this.width = this.#easel.canvas.width;
    this.height = this.#easel.canvas.height;
  }

  /** Back to the start. */
  rewind(): void {
    this.#easel = this.#begin();
  }

  /** Pixels of a step that is not before the last one; RGBA, one number each. */
  frame(step: number): Uint32Array<ArrayBuffer> {
    for (const episode of this.#episodes) episode.goTo(step);
    this.#easel.draw(step);
    const { data } = this.#easel.context.getImageData(0, 0, this.width, this.height);
    return new Uint32Array(data.buffer as ArrayBuffer, data.byteOffset, data.length / 4);
  }

  #begin(): Easel {
    const { playback, view, size, scale } = this.#options;
    const source = new ReplayedEpisode(playback);
    const lanes = this.#options.lanes?.map(({ steps, hidden }) => ({ steps: new ReplayedEpisode(steps), hidden }));
    this.#episodes = [source, ...(lanes ?? []).map((lane) => lane.steps)];
    return new Easel(
      {
        ...this.#options,
        view: {
          ...view,
          heat: view.heat === "value" ? "visits" : view.heat,
          arrows: false,
          difference: undefined,
          cycle: undefined,
          selected: undefined,
        },
      },
      source,
      lanes,
      size ?? ANIMATION_SIZE,
      scale ?? ANIMATION_SCALE,
    );
  }
}

/** Lets the page breathe when a slice of work took its time, and ends the work when it is not wanted any more. */
class Slices {
  readonly #signal: AbortSignal | undefined;
  #began = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async breathe(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#began < SLICE_MS) return;
    // A message, not a timer: timers of a hidden tab run once a second.
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    });
    this.#signal?.throwIfAborted();
    this.#began = performance.now();
  }
}
