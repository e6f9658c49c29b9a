import { create } from "@bufbuild/protobuf";
import { PolicyMapSchema, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { createEpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { afterEach, describe, expect, test } from "vitest";
import { findMark, openCellsPath } from "@/features/mazes/maze-path";
import { cellFacts } from "./cell-facts";
import { ROW_HEIGHT, visibleRows } from "./log-window";
import { plotFrame, roundTicks, stepAt } from "./reward-plot";

const maze = { mazeId: "m", rows: ["S.#", "#..", "##G"], shortestPath: 4, maxSteps: 18 };

describe("a maze picture", () => {
  test("joins the open cells of a row", () => {
    expect(openCellsPath(maze.rows)).toBe("M0 0h2v1h-2zM1 1h2v1h-2zM2 2h1v1h-1z");
  });

  test("finds start and goal", () => {
    expect([findMark(maze.rows, "S"), findMark(maze.rows, "G"), findMark(["..."], "G")]).toEqual([
      { row: 0, col: 0 },
      { row: 2, col: 2 },
      undefined,
    ]);
  });
});

describe("the facts of a cell", () => {
  const playback = createEpisodePlayback();
  playback.showMaze(maze);
  afterEach(() => playback.dispose());

  test("say what it is and how often it was visited", () => {
    expect(cellFacts(playback, 0)).toMatchObject({
      row: 0,
      col: 0,
      kind: "start",
      visits: 1,
      age: 0,
      policy: undefined,
    });
    expect(cellFacts(playback, 1)).toMatchObject({ kind: "path", visits: 0, age: undefined });
    expect(cellFacts(playback, 2)).toMatchObject({ kind: "wall" });
    expect(cellFacts(playback, 9)).toBeUndefined();
  });

  test("say which way is the shortest, and how far it is", () => {
    expect(cellFacts(playback, 0)).toMatchObject({ distance: 4, optimal: [3], agrees: undefined });
    expect(cellFacts(playback, 8)).toMatchObject({ kind: "goal", distance: 0, optimal: [] });
    expect(cellFacts(playback, 2)).toMatchObject({ distance: undefined, optimal: [] });
  });

  test("say whether the policy agrees with it", () => {
    playback.setPolicyMap(
      create(PolicyMapSchema, {
        atStep: 0,
        kind: ScoreKind.LOGIT,
        cells: [0, 1],
        values: [0, 0, 0, 3, 0, 0, 3, 0],
        stateValues: [0.5, 0.4],
      }),
    );
    const here = cellFacts(playback, 0);
    expect(here).toMatchObject({ agrees: true, policy: { best: 3, kind: ScoreKind.LOGIT } });
    expect(here?.policy?.stateValue).toBeCloseTo(0.5, 6);
    expect(cellFacts(playback, 1)).toMatchObject({ agrees: false, optimal: [1] });
  });
});

describe("the reward chart", () => {
  const plot = { current: [-0.01, -0.02], last: [], shownStep: 2 };

  test("has room for all steps of both episodes, and for zero", () => {
    expect(plotFrame(400, 200, plot)).toMatchObject({ steps: 20, left: 54, width: 334, height: 166 });
    const frame = plotFrame(400, 200, { ...plot, last: Array.from({ length: 90 }, (_, at) => -at / 50) });
    expect(frame.steps).toBe(90);
    expect(frame.low).toBeLessThan(-1.78);
    expect(frame.high).toBeGreaterThan(0);
  });

  test("finds the step under the pointer, and none that has not arrived", () => {
    const frame = plotFrame(400, 200, plot);
    expect([
      stepAt(frame, 54, 12),
      stepAt(frame, 54 + 334 / 2, 12),
      stepAt(frame, 390, 12),
      stepAt(frame, 0, 12),
    ]).toEqual([0, 10, 12, 0]);
  });

  test("has round numbers at its edges", () => {
    expect(roundTicks(-0.106, 0.106, 5)).toEqual([-0.1, -0.05, 0, 0.05, 0.1]);
    expect(roundTicks(0, 200, 5)).toEqual([0, 50, 100, 150, 200]);
    expect(roundTicks(0, 20, 9)).toEqual([0, 5, 10, 15, 20]);
  });
});

describe("the step log", () => {
  test("renders the rows in sight and a few more", () => {
    expect(visibleRows(0, 10 * ROW_HEIGHT, 20_000)).toEqual({ first: 0, last: 14 });
    expect(visibleRows(1000 * ROW_HEIGHT, 10 * ROW_HEIGHT, 20_000)).toEqual({ first: 996, last: 1014 });
  });

  test("renders nothing before the first step", () => expect(visibleRows(0, 240, 0)).toEqual({ first: 0, last: -1 }));
});
