import { create } from "@bufbuild/protobuf";
import { TrainingPresetSchema } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { describe, expect, test } from "vitest";
import { readConfigSchema } from "./config-schema";
import { changed, differs, holding, presetDraft } from "./draft";
import { typedValue } from "./field-control";
import defaults from "./fixtures/defaults.json";

const schema = readConfigSchema(defaults.schemaJson);
const fieldAt = (name: string) => {
  const field = schema.sections.flatMap(({ fields }) => fields).find(({ path }) => path.join(".") === name);
  if (field === undefined) throw new Error(`no field ${name}`);
  return field;
};
const quick = presetDraft(schema, create(TrainingPresetSchema, defaults.presets[0]));

describe("a draft", () => {
  test("of any preset can be started as it is", () => {
    for (const preset of defaults.presets) {
      expect(presetDraft(schema, create(TrainingPresetSchema, preset)).faults).toEqual([]);
    }
  });

  test("knows what holds and what differs from its default", () => {
    expect(holding(quick, fieldAt("ppo.gamma"))).toBe(0.99);
    expect(differs(quick, fieldAt("ppo.gamma"))).toBe(false);
    expect(differs(quick, fieldAt("ppo.final_learning_rate_share"))).toBe(true);
  });

  test("with another algorithm has that one's section and no other", () => {
    const dqn = changed(schema, quick, fieldAt("algorithm"), "DQN");
    expect(dqn.faults).toEqual([]);
    expect(dqn.config.values).toHaveProperty("dqn");
    expect(dqn.config.values).not.toHaveProperty("ppo");
    const back = changed(schema, dqn, fieldAt("algorithm"), "PPO");
    expect(back.config.values).toHaveProperty("ppo");
    expect(back.faults).toEqual([]);
  });

  test("takes what is typed as it is meant, and keeps what is not finished as what is wrong", () => {
    const rate = fieldAt("ppo.learning_rate");
    expect(typedValue(rate, "1e-4")).toBe(0.0001);
    expect(typedValue(rate, "")).toBeUndefined();
    expect(typedValue(fieldAt("timesteps"), "400\u202f000")).toBe(400_000);
    expect(typedValue(fieldAt("ppo.network"), "64, 32")).toEqual([64, 32]);
    const half = changed(schema, quick, rate, typedValue(rate, "1e-") ?? "");
    expect(half.faults).toEqual([{ path: ["ppo", "learning_rate"], line: 15, message: "Must be a number above 0." }]);
    expect(changed(schema, half, rate, 0.001).faults).toEqual([]);
  });
});
