import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BffError } from "@/lib/bff";
import { configFaults, serverFaults } from "./config-faults";
import { allowedWords, readConfigSchema } from "./config-schema";
import { numberText, readConfigText, valueAt, withConfigValue } from "./config-text";
import defaults from "./fixtures/defaults.json";

const schema = readConfigSchema(defaults.schemaJson);
const quick = defaults.presets[0]?.configYaml ?? "";
const faultsOf = (text: string) => configFaults(schema, readConfigText(text));

describe("the form of a schema", () => {
  test("has the fields at the top and one section a group, with bounds, defaults and units", () => {
    expect(schema.sections.map(({ key }) => key)).toEqual([
      "",
      "mazes",
      "rewards",
      "ppo",
      "dqn",
      "validation",
      "evaluation",
    ]);
    const ppo = schema.sections.find(({ key }) => key === "ppo");
    const steps = ppo?.fields.find(({ path: at }) => at[1] === "n_steps");
    expect(steps).toMatchObject({ kind: "integer", minimum: 1, default: 32, unit: "steps" });
    expect(ppo).toMatchObject({ title: "PPO", optional: true });
    const network = ppo?.fields.find(({ path: at }) => at[1] === "network");
    expect(network).toMatchObject({ kind: "list", item: { kind: "integer", minimum: 1 } });
  });

  test("says in words what a field takes", () => {
    expect(allowedWords({ kind: "integer", minimum: 3, maximum: 100 })).toBe("a whole number from 3 to 100");
    expect(allowedWords({ kind: "number", exclusiveMinimum: 0 })).toBe("a number above 0");
    expect(allowedWords({ kind: "list" }, { kind: "choice", options: ["EASY", "HARD"] })).toBe(
      "a list, each one of EASY, HARD",
    );
  });
});

describe("the text of a configuration", () => {
  test("keeps its comments and its numbers when one value is changed", () => {
    const changed = withConfigValue(quick, ["ppo", "n_steps"], 64);
    expect(changed).toBe(quick.replace("n_steps: 32", "n_steps: 64"));
  });

  test("says a changed value back, whatever it is, and can be undone", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer(),
          fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
          fc.constantFrom("cpu", "yes", "12", "a: b", "# no comment", ""),
          fc.array(fc.integer({ min: 1, max: 999 }), { minLength: 1, maxLength: 4 }),
        ),
        (value) => {
          const changed = withConfigValue(quick, ["ppo", "learning_rate"], value);
          expect(valueAt(readConfigText(changed).values, ["ppo", "learning_rate"])).toEqual(value);
          expect(withConfigValue(changed, ["ppo", "learning_rate"], undefined)).not.toContain("learning_rate: ");
        },
      ),
    );
  });

  test("writes no number that a YAML 1.1 reader takes for a text", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = numberText(value);
        expect(Number(text)).toBe(value + 0);
        if (text.includes("e")) expect(text).toMatch(/^-?\d+\.\d+e[-+]\d+$/);
      }),
    );
    expect(numberText(0.002, "2.0e-3")).toBe("2.0e-3");
    expect(numberText(1e-7, "1e-7")).toBe("1.0e-7");
  });
});

describe("what is wrong with a configuration", () => {
  test("is nothing for a shipped one", () => {
    for (const { configYaml } of defaults.presets) expect(faultsOf(configYaml)).toEqual([]);
  });

  test("is told with path, line and what is allowed", () => {
    const text = quick
      .replace("n_steps: 32", "n_steps: 0")
      .replace("algorithm: PPO", "algorithm: A2C")
      .replace("title: Quick PPO\n", "titel: Quick PPO\n");
    expect(faultsOf(text)).toEqual([
      { path: ["titel"], line: 3, message: expect.stringContaining("There is no key titel; allowed: name, title,") },
      { path: ["title"], line: 1, message: "Is needed." },
      { path: ["algorithm"], line: 5, message: "Must be one of PPO, DQN." },
      { path: ["ppo", "n_steps"], line: 12, message: "Must be a whole number of at least 1." },
    ]);
  });

  test("is the line of a broken text", () => {
    expect(faultsOf("name: a\n  title: [1, 2\n")[0]).toMatchObject({ path: [] });
    expect(faultsOf("just words")[0]?.message).toContain("A mapping is needed");
  });

  test("comes from the server with its own line, or with that of its field", () => {
    const error = new BffError("invalid_argument", "it cannot be used", [
      { field: "config_yaml.ppo.n_steps", rule: "config.greater_than_equal", message: "line 12: input should be ≥ 1" },
      { field: "config_yaml.evaluation.sets", rule: "config.maze_set", message: "there is no maze set x" },
    ]);
    expect(serverFaults(error, quick)).toEqual([
      { path: ["ppo", "n_steps"], line: 12, message: "Input should be ≥ 1." },
      { path: ["evaluation", "sets"], line: 25, message: "There is no maze set x." },
    ]);
  });
});
