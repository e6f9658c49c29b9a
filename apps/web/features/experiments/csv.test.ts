import { create } from "@bufbuild/protobuf";
import { MetricHistorySchema, RunSchema } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvText } from "./csv";
import { exportCurves } from "./exported-curves";

/** A reader of RFC 4180, as a spreadsheet has one. */
function read(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] as string;
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') {
        cell += '"';
        at++;
      } else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === ",") {
      row.push(cell);
      cell = "";
    } else if (letter === "\r" && text[at + 1] === "\n") {
      at++;
      rows.push([...row, cell]);
      row = [];
      cell = "";
    } else cell += letter;
  }
  return rows;
}

describe("a table as CSV", () => {
  test("is read back as it was, whatever stands in it", () => {
    const text = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " ", "=", "-") });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 6 }), (rows) => {
        const back = read(csvText(["first", "second"], rows));
        expect(back[0]).toEqual(["first", "second"]);
        // The apostrophe before a formula is the one thing that is added.
        expect(back.slice(1)).toEqual(
          rows.map((row) => row.map((cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell))),
        );
      }),
    );
  });

  test("holds every number exactly", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(read(csvText(["x"], [[value]]))[1]?.[0])).toBe(value === 0 ? 0 : value);
      }),
    );
    expect(csvText(["x"], [[-0.5], [9_007_199_254_740_993n], [null]])).toBe("x\r\n-0.5\r\n9007199254740993\r\n\r\n");
  });

  test("lets no spreadsheet run what somebody called a run", () => {
    expect(csvText(["name"], [["=cmd|' /C calc'!A0"]])).toBe("name\r\n'=cmd|' /C calc'!A0\r\n");
  });
});

describe("exported curves", () => {
  const run = create(RunSchema, {
    runId: "a",
    name: "ppo-quick-1",
    trainingRunId: "ppo-quick-1f",
    modelId: "ppo-quick-1",
  });
  const history = create(MetricHistorySchema, {
    runId: "a",
    key: "reward",
    steps: [100n, 200n],
    values: [0.1, 0.30000000000000004],
    elapsedS: [1.5, 3],
    points: 2n,
  });

  test("are one row a point, in full precision", () => {
    const { csv, rows, thinned } = exportCurves([run], [history]);
    expect([rows, thinned]).toEqual([2, 0]);
    expect(read(csv)[2]).toEqual([
      "a",
      "ppo-quick-1",
      "ppo-quick-1f",
      "ppo-quick-1",
      "reward",
      "200",
      "3",
      "0.30000000000000004",
    ]);
  });

  test("say when a curve has more points than the file", () => {
    expect(exportCurves([run], [{ ...history, points: 50_000n }]).thinned).toBe(1);
    expect(exportCurves([], [history]).rows).toBe(0);
  });
});
