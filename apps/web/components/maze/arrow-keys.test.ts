import { describe, expect, test } from "vitest";
import { cellByArrow } from "./arrow-keys";

const grid = { rows: 3, cols: 4 };

describe("cellByArrow", () => {
  test.each([
    ["ArrowUp", 5, 1],
    ["ArrowDown", 5, 9],
    ["ArrowLeft", 5, 4],
    ["ArrowRight", 5, 6],
  ])("%s from cell %i leads to %i", (key, from, to) => {
    expect(cellByArrow(key, from, grid)).toBe(to);
  });

  test.each([
    ["ArrowUp", 2],
    ["ArrowDown", 11],
    ["ArrowLeft", 4],
    ["ArrowRight", 7],
  ])("%s stays at the edge", (key, from) => {
    expect(cellByArrow(key, from, grid)).toBe(from);
  });

  test("is not meant by other keys", () => {
    expect(cellByArrow("Enter", 5, grid)).toBeUndefined();
  });
});
