import { beforeAll, describe, expect, test } from "vitest";
import { layoutMaze, type MazeLayout } from "../src/layout";
import { momentPicture } from "../src/picture";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "../src/theme";
import type { MazeView } from "../src/view";
import { provideOffscreenCanvas, readPng } from "./offscreen-canvas";
import { pillars, randomNumbers, startedPlayback, walk } from "./stage";

const VIEW: MazeView = {
  heat: "off",
  arrows: false,
  trail: true,
  rulers: false,
  stepsPerSecond: 5,
  reducedMotion: false,
};
const caption = { model: "ppo-memory-1", maze: "heldout-0007" };

beforeAll(provideOffscreenCanvas);

describe.each([DARK_MAZE_THEME, LIGHT_MAZE_THEME])("a picture in the $name theme", (theme) => {
  const playback = startedPlayback(pillars(11));
  walk(playback, 12, randomNumbers(4), 0);
  const picture = (more: Partial<Parameters<typeof momentPicture>[0]> = {}) =>
    momentPicture({ playback, theme, view: VIEW, caption, size: 220, scale: 2, ...more }).then(readPng);
  const layout = layoutMaze({ width: 220, height: 220, dpr: 2 }, { rows: 11, cols: 11 }, false) as MazeLayout;
  const x = (col: number): number => layout.x + col * layout.cell;
  const y = (row: number): number => layout.y + row * layout.cell;

  test("is a PNG of the maze at its size, on the theme's paper, with room for the caption", async () => {
    const blob = await momentPicture({ playback, theme, view: VIEW, caption, size: 220, scale: 2 });
    expect(blob.type).toBe("image/png");
    const { width, height, at } = await readPng(blob);
    expect([width, height]).toEqual([440, 440 + 72]);
    expect(at(2, 2)).toBe(theme.paper);
    expect(at(x(1.5), y(1.5))).toBe(theme.wall);
    expect(at(x(8.5), y(2.5))).toBe(theme.path);
  });

  test("is crisp: between a wall and a path there is no third colour", async () => {
    const { at } = await picture({ view: { ...VIEW, trail: false } });
    const colors = new Set(Array.from({ length: 3 * layout.cell }, (_, px) => at(x(7) + px, y(1.5))));
    expect(colors).toEqual(new Set([theme.wall, theme.path]));
  });

  test("shows the step that is shown, and leaves the playback where it is", async () => {
    playback.show(3);
    const { moment } = playback;
    const { at } = await picture();
    const cell = playback.positionAt(3);
    expect(at(x((cell % 11) + 0.5), y(Math.floor(cell / 11) + 0.5))).toBe(theme.agent);
    expect(playback.moment).toBe(moment);
    playback.follow();
    const { at: later } = await picture();
    expect(later(x((cell % 11) + 0.5), y(Math.floor(cell / 11) + 0.5))).not.toBe(theme.agent);
  });

  test("says model, maze and step in words that fit", async () => {
    const inked = async (model: string): Promise<number> => {
      const { at, width, height } = await picture({ caption: { ...caption, model } });
      let most = 0;
      for (let px = 0; px < width - 120; px++) {
        for (let py = height - 60; py < height - 10; py++) if (at(px, py) !== theme.paper) most = px;
      }
      return most;
    };
    const short = await inked("a");
    expect(short).toBeGreaterThan(32);
    expect(await inked("a model with a name that is much too long for such a small picture")).toBeLessThan(440 - 120);
  });

  test("has the race's agents", async () => {
    const lanes = [1, 2].map((seed) => {
      const steps = startedPlayback(pillars(11), `lane ${seed}`);
      walk(steps, 6 * seed, randomNumbers(seed), 0.2);
      return { steps };
    });
    const { at, width } = await picture({ lanes, view: { ...VIEW, trail: false } });
    const colors = new Set<string>();
    for (let px = 0; px < width; px++) for (let py = 0; py < width; py++) colors.add(at(px, py));
    expect(colors).toContain(theme.lanes[0]);
    expect(colors).toContain(theme.lanes[1]);
    expect(colors).not.toContain(theme.lanes[2]);
  });
});

test("a picture of nothing is refused", async () => {
  const playback = startedPlayback(pillars(5));
  await expect(
    momentPicture({ playback: { ...playback, grid: undefined } as never, theme: DARK_MAZE_THEME, view: VIEW, caption }),
  ).rejects.toThrow(RangeError);
});
