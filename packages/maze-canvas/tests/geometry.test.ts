import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellAtPoint, cellBoxOf, layoutMaze, rulerMarks } from "../src/layout";

const place = fc.record({
  width: fc.integer({ min: 60, max: 2000 }),
  height: fc.integer({ min: 60, max: 2000 }),
  dpr: fc.constantFrom(1, 1.25, 1.5, 2, 3),
});
const grid = fc.record({ rows: fc.integer({ min: 3, max: 100 }), cols: fc.integer({ min: 3, max: 100 }) });

describe("the layout", () => {
  test("uses whole pixels and stays inside of its place", () => {
    fc.assert(
      fc.property(place, grid, fc.boolean(), (place, grid, rulers) => {
        const layout = layoutMaze(place, grid, rulers);
        if (!layout) return;
        for (const number of [layout.cell, layout.x, layout.y, layout.frame])
          expect(Number.isInteger(number)).toBe(true);
        expect(layout.cell).toBeGreaterThanOrEqual(1);
        expect(layout.x - layout.frame).toBeGreaterThanOrEqual(0);
        expect(layout.y - layout.frame).toBeGreaterThanOrEqual(0);
        expect(layout.x + grid.cols * layout.cell + layout.frame).toBeLessThanOrEqual(place.width * place.dpr);
        expect(layout.y + grid.rows * layout.cell + layout.frame).toBeLessThanOrEqual(place.height * place.dpr);
      }),
    );
  });

  test("finds the cell again from the middle of its box, and nothing outside", () => {
    fc.assert(
      fc.property(place, grid, fc.nat(), (place, grid, pick) => {
        const layout = layoutMaze(place, grid, true);
        if (!layout) return;
        const cell = pick % (grid.rows * grid.cols);
        const box = cellBoxOf(layout, cell);
        expect(cellAtPoint(layout, box.x, box.y)).toEqual({
          row: Math.floor(cell / grid.cols),
          col: cell % grid.cols,
          cell,
        });
        expect(cellAtPoint(layout, (layout.x - 1) / layout.dpr, box.y)).toBeUndefined();
        expect(cellAtPoint(layout, box.x, (layout.y + grid.rows * layout.cell) / layout.dpr + 0.01)).toBeUndefined();
      }),
    );
  });

  test("is undefined where not even a pixel a cell fits", () => {
    expect(layoutMaze({ width: 40, height: 40, dpr: 1 }, { rows: 100, cols: 100 }, false)).toBeUndefined();
    expect(layoutMaze({ width: 0, height: 0, dpr: 1 }, { rows: 10, cols: 10 }, true)).toBeUndefined();
  });

  test("numbers every cell where there is room, else every fifth, tenth or twentieth", () => {
    expect(rulerMarks(10, 48)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(rulerMarks(31, 16)).toEqual([0, 5, 10, 15, 20, 25, 30]);
    expect(rulerMarks(50, 3)).toEqual([0, 10, 20, 30, 40]);
    expect(rulerMarks(100, 1)).toEqual([0, 20, 40, 60, 80]);
  });
});
