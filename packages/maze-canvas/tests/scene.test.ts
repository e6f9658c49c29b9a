import { createCanvas } from "@napi-rs/canvas";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { policyDifference } from "../src/policy-difference";
import { MazeScene } from "../src/scene";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME, type MazeTheme } from "../src/theme";
import type { MazeView } from "../src/view";
import { pillars, randomMap, randomNumbers, startedPlayback, walk } from "./stage";

const VIEW: MazeView = {
  heat: "visits",
  arrows: false,
  trail: true,
  rulers: true,
  stepsPerSecond: 1,
  reducedMotion: true,
};
const PLACE = { width: 150, height: 140, dpr: 2 };

type Context = ReturnType<ReturnType<typeof createCanvas>["getContext"]>;

/** A scene on two real canvases. */
class Easel {
  readonly board = createCanvas(PLACE.width * PLACE.dpr, PLACE.height * PLACE.dpr).getContext("2d");
  readonly actors = createCanvas(PLACE.width * PLACE.dpr, PLACE.height * PLACE.dpr).getContext("2d");
  readonly scene: MazeScene;

  constructor(source: ConstructorParameters<typeof MazeScene>[0], theme: MazeTheme, view: MazeView) {
    this.scene = new MazeScene(source, theme, view);
    this.scene.setPlace(PLACE);
  }

  draw(): void {
    this.scene.advance(16);
    this.scene.drawBoard(this.board as unknown as CanvasRenderingContext2D);
    this.scene.drawActors(this.actors as unknown as CanvasRenderingContext2D);
  }
}

/** Most that a channel may differ: the edge of a shape is sampled a little otherwise when more shapes are filled in the same path. A mark that was forgotten or doubled differs by 100 and more. */
const EDGE = 80;

const pixels = (context: Context): Buffer =>
  Buffer.from(context.getImageData(0, 0, context.canvas.width, context.canvas.height).data.buffer);

/** Largest difference of any channel of any pixel. */
function difference(one: Context, other: Context): number {
  const [a, b] = [pixels(one), pixels(other)];
  if (a.equals(b)) return 0;
  let largest = 0;
  for (let at = 0; at < a.length; at++) largest = Math.max(largest, Math.abs((a[at] ?? 0) - (b[at] ?? 0)));
  return largest;
}

describe("a scene that paints only what changed", () => {
  test("looks, pixel for pixel, like one that was painted at once, whatever happened before", () => {
    const act = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant("walk" as const), count: fc.integer({ min: 1, max: 30 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant("show" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("follow" as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("map" as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("theme" as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("maze" as const), size: fc.constantFrom(7, 8) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("difference" as const) }) },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant("view" as const),
          view: fc.record(
            {
              heat: fc.constantFrom("visits" as const, "value" as const, "off" as const),
              arrows: fc.boolean(),
              trail: fc.boolean(),
              rulers: fc.boolean(),
              shortestPath: fc.constantFrom("off" as const, "start" as const, "shown" as const),
              pathActions: fc.boolean(),
              worseSteps: fc.boolean(),
              cycle: fc.constantFrom(undefined, [0, 1, 2], [9, 10, 16, 17]),
              fog: fc.constantFrom("off" as const, "unseen" as const, "window" as const),
              selected: fc.constantFrom(undefined, 0, 12, 400),
              difference: fc.constant(undefined),
              preview: fc.constantFrom(undefined, { cells: [3, 4], as: "wall" as const }),
              agent: fc.boolean(),
            },
            { requiredKeys: [] },
          ),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 12 }), fc.integer(), (acts, seed) => {
        const random = randomNumbers(seed);
        const playback = startedPlayback(pillars(7));
        const easel = new Easel(playback, DARK_MAZE_THEME, VIEW);
        let theme = DARK_MAZE_THEME;
        easel.draw();
        for (const step of acts) {
          if (step.kind === "walk") walk(playback, step.count, random);
          else if (step.kind === "show") playback.show(Math.round(step.share * playback.liveStep));
          else if (step.kind === "follow") playback.follow();
          else if (step.kind === "map") playback.setPolicyMap(randomMap(playback, random));
          else if (step.kind === "view") easel.scene.setView(step.view);
          else if (step.kind === "maze") {
            playback.showMaze({ mazeId: `n${random()}`, rows: pillars(step.size), shortestPath: 0, maxSteps: 9 });
          } else if (step.kind === "theme") {
            theme = theme === DARK_MAZE_THEME ? LIGHT_MAZE_THEME : DARK_MAZE_THEME;
            easel.scene.setTheme(theme);
          } else if (playback.grid) {
            const of = () => ({
              bestActions: Int8Array.from(playback.grid?.wall ?? [], () => Math.floor(random() * 4)),
            });
            easel.scene.setView({ difference: policyDifference(playback.grid, of(), of()) });
          }
          easel.draw();
        }
        // The scale of values remembers what it reached, which a new scene can't know; it is compared where it doesn't matter.
        if (easel.scene.view.heat === "value") easel.scene.setView({ heat: "visits" });
        easel.draw();
        const fresh = new Easel(playback, theme, easel.scene.view);
        fresh.draw();
        expect(difference(easel.board, fresh.board)).toBeLessThan(EDGE);
        expect(difference(easel.actors, fresh.actors)).toBeLessThan(EDGE);
      }),
      {
        numRuns: 120,
        // The last cell has the highest value, and then the most visits.
        examples: [
          [[{ kind: "map" }, { kind: "view", view: { heat: "value" } }, { kind: "walk", count: 18 }], -1_342_019_072],
        ],
      },
    );
  });

  test("shows, looked back to, what was shown when it was live", () => {
    const random = randomNumbers(5);
    const playback = startedPlayback(pillars(9));
    const view: MazeView = { ...VIEW, fog: "unseen", worseSteps: true, shortestPath: "shown" };
    const easel = new Easel(playback, DARK_MAZE_THEME, view);
    const seen: Buffer[] = [];
    for (let step = 0; step < 40; step++) {
      easel.draw();
      seen.push(Buffer.from(pixels(easel.actors)));
      walk(playback, 1, random);
    }
    const fresh = new Easel(playback, DARK_MAZE_THEME, { ...view, heat: "off" });
    const other = new Easel(playback, DARK_MAZE_THEME, { ...view, heat: "off" });
    for (const step of [31, 12, 0, 25]) {
      playback.show(step);
      easel.draw();
      expect(pixels(easel.actors).equals(seen[step] ?? Buffer.alloc(0))).toBe(true);
      fresh.draw();
    }
    other.draw();
    expect(difference(fresh.board, other.board)).toBeLessThan(EDGE);
  });

  test("forgets the fog and the notches of the episode before, also where the new one is already longer", () => {
    const playback = startedPlayback(pillars(15), "one");
    const view: MazeView = { ...VIEW, heat: "off", trail: false, agent: false, fog: "unseen", worseSteps: true };
    const easel = new Easel(playback, DARK_MAZE_THEME, view);
    walk(playback, 60, randomNumbers(1), 1);
    easel.draw();
    const again = startedPlayback(pillars(15), "two");
    walk(again, 90, randomNumbers(2), 0);
    easel.scene.setSource(again, undefined);
    easel.draw();
    const fresh = new Easel(again, DARK_MAZE_THEME, view);
    fresh.draw();
    expect(difference(easel.board, fresh.board)).toBe(0);
  });

  test("paints one cell and a little for one step", () => {
    const random = randomNumbers(3);
    const playback = startedPlayback(pillars(31));
    const easel = new Easel(playback, DARK_MAZE_THEME, VIEW);
    walk(playback, 1, random);
    easel.draw();
    let fills = 0;
    const { board } = easel;
    const fillRect = board.fillRect.bind(board);
    board.fillRect = (...box: Parameters<typeof fillRect>) => {
      fills += 1;
      fillRect(...box);
    };
    walk(playback, 1, random, 0);
    easel.draw();
    expect(fills).toBeGreaterThan(0);
    expect(fills).toBeLessThanOrEqual(4);
  });
});

describe("a scene of a race", () => {
  test("draws each lane's sign, hides the hidden ones, and takes new lanes", () => {
    const rows = pillars(9);
    const lanes = [0.1, 0.5, 0.9].map((noise, lane) => {
      const playback = startedPlayback(rows, `lane ${lane}`);
      walk(playback, 10 + lane, randomNumbers(lane + 1), noise);
      return { steps: playback };
    });
    const source = lanes[0]?.steps;
    if (!source) throw new Error("no lane");
    const easel = new Easel(source, DARK_MAZE_THEME, { ...VIEW, heat: "off", trail: false });
    const has = (color: string): boolean => {
      const data = pixels(easel.actors);
      const wanted = Number.parseInt(color.slice(1), 16);
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] === 255 && data.readUIntBE(at, 3) === wanted) return true;
      }
      return false;
    };
    const colors = DARK_MAZE_THEME.lanes;
    easel.scene.setSource(source, lanes);
    easel.draw();
    expect(colors.map(has)).toEqual([true, true, true, false]);
    expect(has(DARK_MAZE_THEME.agent)).toBe(false);
    easel.scene.setSource(source, [...lanes.slice(0, 2), { steps: source, hidden: true }]);
    easel.draw();
    expect(colors.map(has)).toEqual([true, true, false, false]);
    easel.scene.setSource(source, undefined);
    easel.draw();
    expect(has(DARK_MAZE_THEME.agent)).toBe(true);
    expect(colors.map(has)).toEqual([false, false, false, false]);
  });
});
