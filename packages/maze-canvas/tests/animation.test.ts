import fc from "fast-check";
import { GifReader } from "omggif";
import { beforeAll, describe, expect, test } from "vitest";
import { type AnimationOptions, episodeAnimation, frameSteps } from "../src/animation";
import { ColorCount, NearestColor } from "../src/gif-palette";
import { layoutMaze, type MazeLayout } from "../src/layout";
import { DARK_MAZE_THEME as theme } from "../src/theme";
import type { MazeView } from "../src/view";
import { type Pixels, pixelsOf, provideOffscreenCanvas } from "./offscreen-canvas";
import { pillars, randomNumbers, startedPlayback, walk } from "./stage";

const VIEW: MazeView = {
  heat: "visits",
  arrows: true,
  trail: true,
  rulers: true,
  stepsPerSecond: 5,
  reducedMotion: false,
};
const caption = { model: "ppo-memory-1", maze: "heldout-0007" };

beforeAll(provideOffscreenCanvas);

/** The frames of a GIF as they are seen, each on top of the ones before. */
async function readGif(blob: Blob): Promise<{ reader: GifReader; frames: Pixels[] }> {
  const reader = new GifReader(new Uint8Array(await blob.arrayBuffer()) as Buffer);
  const rgba = new Uint8Array(4 * reader.width * reader.height);
  const frames = Array.from({ length: reader.numFrames() }, (_, frame) => {
    reader.decodeAndBlitFrameRGBA(frame, rgba);
    return pixelsOf(rgba.slice(), reader.width, reader.height);
  });
  return { reader, frames };
}

function options(size: number, steps: number, more: Partial<AnimationOptions> = {}): AnimationOptions {
  const playback = startedPlayback(pillars(size));
  walk(playback, steps, randomNumbers(9), 0.6);
  return { playback, theme, view: VIEW, caption, size: 160, ...more };
}

describe("an animation", () => {
  test("is a GIF that loops for ever, shows every step of a short episode and holds the last", async () => {
    const given = options(7, 15);
    const { blob, frames, width, height, durationMs, stepsPerFrame } = await episodeAnimation(given);
    expect(blob.type).toBe("image/gif");
    const { reader } = await readGif(blob);
    expect(stepsPerFrame).toBe(1);
    expect(frames).toBe(16);
    expect(reader.numFrames()).toBe(16);
    expect([reader.width, reader.height]).toEqual([width, height]);
    // omggif counts how often it is shown again; 0 is for ever.
    expect(reader.loopCount()).toBe(0);
    const delays = Array.from({ length: 16 }, (_, at) => reader.frameInfo(at).delay * 10);
    expect(delays.slice(0, -1)).toEqual(new Array(15).fill(120));
    expect(delays.at(-1)).toBeGreaterThan(1000);
    expect(delays.reduce((sum, delay) => sum + delay)).toBe(durationMs);
  });

  test("shows in each frame the agent where it was, in the theme's own colours", async () => {
    const given = options(7, 12, { view: { ...VIEW, heat: "off", trail: false, rulers: false } });
    const { frames } = await readGif((await episodeAnimation(given)).blob);
    const layout = layoutMaze({ width: 160, height: 160, dpr: 1 }, { rows: 7, cols: 7 }, false) as MazeLayout;
    const middle = (cell: number): [number, number] => [
      layout.x + ((cell % 7) + 0.5) * layout.cell,
      layout.y + (Math.floor(cell / 7) + 0.5) * layout.cell,
    ];
    frames.forEach((frame, step) => {
      const cell = given.playback.positionAt(step);
      expect(frame.at(...middle(cell))).toBe(theme.agent);
      expect(frame.at(...middle(8))).toBe(theme.wall);
      // Where it was two steps before there is path again, unless it is there, or start or goal.
      const earlier = step > 1 ? given.playback.positionAt(step - 2) : 0;
      if (earlier !== cell && earlier !== 0 && earlier !== 48) expect(frame.at(...middle(earlier))).toBe(theme.path);
    });
  });

  test("leaves the shown moment of the playback where it is", async () => {
    const playback = startedPlayback(pillars(7));
    walk(playback, 12, randomNumbers(9));
    playback.show(4);
    const visits = Uint32Array.from(playback.visits);
    await episodeAnimation({ ...options(7, 0), playback });
    expect(playback.shownStep).toBe(4);
    expect(playback.visits).toEqual(visits);
  });

  test.each([
    [400, 15],
    [2000, 50],
  ])("of %i steps stays below 4 MB and twelve seconds", async (steps, size) => {
    const made = await episodeAnimation(options(size, steps, { size: 480 }));
    expect(made.blob.size).toBeLessThan(4_000_000);
    expect(made.durationMs).toBeLessThanOrEqual(12_000);
    expect(made.stepsPerFrame).toBe(Math.ceil(steps / 199));
  });

  test("tells its progress, and ends when it is not wanted any more", async () => {
    const shares: number[] = [];
    await episodeAnimation(options(7, 20, { onProgress: (share) => shares.push(share) }));
    expect(shares[0]).toBe(0);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));

    const stop = new AbortController();
    const reason = new Error("not wanted");
    const told: number[] = [];
    const onProgress = (share: number): void => {
      told.push(share);
      if (share > 0.3) stop.abort(reason);
    };
    await expect(episodeAnimation(options(7, 40, { signal: stop.signal, onProgress }))).rejects.toBe(reason);
    expect(Math.max(...told)).toBeLessThan(0.5);
    await expect(episodeAnimation(options(7, 5, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  });

  test("of a race lasts until its longest lane has ended", async () => {
    const lanes = [5, 14].map((steps, lane) => {
      const playback = startedPlayback(pillars(7), `lane ${lane}`);
      walk(playback, steps, randomNumbers(lane), 0.2);
      return { steps: playback };
    });
    const { frames } = await episodeAnimation({ ...options(7, 5), lanes });
    expect(frames).toBe(15);
  });

  test("shows a part of an episode", async () => {
    expect((await episodeAnimation(options(7, 30, { fromStep: 10, toStep: 14 }))).frames).toBe(5);
    expect((await episodeAnimation(options(7, 3, { fromStep: 10, toStep: 14 }))).frames).toBe(1);
  });
});

describe("the steps of an animation", () => {
  test("begin and end where they should, evenly, in time", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(20_000), (from, count) => {
        const { steps, stepsPerFrame, frameMs } = frameSteps(from, from + count);
        expect(steps[0]).toBe(from);
        expect(steps.at(-1)).toBe(from + count);
        for (let at = 1; at < steps.length - 1; at++)
          expect((steps[at] ?? 0) - (steps[at - 1] ?? 0)).toBe(stepsPerFrame);
        expect(steps.length * frameMs).toBeLessThanOrEqual(10_200);
        expect(frameMs % 10).toBe(0);
      }),
    );
  });
});

describe("a palette", () => {
  test("keeps the most frequent colours exactly and finds the nearest for the rest", () => {
    const count = new ColorCount();
    const flat = new Uint32Array(10_000).fill(0xff332211);
    const edges = Uint32Array.from({ length: 600 }, (_, at) => 0xff000000 + at * 257);
    count.add(flat);
    count.add(edges);
    const palette = count.palette((_rgba, colors) => Array.from({ length: colors }, () => [9, 9, 9]));
    expect(palette).toHaveLength(255);
    expect(palette[0]).toEqual([0x11, 0x22, 0x33]);
    const nearest = new NearestColor(palette);
    expect(nearest.indexOf(0xff332211)).toBe(0);
    expect(palette[nearest.indexOf(0xff0a0909)]).toEqual([9, 9, 9]);
  });
});
