import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  baselineSlugs,
  decodeMoment,
  encodeMoment,
  holdsMoment,
  type Moment,
  type MomentLane,
  type MomentMaze,
  momentPath,
} from "./moment-link";
import { packDrawnMaze, unpackDrawnMaze } from "./moment-link-maze";

const rows = fc.tuple(fc.integer({ min: 5, max: 50 }), fc.integer({ min: 5, max: 50 })).chain(([rowCount, colCount]) =>
  fc
    .tuple(
      fc.array(fc.constantFrom("#", "."), { minLength: rowCount * colCount, maxLength: rowCount * colCount }),
      fc.uniqueArray(fc.nat(rowCount * colCount - 1), { minLength: 2, maxLength: 2 }),
    )
    .map(([cells, [start, goal]]) => {
      const marked = cells.map((cell, at) => (at === start ? "S" : at === goal ? "G" : cell)).join("");
      return Array.from({ length: rowCount }, (_, row) => marked.slice(row * colCount, (row + 1) * colCount));
    }),
);
const modelId = fc.stringMatching(/^[a-z0-9.-]{1,128}$/);
const lane: fc.Arbitrary<MomentLane> = fc.record({
  policy: fc.oneof(
    fc.record({ modelId }),
    fc.record({ baseline: fc.constantFrom(...(baselineSlugs.keys() as Iterable<Baseline>)) }),
  ),
  sampling: fc.oneof(
    fc.constant("greedy" as const),
    fc.record({ temperature: fc.double({ min: 0.01, max: 10, noNaN: true }) }),
  ),
});
const maze: fc.Arbitrary<MomentMaze> = fc.oneof(
  fc.record({ mazeId: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,127}$/) }),
  fc.record({ rows }),
);
const moment: fc.Arbitrary<Moment> = fc
  .constantFrom("watch" as const, "race" as const, "difference" as const, "draw" as const)
  .chain((mode) => {
    const [minLength, maxLength] = { watch: [1, 1], race: [1, 4], difference: [2, 2], draw: [0, 1] }[mode] as [
      number,
      number,
    ];
    return fc.record({
      mode: fc.constant(mode),
      lanes: fc.array(lane, { minLength, maxLength }),
      maze,
      seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      step: fc.nat(20_000),
    });
  });

const plain: Moment = {
  mode: "watch",
  lanes: [{ policy: { modelId: "ppo-memory-1" }, sampling: "greedy" }],
  maze: { mazeId: "heldout-0007" },
  seed: 7n,
  step: 42,
};

const problemOf = (query: string) => decodeMoment(new URLSearchParams(query)).problem;

/** One sentence about what is wrong and at most one about what to do, both for people. */
function expectSentence(problem: string | undefined): void {
  expect(problem).toMatch(/^[A-Z][^\n]{10,220}\.$/);
}

describe("a link to a moment", () => {
  it("says in plain words what it shows", () => {
    expect(String(encodeMoment(plain))).toBe("model=ppo-memory-1&maze=heldout-0007&seed=7&step=42&v=1");
    const race: Moment = {
      ...plain,
      mode: "race",
      lanes: [
        ...plain.lanes,
        { policy: { modelId: "dqn-memory-1" }, sampling: { temperature: 0.5 } },
        { policy: { baseline: Baseline.NEAREST_FRONTIER }, sampling: "greedy" },
      ],
    };
    expect(momentPath(race)).toBe(
      "/race?mode=race&lane=ppo-memory-1&lane=dqn-memory-1_t0.5&lane=baseline_nearest-frontier&maze=heldout-0007&seed=7&step=42&v=1",
    );
    const drawing: Moment = {
      mode: "draw",
      lanes: [],
      maze: { rows: ["S....", "####.", ".....", ".####", "....G"] },
      seed: 0n,
      step: 0,
    };
    expect(momentPath(drawing)).toBe("/draw?mode=draw&drawn=5x5.0.24.B4DwA&v=1");
  });

  it("gives the same moment back, whatever the moment", () => {
    fc.assert(
      fc.property(moment, (wanted) => {
        const query = String(encodeMoment(wanted));
        expect(decodeMoment(new URLSearchParams(query))).toEqual({ moment: wanted });
        expect(holdsMoment(new URLSearchParams(query))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("is the same for the same moment after it was opened", () => {
    fc.assert(
      fc.property(moment, (wanted) => {
        const query = encodeMoment(wanted);
        const { moment: opened } = decodeMoment(query);
        expect(opened && String(encodeMoment(opened))).toBe(String(query));
      }),
    );
  });

  it("holds a drawn maze of 50 × 50 in 450 characters", () => {
    const line = (seed: number) =>
      Array.from({ length: 50 }, (_, col) => ((seed * 31 + col * 17) % 3 === 0 ? "#" : ".")).join("");
    const grid = Array.from({ length: 50 }, (_, row) => line(row));
    grid[49] = `${"#".repeat(48)}SG`;
    expect(packDrawnMaze(grid).length).toBeLessThanOrEqual(450);
    expect(unpackDrawnMaze(packDrawnMaze(grid))).toEqual({ rows: grid });
  });

  it("ignores parameters that are not its own", () => {
    expect(decodeMoment(new URLSearchParams(`utm_source=mail&${encodeMoment(plain)}&fbclid=x`))).toEqual({
      moment: plain,
    });
    expect(holdsMoment(new URLSearchParams("utm_source=mail"))).toBe(false);
  });
});

describe("a link that is no link", () => {
  const good = String(encodeMoment(plain));

  it.each([
    ["cut off at its end", good.slice(0, -4), /incomplete/],
    ["of a later version", good.replace("v=1", "v=2"), /version 2/],
    ["of a version that is none", good.replace("v=1", "v=one"), /no version/],
    ["without a model", good.replace("model=ppo-memory-1&", ""), /which model/],
    ["with an empty model", good.replace("ppo-memory-1", ""), /which model/],
    ["with a model that cannot be", good.replace("ppo-memory-1", "Robert'); DROP"), /model/],
    ["with a baseline that is not there", good.replace("ppo-memory-1", "baseline_oracle"), /baseline/],
    ["with a temperature out of range", good.replace("ppo-memory-1", "ppo-memory-1_t11"), /temperature/],
    ["with a temperature that is no number", good.replace("ppo-memory-1", "ppo-memory-1_thot"), /temperature/],
    ["without a maze", good.replace("maze=heldout-0007&", ""), /which maze/],
    ["with a maze that cannot be", good.replace("heldout-0007", "../../etc"), /maze/],
    ["with two mazes", `${good}&drawn=5x5.0.24.B4DwA`, /two mazes/],
    ["with a parameter twice", `${good}&seed=8`, /seed 2 times/],
    ["without a seed", good.replace("seed=7&", ""), /seed/],
    ["with a seed beyond 64 bits", good.replace("seed=7", "seed=18446744073709551616"), /seed/],
    ["with a seed below zero", good.replace("seed=7", "seed=-1"), /seed/],
    ["without a step", good.replace("step=42&", ""), /step/],
    ["with a step beyond every episode", good.replace("step=42", "step=20001"), /step/],
    ["with a step that is no number", good.replace("step=42", "step=4e1"), /step/],
    ["to a view that is not there", `mode=dance&${good}`, /view/],
    ["to a view named like a property of objects", `mode=constructor&${good}`, /view/],
    ["to a race of nobody", `mode=race&${good}`, /nobody/],
    ["to a race of five", `mode=race&${"lane=a&".repeat(5)}${good}`, /5 lanes/],
    ["to a difference from nothing", `mode=difference&${good}`, /compared/],
    ["with a drawn maze that is too large", good.replace("maze=heldout-0007", "drawn=60x60.0.1.AAAA"), /60 × 60/],
    ["with a drawn maze that is too small", good.replace("maze=heldout-0007", "drawn=4x4.0.1.AAAA"), /4 × 4/],
    ["with a drawn maze that was cut off", good.replace("maze=heldout-0007", "drawn=5x5.0.24.B4B"), /damaged/],
    ["with a drawn maze that is no such text", good.replace("maze=heldout-0007", "drawn=hello"), /damaged/],
    ["with bits behind the last cell", good.replace("maze=heldout-0007", "drawn=5x5.0.24.B4Dw_"), /damaged/],
    ["with a start inside a wall", good.replace("maze=heldout-0007", "drawn=5x5.5.24.B4DwA"), /start and goal/],
    ["with a goal outside the maze", good.replace("maze=heldout-0007", "drawn=5x5.0.25.B4DwA"), /start and goal/],
    ["with start and goal in one cell", good.replace("maze=heldout-0007", "drawn=5x5.0.0.B4DwA"), /start and goal/],
    ["with megabytes", good.replace("heldout-0007", "a".repeat(3_000_000)), /too long/],
    ["with megabytes where a number belongs", good.replace("seed=7", `seed=${"9".repeat(1_000_000)}`), /too long/],
  ])("%s gives one clear sentence", (_name, query, wanted) => {
    expectSentence(problemOf(query));
    expect(problemOf(query)).toMatch(wanted);
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.webQueryParameters()), (query) => {
        const { problem } = decodeMoment(new URLSearchParams(query));
        expectSentence(problem);
      }),
      { numRuns: 1000 },
    );
  });

  it("gives a moment or a sentence for every way to damage a link", () => {
    fc.assert(
      fc.property(
        moment,
        fc.nat(),
        fc.nat(6),
        fc.oneof(fc.string({ unit: "binary", maxLength: 6 }), fc.string({ maxLength: 6 })),
        (wanted, at, removed, inserted) => {
          const query = String(encodeMoment(wanted));
          const place = at % (query.length + 1);
          const damaged = query.slice(0, place) + inserted + query.slice(place + removed);
          const decoded = decodeMoment(new URLSearchParams(damaged));
          if (decoded.problem !== undefined) expectSentence(decoded.problem);
          else {
            // What is accepted is a moment as good as any other.
            const again = decodeMoment(encodeMoment(decoded.moment));
            expect(again).toEqual({ moment: decoded.moment });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("notices every cut, wherever it is", () => {
    fc.assert(
      fc.property(moment, fc.nat(), (wanted, at) => {
        const query = String(encodeMoment(wanted));
        expectSentence(problemOf(query.slice(0, at % query.length)));
      }),
      { numRuns: 1000 },
    );
  });
});
