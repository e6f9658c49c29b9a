import { mazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { describe, expect, test } from "vitest";
import { BoardCells, CORNER, cornersOf } from "../src/board-cells";
import { drawChangedCells, drawGround } from "../src/draw-board";
import { heatRamp } from "../src/heat-ramp";
import { layoutMaze, type MazeLayout } from "../src/layout";
import { DIFFERENCE } from "../src/policy-difference";
import { IN_REGION, markOutline } from "../src/route";
import { DARK_MAZE_THEME as theme } from "../src/theme";
import { recordingContext } from "./recording-context";

const grid = mazeGrid({ mazeId: "m", rows: ["S.#", "#..", "#.G"], shortestPath: 4 });
const layout = layoutMaze({ width: 400, height: 400, dpr: 1 }, grid, true) as MazeLayout;
const ramp = heatRamp(theme.visits);

function cellsOf(fill: (cells: BoardCells) => void = () => {}): BoardCells {
  const cells = new BoardCells(grid.wall.length);
  cells.setGrid(grid);
  cells.forget();
  fill(cells);
  return cells;
}

/** What is drawn for the cells that changed. */
function draw(cells: BoardCells, on: MazeLayout = layout) {
  const recording = recordingContext();
  cells.collectChanged();
  drawChangedCells(recording.context, cells, ramp, on, theme);
  return recording;
}

/** Cells that a shape as large as a cell was drawn on. */
function filled(recording: ReturnType<typeof draw>, on: MazeLayout = layout): Set<number> {
  const cells = new Set<number>();
  for (const { name, values } of recording.strokes) {
    if ((name !== "roundRect" && name !== "fillRect") || values[2] !== on.cell) continue;
    const col = (Number(values[0]) - on.x) / on.cell;
    const row = (Number(values[1]) - on.y) / on.cell;
    cells.add(row * on.cols + col);
  }
  return cells;
}

describe("the ground", () => {
  test("is edge, wall and numbers", () => {
    const recording = recordingContext();
    drawGround(recording.context, layout, theme);
    expect(recording.colors()).toEqual([theme.edge, theme.wall, theme.ruler]);
  });

  test("numbers rows at the left and columns below, where they are wanted", () => {
    const recording = recordingContext();
    drawGround(recording.context, layout, theme);
    const labels = recording.strokes.filter(({ name }) => name === "fillText");
    expect(labels.map(({ values }) => values[0])).toEqual(["0", "1", "2", "0", "1", "2"]);
    expect(labels.slice(0, 3).every(({ values }) => Number(values[1]) < layout.x)).toBe(true);
    expect(labels.slice(3).every(({ values }) => Number(values[2]) > layout.y + 3 * layout.cell)).toBe(true);
    const bare = recordingContext();
    drawGround(bare.context, { ...layout, rulers: false }, theme);
    expect(bare.strokes.some(({ name }) => name === "fillText")).toBe(false);
  });
});

describe("the cells", () => {
  test("are painted at first where they are not wall, and never again while nothing changes", () => {
    const cells = cellsOf();
    expect(filled(draw(cells))).toEqual(new Set([0, 1, 4, 5, 7, 8]));
    expect(draw(cells).strokes).toHaveLength(0);
  });

  test("are painted alone when they alone change", () => {
    const cells = cellsOf();
    draw(cells);
    cells.heat[4] = 200;
    const once = draw(cells);
    expect(filled(once)).toEqual(new Set([4]));
    expect(once.colors()).toContain(ramp.colors[199]);
    cells.heat[4] = 0;
    const back = draw(cells);
    expect(filled(back)).toEqual(new Set([4]));
    expect(back.colors()).toContain(theme.path);
  });

  test("are wall again where a wall was drawn, with the corners around it", () => {
    const cells = cellsOf();
    draw(cells);
    cells.setGrid(mazeGrid({ mazeId: "n", rows: ["S.#", "#.#", "#.G"], shortestPath: 4 }));
    const changed = filled(draw(cells));
    expect(changed.has(5)).toBe(true);
    // The corridor now turns at (2, 1) and ends above the goal.
    expect(changed).toEqual(new Set([5, 8]));
  });

  test("have arrows, light on dark and dark on light, but not under fog", () => {
    const cells = cellsOf((all) => {
      all.arrow[4] = 3;
      all.arrow[7] = 0;
      all.heat[7] = 256;
      all.arrow[1] = 1;
      all.hidden[1] = 1;
    });
    const { strokes, colors } = draw(cells);
    expect(colors()).toContain(theme.arrowLight);
    expect(colors()).toContain(theme.arrowDark);
    // One chevron each, and the goal's diamond.
    expect(strokes.filter(({ name }) => name === "moveTo")).toHaveLength(2 + 1);
    expect(colors()).toContain(theme.fog);
  });

  test("leave arrows, round corners and rails out where there is no room", () => {
    const tiny = { ...layout, cell: 4, rulers: false };
    const cells = cellsOf((all) => {
      all.arrow.fill(0);
      all.pathActions.fill(15);
    });
    const recording = draw(cells, tiny);
    expect(recording.strokes.filter(({ name }) => name === "roundRect")).toHaveLength(0);
    expect(recording.strokes.filter(({ name }) => name === "moveTo")).toHaveLength(1);
  });

  test("show a shortest path as two rails whose middle is the cell's own colour", () => {
    const cells = cellsOf();
    draw(cells);
    cells.route[4] = 0b0110;
    cells.heat[4] = 100;
    const { strokes, colors } = draw(cells);
    expect(colors()).toEqual([ramp.colors[99], theme.route, ramp.colors[99]]);
    const widths = strokes.filter(({ name }) => name === "lineWidth=").map(({ values }) => Number(values[0]));
    expect(widths[0]).toBeGreaterThan(widths[1] ?? 0);
  });

  test("point to the side of every shortest path", () => {
    const cells = cellsOf();
    draw(cells);
    cells.pathActions[4] = 0b1010;
    const { strokes, colors } = draw(cells);
    expect(colors()).toContain(theme.route);
    expect(strokes.filter(({ name }) => name === "closePath")).toHaveLength(2);
  });

  test("are notched where a step was worse, and dashed where a cycle ends", () => {
    const cells = cellsOf();
    draw(cells);
    cells.worse[4] = 1;
    markOutline(grid, [4, 7], cells.cycle);
    const { colors } = draw(cells);
    expect(colors()).toContain(theme.worse);
    expect(colors()).toContain(theme.cycle);
    expect(cells.cycle[4]).toBe(IN_REGION | 0b1101);
    expect(cells.cycle[7]).toBe(IN_REGION | 0b1110);
  });

  test("tell the four differences by how much of them is filled", () => {
    const shapeOf = (category: number): string[] => {
      const cells = cellsOf();
      draw(cells);
      cells.difference[4] = category;
      cells.differenceFirst[4] = 0;
      cells.differenceSecond[4] = 3;
      const { strokes } = draw(cells);
      return strokes
        .filter(({ name }) => ["fillRect", "closePath", "lineTo"].includes(name))
        .map(({ name, values }) => `${name} ${values.join(" ")}`);
    };
    const shapes = [DIFFERENCE.firstRight, DIFFERENCE.secondRight, DIFFERENCE.bothRight, DIFFERENCE.neitherRight].map(
      (category) => shapeOf(category).join(", "),
    );
    expect(new Set(shapes).size).toBe(4);
  });

  test("of start and goal stay inside of themselves on any cell", () => {
    for (const side of [5, 6, 9, 14, 33]) {
      const on = { ...layout, cell: side, x: 0, y: 0 };
      for (const { name, values } of draw(cellsOf(), on).strokes) {
        if (name !== "moveTo" && name !== "lineTo") continue;
        expect(Number(values[0])).toBeGreaterThanOrEqual(2 * side);
        expect(Number(values[0])).toBeLessThanOrEqual(3 * side);
      }
    }
  });

  test("are round where the corridor turns or ends", () => {
    expect(cornersOf(grid, 0)).toBe(CORNER.topLeft | CORNER.bottomLeft);
    expect(cornersOf(grid, 1)).toBe(CORNER.topRight);
    expect(cornersOf(grid, 4)).toBe(0);
    expect(cornersOf(grid, 2)).toBe(0);
  });
});
