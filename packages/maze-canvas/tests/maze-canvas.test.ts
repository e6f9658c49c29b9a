import { create } from "@bufbuild/protobuf";
import { PolicyMapSchema, StepSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { EpisodeStartedSchema } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { createEpisodePlayback, type EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { GLIDE_MS } from "@rlmaze/episode-playback/viewer-clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createMazeCanvas, type MazeCanvas, type MazeView } from "../src/maze-canvas";
import { DARK_MAZE_THEME, LIGHT_MAZE_THEME } from "../src/theme";
import type { FrameClock } from "../src/view";
import { type RecordingContext, recordingContext } from "./recording-context";

const VIEW: MazeView = {
  heat: "visits",
  arrows: false,
  trail: true,
  rulers: true,
  stepsPerSecond: 5,
  reducedMotion: false,
};
const MAZE = {
  mazeId: "m",
  rows: ["S...", "####", "...G"].map((row) => row.replace("####", "###.")),
  shortestPath: 5,
  maxSteps: 24,
};

let frames: FrameRequestCallback[] = [];
let time = 0;

/** Lets so many frames of 20 ms pass. */
function pass(count: number): void {
  for (let frame = 0; frame < count; frame++) {
    time += 20;
    const due = frames;
    frames = [];
    for (const callback of due) callback(time);
  }
}

function fakeCanvas(): { readonly canvas: HTMLCanvasElement; readonly recording: RecordingContext } {
  const recording = recordingContext();
  const canvas = {
    width: 0,
    height: 0,
    style: {},
    getContext: () => recording.context,
  } as unknown as HTMLCanvasElement;
  return { canvas, recording };
}

function stage(
  view: Partial<MazeView> = {},
  clock?: FrameClock,
): {
  readonly playback: EpisodePlayback;
  readonly canvas: MazeCanvas;
  readonly board: RecordingContext;
  readonly actor: RecordingContext;
} {
  const board = fakeCanvas();
  const actor = fakeCanvas();
  const playback = createEpisodePlayback();
  const canvas = createMazeCanvas({
    board: board.canvas,
    actor: actor.canvas,
    playback,
    theme: DARK_MAZE_THEME,
    view: { ...VIEW, ...view },
    clock,
  });
  canvas.resize(300, 300, 2);
  canvas.start();
  return { playback, canvas, board: board.recording, actor: actor.recording };
}

function run(playback: EpisodePlayback, cols: readonly number[]): void {
  playback.onSteps(
    cols.map((col, at) =>
      create(StepSchema, { index: playback.liveStep + at + 1, action: 4, position: { row: 0, col } }),
    ),
    0,
  );
}

const draws = (recording: RecordingContext): number =>
  recording.strokes.filter(({ name }) => name === "clearRect").length;
const started = create(EpisodeStartedSchema, { episodeId: "e", firstStep: 1, maxSteps: 24, maze: MAZE });

beforeEach(() => {
  frames = [];
  time = 0;
  globalThis.requestAnimationFrame = (callback) => frames.push(callback);
  globalThis.cancelAnimationFrame = () => {
    frames = [];
  };
});

afterEach(() => {
  Reflect.deleteProperty(globalThis, "requestAnimationFrame");
  Reflect.deleteProperty(globalThis, "cancelAnimationFrame");
});

describe("the loop", () => {
  test("draws nothing while nothing changes", () => {
    const { playback, board, actor } = stage();
    playback.onStarted(started);
    pass(3);
    const before = [draws(board), draws(actor)];
    pass(100);
    expect([draws(board), draws(actor)]).toEqual(before);
  });

  test("glides over a step and redraws only the actor meanwhile", () => {
    const { playback, board, actor } = stage();
    playback.onStarted(started);
    pass(2);
    playback.hold();
    run(playback, [1]);
    pass(2);
    playback.stepBy(1);
    const painted = (): number =>
      board.strokes.filter(({ name }) => name.endsWith("Rect") && name !== "clearRect").length;
    const before = { board: painted(), actor: draws(actor) };
    pass(6);
    expect(playback.moment).toBeGreaterThan(0);
    expect(playback.moment).toBeLessThan(1);
    expect(painted()).toBe(before.board);
    expect(draws(actor)).toBe(before.actor + 6);
    pass(6);
    expect(playback.moment).toBe(1);
    expect(painted()).toBeGreaterThan(before.board);
  });

  test("tells its clock of every frame, and whether motion is reduced", () => {
    const glides: number[] = [];
    const times: number[] = [];
    const clock = { advance: (at: number) => times.push(at), setGlide: (ms: number) => glides.push(ms) };
    const { canvas } = stage({}, clock as unknown as FrameClock);
    pass(3);
    canvas.setView({ reducedMotion: true });
    expect(times).toEqual([20, 40, 60]);
    expect(glides).toEqual([GLIDE_MS, 0]);
  });

  test("survives a reset in mid-glide and takes another maze", () => {
    const { playback, canvas } = stage();
    playback.onStarted(started);
    pass(2);
    run(playback, [1, 2]);
    pass(2);
    playback.reset();
    canvas.resize(200, 200, 2);
    pass(2);
    playback.showMaze({ ...MAZE, mazeId: "n", rows: ["S..", "...", "..G"] });
    pass(2);
    expect(canvas.cellAt(100, 90)?.cell).toBeLessThan(9);
  });

  test("ends with dispose", () => {
    const { canvas } = stage();
    canvas.dispose();
    expect(frames).toHaveLength(0);
  });
});

describe("the controller", () => {
  test("draws nothing and finds no cell without a maze", () => {
    const { canvas, board } = stage();
    pass(2);
    expect(canvas.cellAt(10, 10)).toBeUndefined();
    expect(canvas.cellBox(0)).toBeUndefined();
    expect(canvas.heatScale()).toBeUndefined();
    expect(board.colors()).toEqual([]);
  });

  test("finds a cell in CSS pixels on a dense screen", () => {
    const { playback, canvas } = stage();
    playback.showMaze(MAZE);
    const box = canvas.cellBox(7);
    expect(canvas.cellAt(box?.x ?? 0, box?.y ?? 0)).toEqual({ row: 1, col: 3, cell: 7 });
  });

  test("redraws when theme or view change", () => {
    const { playback, canvas, board } = stage();
    playback.showMaze(MAZE);
    pass(2);
    canvas.setTheme(LIGHT_MAZE_THEME);
    pass(1);
    expect(board.colors()).toContain(LIGHT_MAZE_THEME.wall);
    expect(canvas.heatScale()).toBeDefined();
    canvas.setView({ heat: "off" });
    pass(1);
    // The start was visited; it is plain path now.
    expect(board.strokes.filter(({ name }) => name === "fillStyle=").map(({ values }) => values[0])).toContain(
      LIGHT_MAZE_THEME.path,
    );
    expect(canvas.heatScale()).toBeUndefined();
  });

  test("outlines a cell on the actor's layer only", () => {
    const { playback, canvas, board, actor } = stage();
    playback.showMaze(MAZE);
    pass(2);
    const before = draws(board);
    canvas.setHover({ row: 0, col: 1, cell: 1 });
    pass(1);
    expect(draws(board)).toBe(before);
    expect(actor.strokes.at(-1)?.name).toBe("strokeRect");
  });

  test("only widens the scale of values while an episode runs", () => {
    const { playback, canvas } = stage({ heat: "value" });
    playback.onStarted(started);
    expect(canvas.heatScale()).toBeUndefined();
    playback.setPolicyMap(
      create(PolicyMapSchema, { atStep: 0, cells: [0, 1], values: new Array(8).fill(0), stateValues: [-1, 0.5] }),
    );
    expect(canvas.heatScale()).toMatchObject({ low: -1, high: 0.5 });
    run(playback, [1]);
    playback.setPolicyMap(
      create(PolicyMapSchema, { atStep: 1, cells: [0, 1], values: new Array(8).fill(0), stateValues: [0, 0.75] }),
    );
    expect(canvas.heatScale()).toMatchObject({ low: -1, high: 0.75 });
  });
});
