import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Comparison, comparisonPath, MOST_RUNS, plainComparison, readComparison } from "./compare-address";
import {
  algorithms,
  LONGEST_FILTER,
  listPath,
  plainList,
  type RunList,
  readList,
  type StateChoice,
  stateNames,
} from "./list-address";
import { runFilter } from "./run-filter";

const runId = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 32, maxLength: 32 });
const runIds = fc.uniqueArray(runId, { maxLength: MOST_RUNS });

const comparison: fc.Arbitrary<Comparison> = runIds.chain((ids) =>
  fc.record({
    runIds: fc.constant(ids),
    along: fc.constantFrom("steps" as const, "time" as const),
    smoothing: fc.integer({ min: 0, max: 100 }).map((share) => share / 100),
    bySeed: fc.boolean(),
    spread: fc.constantFrom("range" as const, "interval" as const),
    logarithmic: fc.boolean(),
    hidden: fc.subarray(ids),
    at: fc.option(fc.integer({ min: 0, max: 10_000_000 }), { nil: undefined }),
  }),
);

const list: fc.Arbitrary<RunList> = fc.record({
  experimentId: fc.oneof(fc.constant(""), fc.integer({ min: 0, max: 1e9 }).map(String)),
  state: fc.constantFrom<StateChoice | "">("", ...(Object.keys(stateNames) as StateChoice[])),
  algorithm: fc.constantFrom("" as const, ...algorithms),
  sweep: fc.string({ maxLength: 40 }),
  search: fc.string({ maxLength: 200 }),
  order: fc.constantFrom("newest" as const, "best" as const),
  chosen: runIds,
});

const queryOf = (path: string) => new URL(path, "http://page").searchParams;

describe("the address of a comparison", () => {
  test("holds the whole of it", () => {
    fc.assert(
      fc.property(comparison, (given) => {
        expect(readComparison(queryOf(comparisonPath(given)))).toEqual(given);
      }),
    );
  });

  test("is short where nothing was chosen", () => {
    expect(comparisonPath({ ...plainComparison, runIds: ["a".repeat(32)] })).toBe(
      `/experiments/compare?runs=${"a".repeat(32)}`,
    );
  });

  test("is read whatever somebody wrote into it", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (runs, smoothing, at, hidden) => {
        const read = readComparison(
          new URLSearchParams({ runs, smoothing, at, hidden, along: "?", band: "", scale: "x" }),
        );
        expect(read.runIds.length).toBeLessThanOrEqual(MOST_RUNS);
        expect(read.smoothing).toBeGreaterThanOrEqual(0);
        expect(read.smoothing).toBeLessThanOrEqual(1);
        expect(readComparison(queryOf(comparisonPath(read)))).toEqual(read);
      }),
    );
  });

  test("takes each run once and at most eight, and hides only those", () => {
    const ids = Array.from({ length: 10 }, (_, at) => String(at).repeat(32));
    const read = readComparison(new URLSearchParams({ runs: [...ids, ids[0]].join(","), hidden: ids.join(",") }));
    expect(read.runIds).toEqual(ids.slice(0, 8));
    expect(read.hidden).toEqual(ids.slice(0, 8));
  });
});

describe("the address of the list", () => {
  test("holds the whole of it", () => {
    fc.assert(
      fc.property(list, (given) => {
        expect(readList(queryOf(listPath(given)))).toEqual(given);
      }),
    );
  });

  test("is the plain page where nothing was chosen, and is read whatever it holds", () => {
    expect(listPath(plainList)).toBe("/experiments");
    const read = readList(
      new URLSearchParams({ experiment: "1; drop", state: "ended", algorithm: "sac", chosen: "x,y" }),
    );
    expect(read).toEqual(plainList);
    expect(readList(new URLSearchParams({ search: "x".repeat(9999) })).search).toHaveLength(LONGEST_FILTER);
  });
});

describe("the filter in MLflow's words", () => {
  test("joins what the chips and the expert say", () => {
    expect(runFilter(plainList)).toBe("");
    expect(
      runFilter({ state: "killed", algorithm: "ppo", sweep: "rates", search: " metrics.loss < 1 AND params.a = 'b' " }),
    ).toBe(
      "attributes.status = 'KILLED' AND params.algorithm ILIKE 'ppo' AND tags.`rlmaze.sweep` = 'rates' AND metrics.loss < 1 AND params.a = 'b'",
    );
  });

  test("quotes a name whatever it holds, and never lets it out of its quotes", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "'", '"', " ") }), (sweep) => {
        const filter = runFilter({ ...plainList, sweep });
        const quote = filter.at(-1);
        if (filter !== "") expect(sweep.includes(quote as string)).toBe(false);
        else expect(sweep === "" || (sweep.includes("'") && sweep.includes('"'))).toBe(true);
      }),
    );
  });
});
