import type { TrainingPreset } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { configFaults } from "./config-faults";
import type { ConfigSchema, ConfigValue, Field } from "./config-schema";
import { type ConfigFault, type ReadConfig, readConfigText, valueAt, withConfigValue } from "./config-text";

/** What will be started: one text, whichever way it is edited. An immutable value. */
export interface Draft {
  readonly text: string;
  /** Name of the preset that it began with; empty when it is the clone of a run. */
  readonly preset: string;
  /** Run that it is a clone of. */
  readonly clonedFrom: string;
  readonly config: ReadConfig;
  /** What is wrong by the schema. */
  readonly faults: readonly ConfigFault[];
}

export function presetDraft(schema: ConfigSchema, preset: TrainingPreset): Draft {
  return draftOf(schema, preset.configYaml, { preset: preset.name, clonedFrom: "" });
}

export function cloneDraft(schema: ConfigSchema, runId: string, configYaml: string): Draft {
  return draftOf(schema, configYaml, { preset: "", clonedFrom: runId });
}

/** The draft with another text, as somebody typed it. */
export function typed(schema: ConfigSchema, draft: Draft, text: string): Draft {
  return draftOf(schema, text, draft);
}

/** The draft with one value changed; undefined lets the default hold. */
export function changed(schema: ConfigSchema, draft: Draft, field: Field, value: ConfigValue | undefined): Draft {
  let text = withConfigValue(draft.text, field.path, value);
  if (field.path.length === 1 && field.path[0] === "algorithm") text = withSectionOf(schema, text, String(value));
  return draftOf(schema, text, draft);
}

/** An algorithm has a section of its own, and the other's makes way. */
function withSectionOf(schema: ConfigSchema, text: string, algorithm: string): string {
  let next = text;
  const wanted = algorithm.toLowerCase();
  const { values } = readConfigText(text);
  for (const { key, optional } of schema.sections) {
    if (!optional) continue;
    if (key !== wanted) next = withConfigValue(next, [key], undefined);
    else if (values[key] === undefined || values[key] === null) next = withConfigValue(next, [key], {});
  }
  return next;
}

function draftOf(schema: ConfigSchema, text: string, origin: Pick<Draft, "preset" | "clonedFrom">): Draft {
  const config = readConfigText(text);
  return {
    text,
    preset: origin.preset,
    clonedFrom: origin.clonedFrom,
    config,
    faults: configFaults(schema, config),
  };
}

/** The value that holds for a field: what is said, else its default. */
export function holding(draft: Draft, field: Field): ConfigValue | undefined {
  return valueAt(draft.config.values, field.path) ?? field.default;
}

/** Whether the value of a field differs from its default. */
export function differs(draft: Draft, field: Field): boolean {
  const value = valueAt(draft.config.values, field.path);
  return value !== undefined && JSON.stringify(value) !== JSON.stringify(field.default);
}
