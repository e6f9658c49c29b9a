import { packDrawnMaze, unpackDrawnMaze } from "@/lib/moment-link-maze";

/** A drawn maze that a person kept in this browser. */
export interface KeptMaze {
  readonly id: string;
  readonly name: string;
  readonly rows: readonly string[];
  /** Milliseconds since the epoch. */
  readonly keptAt: number;
}

export const KEPT_MAZES_KEY = "rlmaze.mazes";

/** Kept mazes are shown as pictures side by side; nobody finds anything among more. A maze of 50 × 50 takes 0.5 kB. */
export const MOST_KEPT = 100;
const LONGEST_NAME = 60;

/** A name without spaces at its ends and of a length that can be shown; `fallback` for an empty one. */
export function keptName(text: string, fallback: string): string {
  const name = text.replace(/\s+/g, " ").trim().slice(0, LONGEST_NAME);
  return name === "" ? fallback : name;
}

/** A name that none of the others has: "Drawing 3". */
export function freeName(kept: readonly KeptMaze[], stem = "Drawing"): string {
  const taken = new Set(kept.map(({ name }) => name));
  for (let number = 1; ; number++) if (!taken.has(`${stem} ${number}`)) return `${stem} ${number}`;
}

/** Reads what was kept. What is no maze (of another version, or edited by hand) is left out. */
export function parseKeptMazes(text: string | null): KeptMaze[] {
  let entries: unknown;
  try {
    entries = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(entries)) return [];
  const ids = new Set<string>();
  return entries.slice(0, MOST_KEPT).flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { id, name, maze, keptAt } = entry as Record<string, unknown>;
    if (typeof id !== "string" || id === "" || ids.has(id) || typeof name !== "string" || typeof maze !== "string")
      return [];
    const unpacked = unpackDrawnMaze(maze);
    if (unpacked.fault !== undefined) return [];
    ids.add(id);
    const time = typeof keptAt === "number" && Number.isFinite(keptAt) ? keptAt : 0;
    return [{ id, name: keptName(name, "Drawing"), rows: unpacked.rows, keptAt: time }];
  });
}

/** The text that {@link parseKeptMazes} reads. */
export function keptMazesText(kept: readonly KeptMaze[]): string {
  return JSON.stringify(kept.map(({ id, name, rows, keptAt }) => ({ id, name, maze: packDrawnMaze(rows), keptAt })));
}
