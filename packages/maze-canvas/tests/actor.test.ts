import { Action } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { mazeGrid } from "@rlmaze/episode-playback/maze-grid";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  drawAgent,
  drawHover,
  drawLaneSign,
  drawPreview,
  drawSelected,
  drawTrail,
  drawTrailArrows,
  laneShift,
} from "../src/draw-actor";
import { ease, easing } from "../src/glide";
import { layoutMaze, type MazeLayout } from "../src/layout";
import { MovingAgent, TRAIL_STEPS } from "../src/moving-agent";
import { DARK_MAZE_THEME as theme } from "../src/theme";
import type { AgentSteps } from "../src/view";
import { recordingContext } from "./recording-context";

const grid = mazeGrid({ mazeId: "m", rows: ["S.#", "#..", "#.G"], shortestPath: 4 });
const layout = layoutMaze({ width: 400, height: 400, dpr: 1 }, grid, true) as MazeLayout;
const SLOW = { stepsPerSecond: 1, reducedMotion: false };

/** Steps to the right, a bump upwards, down, to the right. */
function walk(moment: number): { -readonly [Key in keyof AgentSteps]: AgentSteps[Key] } & { rowsRead: number } {
  const cells = [0, 1, 1, 4, 5];
  const actions = [0, Action.RIGHT, Action.UP, Action.DOWN, Action.RIGHT];
  const steps = {
    grid,
    liveStep: 4,
    shownStep: Math.floor(moment),
    moment,
    revision: 0,
    rowsRead: 0,
    positionAt: (step: number) => cells[step] ?? 0,
    row: (step: number) => {
      steps.rowsRead += 1;
      return { action: actions[step] ?? 0 } as ReturnType<AgentSteps["row"]>;
    },
  };
  return steps;
}

function at(moment: number, pace = SLOW): MovingAgent {
  const agent = new MovingAgent(walk(moment));
  agent.advance(0, pace);
  agent.locate(3);
  return agent;
}

const trailOf = (agent: MovingAgent): number[][] =>
  Array.from({ length: agent.trailLength }, (_, i) => [agent.trailRows[i] ?? 0, agent.trailCols[i] ?? 0]);

describe("the agent", () => {
  test("glides between cells, slowly at both ends", () => {
    expect(at(1)).toMatchObject({ row: 0, col: 1 });
    expect(at(0.5)).toMatchObject({ row: 0, col: 0.5 });
    expect(at(0.1).col).toBeLessThan(0.1);
    expect(at(0.9).col).toBeGreaterThan(0.9);
  });

  test("leans towards a wall that it bumps into, and reads the step once", () => {
    const steps = walk(1.5);
    const agent = new MovingAgent(steps);
    for (const moment of [1.3, 1.5, 1.7]) {
      steps.moment = moment;
      agent.advance(16, SLOW);
      agent.locate(3);
      expect(agent.col).toBe(1);
      expect(agent.row).toBeLessThan(0);
      expect(agent.row).toBeGreaterThan(-0.2);
    }
    expect(steps.rowsRead).toBe(1);
    expect(at(2)).toMatchObject({ row: 0, col: 1 });
  });

  test("stands at the shown step where motion is reduced", () => {
    expect(at(0.7, { ...SLOW, reducedMotion: true })).toMatchObject({ row: 0, col: 0 });
  });

  test("moves nowhere when only the speed changes", () => {
    const steps = walk(0.3);
    const agent = new MovingAgent(steps);
    agent.advance(0, SLOW);
    agent.locate(3);
    const before = agent.col;
    agent.advance(0, { stepsPerSecond: 30, reducedMotion: false });
    agent.locate(3);
    expect(agent.col).toBe(before);
    let largest = 0;
    for (let frame = 0; frame < 120; frame++) {
      const from = agent.col;
      agent.advance(16, { stepsPerSecond: 30, reducedMotion: false });
      agent.locate(3);
      largest = Math.max(largest, Math.abs(agent.col - from));
    }
    expect(agent.col).toBeCloseTo(0.3, 2);
    expect(largest).toBeLessThan(0.01);
  });

  test("leaves a trail that ends under it, without the steps that stayed", () => {
    expect(trailOf(at(4))).toEqual([
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 2],
    ]);
    expect(trailOf(at(2.5)).at(-1)).toEqual([0.5, 1]);
    expect(trailOf(at(1.5)).at(-1)).toEqual([0, 1]);
  });

  test("keeps its trail short", () => {
    const long = { ...walk(500), liveStep: 500, positionAt: (step: number) => step };
    const agent = new MovingAgent(long);
    agent.advance(0, SLOW);
    agent.locate(1000);
    expect(agent.trailLength).toBe(TRAIL_STEPS + 1);
  });
});

describe("the easing", () => {
  test("depends on time, not on the number of frames", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 10, max: 600 }),
        (share, frames, total) => {
          let many = share;
          for (let frame = 0; frame < frames; frame++) many = ease(many, 0, total / frames);
          expect(many).toBeCloseTo(ease(share, 0, total), 2);
        },
      ),
    );
  });

  test("is whole at a slow pace, none at a fast one, and never jumps between", () => {
    expect(easing(1)).toBe(1);
    expect(easing(30)).toBe(0);
    expect(easing(0)).toBe(0);
    for (let pace = 1; pace < 40; pace++) expect(Math.abs(easing(pace + 1) - easing(pace))).toBeLessThan(0.2);
  });
});

describe("the actors", () => {
  test("lie over their trails, and a trail over its casing", () => {
    const recording = recordingContext();
    const agent = at(4);
    drawTrail(recording.context, agent, layout, theme, theme.trail);
    drawAgent(recording.context, 50, 50, false, layout, theme);
    const colors = recording.colors();
    expect(colors[0]).toBe(theme.casing);
    expect(colors.slice(-4)).toEqual(["gradient", theme.agentCasing, theme.agentRing, theme.agent]);
    expect(colors.at(-5)).toBe(theme.trail);
    expect(recording.strokes.filter(({ name, values }) => name === "lineCap=" && values[0] !== "butt")).toHaveLength(0);
  });

  test("wear the goal's colour on the goal", () => {
    const recording = recordingContext();
    drawAgent(recording.context, 50, 50, true, layout, theme);
    expect(recording.colors()).toContain(theme.goal);
  });

  test("do not cover the arrows of their trail", () => {
    const recording = recordingContext();
    drawTrailArrows(recording.context, Int32Array.of(1, 4, 0), 2, new Int8Array(9).fill(1), layout, theme);
    expect(recording.colors()).toEqual([theme.arrowCasing, theme.arrowOnTrail]);
    expect(recording.strokes.filter(({ name }) => name === "moveTo")).toHaveLength(2);
  });

  test("of a race have shapes and numbers of their own", () => {
    const shapes = [0, 1, 2, 3].map((lane) => {
      const recording = recordingContext();
      drawLaneSign(recording.context, 0, 0, 20, lane, 1, theme);
      expect(recording.colors()).toContain(theme.lanes[lane]);
      expect(recording.strokes.find(({ name }) => name === "fillText")?.values[0]).toBe(String(lane + 1));
      return recording.strokes
        .filter(({ name }) => ["arc", "rect", "lineTo"].includes(name))
        .map(({ name }) => name)
        .join();
    });
    expect(new Set(shapes).size).toBe(4);
    const tiny = recordingContext();
    drawLaneSign(tiny.context, 0, 0, 5, 0, 1, theme);
    expect(tiny.strokes.some(({ name }) => name === "fillText")).toBe(false);
  });

  test.each([2, 3, 4])("of %i lanes run side by side in every direction", (lanes) => {
    const shifts = Array.from({ length: lanes }, (_, lane) => laneShift(lane, lanes));
    for (const axis of ["row", "col"] as const) {
      const sorted = shifts.map((shift) => shift[axis]).sort((a, b) => a - b);
      for (let at = 1; at < lanes; at++) expect((sorted[at] ?? 0) - (sorted[at - 1] ?? 0)).toBeGreaterThan(0.15);
      expect(Math.max(...sorted.map(Math.abs))).toBeLessThan(0.35);
    }
    expect(laneShift(0, 1)).toEqual({ row: 0, col: 0 });
  });
});

describe("marks of a person", () => {
  test("outline the cell under the pointer and bracket the selected one", () => {
    const hover = recordingContext();
    drawHover(hover.context, 4, layout, theme);
    expect(hover.strokes.at(-1)?.name).toBe("strokeRect");
    const selected = recordingContext();
    drawSelected(selected.context, 4, layout, theme);
    expect(selected.strokes.filter(({ name }) => name === "moveTo")).toHaveLength(4);
    expect(selected.colors()).toEqual([theme.casing, theme.selected]);
  });

  test("show what will be drawn, and cross out what may not be", () => {
    const preview = (as: "wall" | "path" | "start" | "goal", allowed?: boolean) => {
      const recording = recordingContext();
      drawPreview(recording.context, { cells: [4], as, allowed }, layout, theme);
      return recording;
    };
    expect(preview("wall").colors()).toEqual([theme.wall, theme.selected]);
    expect(preview("start").colors()).toContain(theme.start);
    expect(preview("goal").colors()).toContain(theme.goal);
    const refused = preview("goal", false);
    expect(refused.colors().at(-1)).toBe(theme.refused);
    expect(refused.strokes.at(-1)?.name).toBe("stroke");
    expect(preview("wall").strokes.at(-1)?.name).toBe("strokeRect");
  });
});
