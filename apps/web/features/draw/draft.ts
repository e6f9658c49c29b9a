import { packDrawnMaze, unpackDrawnMaze } from "@/lib/moment-link-maze";
import { type Drawing, drawingOf, rowsOf } from "./drawing";

export const DRAFT_KEY = "rlmaze.draft";

/** What a first visit finds: rooms in rooms, whose doors are never where the goal is near. There is something to run and something to change. */
const firstRows = [
  "S.........",
  ".########.",
  ".#......#.",
  ".#.####.#.",
  "...#..#.#.",
  ".#.#.G#.#.",
  ".#.##.#.#.",
  ".#......#.",
  ".###.####.",
  "..........",
];

/** The drawing that was left in this browser; that of a first visit when there is none, or none that can be read. */
export function readDraft(): Drawing {
  try {
    const unpacked = unpackDrawnMaze(localStorage.getItem(DRAFT_KEY) ?? "");
    if (unpacked.fault === undefined) return drawingOf(unpacked.rows);
  } catch {
    // A browser that keeps nothing has no draft.
  }
  return drawingOf(firstRows);
}

/** Leaves the drawing for the next visit. */
export function keepDraft(drawing: Drawing): void {
  try {
    localStorage.setItem(DRAFT_KEY, packDrawnMaze(rowsOf(drawing)));
  } catch {
    // Without storage the address still holds it.
  }
}
