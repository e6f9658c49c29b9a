import fc from "fast-check";
import { expect, it } from "vitest";
import { freeName, type KeptMaze, keptMazesText, parseKeptMazes } from "./kept-mazes";

const rows = ["S..#.", ".#...", ".....", ".####", "....G"];
const kept: KeptMaze[] = [
  { id: "a", name: "Twin gates of mine", rows, keptAt: 1_764_000_000_000 },
  { id: "b", name: "Drawing 1", rows: [...rows].reverse(), keptAt: 0 },
];

it("reads what it wrote", () => {
  expect(parseKeptMazes(keptMazesText(kept))).toEqual(kept);
});

it("never throws on what is kept, and leaves out what is no maze", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(Array.isArray(parseKeptMazes(text))).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(parseKeptMazes(null)).toEqual([]);
  const damaged = JSON.parse(keptMazesText(kept)) as { maze: string; id: string }[];
  (damaged[0] as { maze: string }).maze = "5x5.0.24.zz";
  expect(parseKeptMazes(JSON.stringify(damaged))).toEqual([kept[1]]);
  expect(parseKeptMazes(JSON.stringify([...damaged, ...damaged]))).toEqual([kept[1]]);
});

it("finds a name that is free", () => {
  expect(freeName([])).toBe("Drawing 1");
  expect(freeName(kept)).toBe("Drawing 2");
});
