import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupBySeed, isSeedKey, paramDifferences, paramRows, type RunParams } from "./run-params";

const params: fc.Arbitrary<RunParams> = fc.dictionary(
  fc.constantFrom("algorithm", "observation", "ppo.learning_rate", "ppo.n_steps", "seed", "seeds.0"),
  fc.constantFrom("1", "2", "PPO"),
);
const runs = fc.array(params, { maxLength: 8 });

describe("the parameters of several runs", () => {
  test("are all there, each with a value or none for every run", () => {
    fc.assert(
      fc.property(runs, (given) => {
        const rows = paramRows(given);
        expect(new Set(rows.map(({ key }) => key))).toEqual(new Set(given.flatMap((run) => Object.keys(run))));
        for (const { key, values } of rows) expect(values).toEqual(given.map((run) => run[key]));
      }),
    );
  });

  test("differ exactly where two runs do not agree", () => {
    fc.assert(
      fc.property(runs, (given) => {
        const different = new Set(paramDifferences(given).map(({ key }) => key));
        for (const key of given.flatMap((run) => Object.keys(run))) {
          expect(different.has(key)).toBe(new Set(given.map((run) => run[key])).size > 1);
        }
      }),
    );
  });

  test("stand by name, seeds last", () => {
    const rows = paramRows([{ seed: "1", "seeds.0": "1", observation: "memory/1", algorithm: "PPO" }]);
    expect(rows.map(({ key }) => key)).toEqual(["algorithm", "observation", "seed", "seeds.0"]);
  });

  test("do not find what every object has", () => {
    expect(paramRows([{ constructor: "x" }, {}])[0]?.values).toEqual(["x", undefined]);
  });
});

describe("groups of runs that differ in their seed only", () => {
  test("hold every run once, in the order of the runs", () => {
    fc.assert(
      fc.property(runs, (given) => {
        const indices = given.map((run, at) => ({ run, at }));
        const groups = groupBySeed(indices, ({ run }) => run);
        expect(
          groups
            .flat()
            .map(({ at }) => at)
            .sort((left, right) => left - right),
        ).toEqual(given.map((_, at) => at));
        for (const group of groups) {
          expect(group.map(({ at }) => at)).toEqual([...group.map(({ at }) => at)].sort((left, right) => left - right));
          const keys = paramDifferences(group.map(({ run }) => run)).map(({ key }) => key);
          expect(keys.every(isSeedKey)).toBe(true);
        }
      }),
    );
  });

  test("are as large as they can be: between two groups something else differs", () => {
    fc.assert(
      fc.property(runs, (given) => {
        const groups = groupBySeed(given, (run) => run).map((group) => group[0] as RunParams);
        groups.forEach((one, at) => {
          for (const other of groups.slice(at + 1)) {
            const known = Object.keys(one).length > 0 && !Object.keys(one).every(isSeedKey);
            if (known) expect(paramDifferences([one, other]).some(({ key }) => !isSeedKey(key))).toBe(true);
          }
        });
      }),
    );
  });

  test("leave runs without parameters by themselves", () => {
    expect(groupBySeed([{}, {}, { seed: "1" }], (run) => run)).toHaveLength(3);
  });
});
