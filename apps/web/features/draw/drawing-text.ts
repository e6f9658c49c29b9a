import { LARGEST_DRAWN, SMALLEST_DRAWN } from "@/lib/moment-link-maze";
import { type Drawing, drawingOf, rowsOf } from "./drawing";

/** What is wrong with one line of a pasted maze; `line` counts from 1, 0 is the text as a whole. */
export interface TextProblem {
  readonly line: number;
  readonly message: string;
}

/** The drawing of a text, or everything that is wrong with it. */
export type ReadText =
  | { readonly drawing: Drawing; readonly problems?: never }
  | { readonly problems: readonly TextProblem[]; readonly drawing?: never };

/** Longer texts are no maze; they are not even looked at line by line. */
const LONGEST_TEXT = 20_000;
/** A wrong file has hundreds of faults of one kind; the first few show which. */
const MOST_PROBLEMS = 8;

/** The drawing as text, a line a row: `#` wall, `.` path, `S` start, `G` goal. */
export function drawingText(drawing: Drawing): string {
  return rowsOf(drawing).join("\n");
}

/**
 * Reads a maze from text: a line a row. Blank lines around it, quotes and commas of a JSON list, and spaces at the ends of lines are taken
 * away; so the rows can be pasted as they stand in a file, a test or a curl command.
 */
export function readDrawingText(text: string): ReadText {
  if (text.length > LONGEST_TEXT) {
    return whole(
      `The text has ${text.length} characters; the largest maze takes ${LARGEST_DRAWN * (LARGEST_DRAWN + 1)}.`,
    );
  }
  const lines = textLines(text);
  if (lines.length === 0) return whole("There is no maze yet. Paste one line a row: # wall, . path, S start, G goal.");
  const cols = lines[0]?.cells.length ?? 0;
  const problems: TextProblem[] = [];
  const starts: string[] = [];
  const goals: string[] = [];
  for (const { line, cells } of lines) {
    const wrong = /[^#.SG]/u.exec(cells);
    if (wrong !== null) {
      problems.push({
        line,
        message: `Column ${wrong.index + 1} is “${wrong[0]}”. A cell is # (wall), . (path), S (start) or G (goal).`,
      });
    } else if (cells.length !== cols) {
      problems.push({ line, message: `${cells.length} cells, where the first row has ${cols}.` });
    }
    for (let at = 0; at < cells.length; at++) {
      if (cells[at] === "S") starts.push(`line ${line}, column ${at + 1}`);
      if (cells[at] === "G") goals.push(`line ${line}, column ${at + 1}`);
    }
  }
  if (problems.length === 0) {
    for (const [name, count] of [
      ["rows", lines.length],
      ["columns", cols],
    ] as const) {
      if (count < SMALLEST_DRAWN || count > LARGEST_DRAWN) {
        problems.push({ line: 0, message: `${count} ${name}; a maze here has ${SMALLEST_DRAWN} to ${LARGEST_DRAWN}.` });
      }
    }
    for (const [mark, name, places] of [
      ["S", "start", starts],
      ["G", "goal", goals],
    ] as const) {
      if (places.length === 0) problems.push({ line: 0, message: `There is no ${name}. Put one ${mark} into a row.` });
      else if (places.length > 1) {
        problems.push({
          line: 0,
          message: `There are ${places.length} ${name}s, the second at ${places[1]}. Leave one ${mark}.`,
        });
      }
    }
  }
  if (problems.length > 0) return { problems: firstOf(problems) };
  return { drawing: drawingOf(lines.map(({ cells }) => cells)) };
}

function textLines(text: string): { line: number; cells: string }[] {
  const lines = text.split(/\r\n|\r|\n/).map((raw, at) => ({
    line: at + 1,
    cells: raw
      .trim()
      .replace(/^\[|\]$/g, "")
      .replace(/^["'`]|["'`],?$|,$/g, "")
      .trim(),
  }));
  // A list on one line: "S.#", "..#", "#.G"
  if (lines.length === 1 && /["'`]\s*,\s*["'`]/.test(lines[0]?.cells ?? "")) {
    return (lines[0]?.cells ?? "").split(/["'`]\s*,\s*["'`]/).map((cells, at) => ({ line: at + 1, cells }));
  }
  const first = lines.findIndex(({ cells }) => cells !== "");
  const last = lines.findLastIndex(({ cells }) => cells !== "");
  return first < 0 ? [] : lines.slice(first, last + 1);
}

function firstOf(problems: readonly TextProblem[]): TextProblem[] {
  if (problems.length <= MOST_PROBLEMS) return [...problems];
  const more = problems.length - MOST_PROBLEMS;
  return [...problems.slice(0, MOST_PROBLEMS), { line: 0, message: `And ${more} more lines.` }];
}

function whole(message: string): ReadText {
  return { problems: [{ line: 0, message }] };
}
