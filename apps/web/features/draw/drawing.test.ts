import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawnMaze } from "@/features/mazes/drawn-maze";
import {
  type Drawing,
  drawingOf,
  emptyDrawing,
  fillAll,
  invert,
  lineOfCells,
  paint,
  place,
  resize,
  rowsOf,
  sameDrawing,
  turn,
} from "./drawing";
import { drawingFacts } from "./drawing-facts";
import { drawingText, readDrawingText } from "./drawing-text";

const size = fc.integer({ min: 5, max: 14 });

const drawing: fc.Arbitrary<Drawing> = fc.tuple(size, size).chain(([rows, cols]) =>
  fc
    .tuple(
      fc.uint8Array({ minLength: rows * cols, maxLength: rows * cols, max: 1 }),
      fc.uniqueArray(fc.nat(rows * cols - 1), { minLength: 2, maxLength: 2 }),
    )
    .map(([cells, [start, goal]]) => {
      // A plain Uint8Array: the generated one remembers how it was made.
      const wall = Uint8Array.from(cells);
      wall[start as number] = wall[goal as number] = 0;
      return { rows, cols, wall, start: start as number, goal: goal as number };
    }),
);

/** What is true of every drawing, whatever was done to it. */
function expectDrawing({ rows, cols, wall, start, goal }: Drawing): void {
  expect(wall.length).toBe(rows * cols);
  expect(start).not.toBe(goal);
  for (const mark of [start, goal]) {
    expect(mark).toBeGreaterThanOrEqual(0);
    expect(mark).toBeLessThan(rows * cols);
    expect(wall[mark]).toBe(0);
  }
}

/** Length of the shortest path by walking outwards one ring at a time, written apart from the code under test. */
function shortestWay(rows: readonly string[]): number {
  const open = new Set(
    rows.flatMap((line, row) => [...line].flatMap((mark, col) => (mark === "#" ? [] : [`${row},${col}`]))),
  );
  const find = (mark: string) =>
    rows.flatMap((line, row) => (line.includes(mark) ? [`${row},${line.indexOf(mark)}`] : []))[0] as string;
  let ring = [find("S")];
  const goal = find("G");
  open.delete(ring[0] as string);
  for (let steps = 0; ring.length > 0; steps++) {
    if (ring.includes(goal)) return steps;
    ring = ring.flatMap((place) => {
      const [row, col] = place.split(",").map(Number) as [number, number];
      return [`${row - 1},${col}`, `${row + 1},${col}`, `${row},${col - 1}`, `${row},${col + 1}`].filter((next) =>
        open.delete(next),
      );
    });
  }
  return 0;
}

describe("an edit", () => {
  it("leaves a drawing, whatever the drawing and whatever the edit", () => {
    fc.assert(
      fc.property(drawing, fc.nat(300), size, size, fc.array(fc.nat(300)), (before, cell, rows, cols, cells) => {
        const kept = rowsOf(before);
        for (const after of [
          paint(before, cells, "wall"),
          paint(before, cells, "path"),
          place(before, "start", cell),
          place(before, "goal", cell),
          fillAll(before, "wall"),
          fillAll(before, "path"),
          invert(before),
          resize(before, rows, cols),
          turn(before, "rotate"),
          turn(before, "mirror"),
          turn(before, "flip"),
        ]) {
          expectDrawing(after);
        }
        expect(rowsOf(before), "the drawing before is a value").toEqual(kept);
      }),
    );
  });

  it("inverted twice, mirrored twice and turned four times is where it began", () => {
    fc.assert(
      fc.property(drawing, (before) => {
        expect(sameDrawing(invert(invert(before)), before)).toBe(true);
        expect(sameDrawing(turn(turn(before, "mirror"), "mirror"), before)).toBe(true);
        expect(sameDrawing(turn(turn(before, "flip"), "flip"), before)).toBe(true);
        let turned = before;
        for (let quarter = 0; quarter < 4; quarter++) turned = turn(turned, "rotate");
        expect(sameDrawing(turned, before)).toBe(true);
      }),
    );
  });

  it("that turns or mirrors keeps the length of the shortest path", () => {
    fc.assert(
      fc.property(drawing, (before) => {
        const { shortestPath } = drawingFacts(before);
        for (const how of ["rotate", "mirror", "flip"] as const)
          expect(drawingFacts(turn(before, how)).shortestPath).toBe(shortestPath);
      }),
    );
  });

  it("that enlarges keeps every cell where it is", () => {
    fc.assert(
      fc.property(drawing, (before) => {
        const larger = resize(before, before.rows + 3, before.cols + 2);
        expect(sameDrawing(resize(larger, before.rows, before.cols), before)).toBe(true);
      }),
    );
  });

  it("turns clockwise", () => {
    const before = drawingOf(["S#...", ".....", ".....", ".....", "....G"]);
    expect(rowsOf(turn(before, "rotate"))).toEqual(["....S", "....#", ".....", ".....", "G...."]);
  });

  it("swaps the marks when one is put on the other, and opens the wall that one is put on", () => {
    const before = drawingOf(["S#...", ".....", ".....", ".....", "....G"]);
    expect(rowsOf(place(before, "start", 24))).toEqual(["G#...", ".....", ".....", ".....", "....S"]);
    expect(rowsOf(place(before, "goal", 1))).toEqual(["SG...", ".....", ".....", ".....", "....."]);
  });
});

describe("a stroke", () => {
  it("goes from cell to neighbouring cell and as straight as it can", () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 50 }), fc.nat(2499), fc.nat(2499), (cols, a, b) => {
        const from = a % (cols * cols);
        const to = b % (cols * cols);
        const cells = lineOfCells(cols, from, to);
        expect(cells[0]).toBe(from);
        expect(cells.at(-1)).toBe(to);
        const height = Math.abs(Math.floor(from / cols) - Math.floor(to / cols));
        const width = Math.abs((from % cols) - (to % cols));
        expect(cells.length).toBe(height + width + 1);
        cells.slice(1).forEach((cell, at) => {
          const before = cells[at] as number;
          const rowMove = Math.abs(Math.floor(cell / cols) - Math.floor(before / cols));
          const colMove = Math.abs((cell % cols) - (before % cols));
          expect(rowMove + colMove).toBe(1);
        });
      }),
    );
  });
});

describe("the facts of a drawing", () => {
  it("are those of a search written apart, and of the maze that the server is sent", () => {
    fc.assert(
      fc.property(drawing, (one) => {
        const facts = drawingFacts(one);
        const rows = rowsOf(one);
        expect(facts.shortestPath).toBe(shortestWay(rows));
        expect(facts.solvable).toBe(facts.shortestPath > 0);
        expect(facts.solvable).toBe(!facts.unreachable.includes(one.goal));
        const maze = drawnMaze(rows);
        expect([maze.shortestPath, maze.maxSteps]).toEqual([facts.shortestPath, facts.maxSteps]);
        expect(facts.difficulty ?? 0).toBe(maze.difficulty);
      }),
    );
  });

  it("name walls whose opening makes a way, and no fewer would do", () => {
    fc.assert(
      fc.property(drawing, (one) => {
        const { missing, solvable } = drawingFacts(one);
        expect(missing.length === 0).toBe(solvable);
        const open = paint(one, missing, "path");
        expect(drawingFacts(open).solvable).toBe(true);
        for (const wall of missing) expect(drawingFacts(paint(open, [wall], "wall")).solvable).toBe(false);
      }),
    );
  });
});

describe("a maze as text", () => {
  it("gives the same drawing back", () => {
    fc.assert(
      fc.property(drawing, (one) => {
        const read = readDrawingText(drawingText(one));
        expect(read.drawing && rowsOf(read.drawing)).toEqual(rowsOf(one));
        const asJson = readDrawingText(JSON.stringify(rowsOf(one), undefined, 2));
        expect(asJson.drawing && rowsOf(asJson.drawing)).toEqual(rowsOf(one));
        const onOneLine = readDrawingText(JSON.stringify(rowsOf(one)));
        expect(onOneLine.drawing && rowsOf(onOneLine.drawing)).toEqual(rowsOf(one));
      }),
    );
  });

  it("never throws, and says what is wrong in a sentence", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[#.SG\n]{0,80}$/)), (text) => {
        const { problems, drawing: read } = readDrawingText(text);
        if (read !== undefined) expectDrawing(read);
        else for (const { message } of problems) expect(message).toMatch(/^[^\n]{5,160}\.$/s);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["", 0, /no maze yet/],
    ["S....\n...\n.....\n.....\n....G", 2, /3 cells, where the first row has 5/],
    ["S....\n..x..\n.....\n.....\n....G", 2, /Column 3 is “x”/],
    ["S...\n....\n....\n...G", 0, /4 rows; a maze here has 5 to 50/],
    ["S....\n.....\n.....\n.....\n.....", 0, /no goal/],
    ["S....\n.....\nS....\n.....\n....G", 0, /2 starts, the second at line 3, column 1/],
    ["#".repeat(30_000), 0, /30000 characters/],
  ])("names the line of %j", (text, line, message) => {
    const [problem] = readDrawingText(text).problems ?? [];
    expect(problem?.line).toBe(line);
    expect(problem?.message).toMatch(message);
  });

  it("is read as it stands in a program", () => {
    const rows = ["S....", ".###.", ".....", ".####", "....G"];
    for (const text of [
      `\n\n  ${rows.join("\n  ")}\n\n`,
      rows.join("\r\n"),
      `[\n${rows.map((row) => `  "${row}",`).join("\n")}\n]`,
      rows.map((row) => `'${row}'`).join(", "),
    ]) {
      const { drawing: read } = readDrawingText(text);
      expect(read && rowsOf(read), text).toEqual(rows);
    }
  });
});

it("an empty drawing is a drawing of every size", () => {
  for (let rows = 5; rows <= 50; rows += 9) expectDrawing(emptyDrawing(rows, 55 - rows));
});
