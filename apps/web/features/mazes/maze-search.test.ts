import { expect, it } from "vitest";
import { matchesSearch, searchedIds } from "./maze-search";

it("finds a maze by its number in the set", () => {
  expect(searchedIds("7", "heldout", "heldout-0001")).toEqual(["heldout-0007"]);
  expect(searchedIds(" 0012 ", "large20", "large20-01")).toEqual(["large20-12"]);
  expect(searchedIds("7", "puzzles", "puzzle-comb")).toEqual([]);
});

it("finds a maze by its id, of any set", () => {
  expect(searchedIds("Heldout-0007", "puzzles", "puzzle-comb")).toEqual(["heldout-0007"]);
  expect(searchedIds("generated-10x10-42", "showcase", undefined)).toEqual(["generated-10x10-42"]);
  for (const text of ["", "a b", "../x", "é", "x".repeat(200)])
    expect(searchedIds(text, "showcase", "showcase-01")).toEqual([]);
});

it("finds puzzles by words of what they test", () => {
  const maze = { mazeId: "puzzle-comb", title: "Comb", tests: "Dead ends side by side." };
  expect(["comb", "DEAD", "dead comb", ""].every((text) => matchesSearch(maze, text))).toBe(true);
  expect(matchesSearch(maze, "spiral")).toBe(false);
});
