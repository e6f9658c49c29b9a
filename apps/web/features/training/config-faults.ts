import type { BffError } from "@/lib/bff";
import {
  allowedWords,
  type Bounds,
  type ConfigSchema,
  type ConfigValue,
  type Field,
  type FieldKind,
} from "./config-schema";
import { type ConfigFault, type ReadConfig, readConfigText, valueAt } from "./config-text";

/** What is wrong with a configuration by the schema: unknown keys, wrong types, values out of range, and keys that are missing. */
export function configFaults(schema: ConfigSchema, config: ReadConfig): readonly ConfigFault[] {
  if (config.faults.length > 0) return config.faults;
  const faults: ConfigFault[] = [];
  const add = (path: readonly string[], message: string) => faults.push({ path, line: config.lineOf(path), message });
  const [top, ...sections] = schema.sections;
  const topKeys = [...(top?.fields ?? []).map(({ path }) => path[0] ?? ""), ...sections.map(({ key }) => key)];
  for (const key of Object.keys(config.values)) {
    if (!topKeys.includes(key)) add([key], `There is no key ${key}; allowed: ${topKeys.join(", ")}.`);
  }
  for (const section of schema.sections) {
    if (section.key !== "") {
      const inner = config.values[section.key];
      if (inner === undefined || (inner === null && section.optional)) continue;
      if (typeof inner !== "object" || inner === null || Array.isArray(inner)) {
        add([section.key], "Needs keys of its own below it.");
        continue;
      }
      const keys = section.fields.map(({ path }) => path[1] ?? "");
      for (const key of Object.keys(inner)) {
        if (!keys.includes(key)) add([section.key, key], `There is no key ${key} here; allowed: ${keys.join(", ")}.`);
      }
    }
    for (const field of section.fields) {
      const value = valueAt(config.values, field.path);
      if (value === undefined) {
        if (field.default === undefined) add(field.path, "Is needed.");
      } else {
        const message = valueFault(field, value);
        if (message !== undefined) add(field.path, message);
      }
    }
  }
  return faults;
}

/** Why a field can't have a value, with what it may have; undefined where it can. */
export function valueFault(field: Field, value: ConfigValue): string | undefined {
  const wanted = `Must be ${allowedWords(field, field.item)}.`;
  if (field.kind !== "list") return fits(field, value) ? undefined : wanted;
  if (!Array.isArray(value)) return wanted;
  if (value.length < (field.fewest ?? 0)) return `Needs at least ${field.fewest}.`;
  const { item } = field;
  return item === undefined || value.every((one) => fits(item, one)) ? undefined : wanted;
}

function fits(bounds: Bounds & { readonly kind: FieldKind }, value: ConfigValue): boolean {
  switch (bounds.kind) {
    case "choice":
      return typeof value === "string" && (bounds.options?.includes(value) ?? true);
    case "switch":
      return typeof value === "boolean";
    case "text":
      return typeof value === "string" && (bounds.pattern === undefined || new RegExp(bounds.pattern).test(value));
    case "integer":
      return typeof value === "number" && Number.isInteger(value) && inRange(bounds, value);
    case "number":
      return typeof value === "number" && Number.isFinite(value) && inRange(bounds, value);
    default:
      return false;
  }
}

function inRange({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Bounds, value: number): boolean {
  return (
    value >= (minimum ?? -Infinity) &&
    value <= (maximum ?? Infinity) &&
    value > (exclusiveMinimum ?? -Infinity) &&
    value < (exclusiveMaximum ?? Infinity)
  );
}

/** Faults that the server found, at their places in the text that was sent. */
export function serverFaults(error: BffError, text: string): readonly ConfigFault[] {
  const config = readConfigText(text);
  return error.violations.map(({ field, message }) => {
    const path = field.split(".").filter((part) => part !== "config_yaml" && part !== "");
    const told = /^line (\d+): /.exec(message);
    return {
      path,
      line: told?.[1] === undefined ? config.lineOf(path) : Number(told[1]),
      message: sentence(told === null ? message : message.slice(told[0].length)),
    };
  });
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/** Whether a fault belongs to a field: to its value, or to a member of its list. */
export function isFaultOf({ path }: ConfigFault, field: Field): boolean {
  return field.path.every((part, at) => path[at] === part);
}
