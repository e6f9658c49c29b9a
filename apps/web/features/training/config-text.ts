import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type ScalarTag,
  type Tags,
} from "yaml";
import type { ConfigValue } from "./config-schema";

/** Something that is wrong in a configuration. */
export interface ConfigFault {
  /** Where; empty for the whole text. */
  readonly path: readonly string[];
  /** From 1; 0 where it is not known. */
  readonly line: number;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

/** A configuration as it was read. */
export interface ReadConfig {
  readonly values: Readonly<Record<string, ConfigValue>>;
  /** Faults of the text itself; with one of them there are no values. */
  readonly faults: readonly ConfigFault[];
  /** Line, from 1, on which a key stands; that of the nearest key above where it does not stand in the text. */
  readonly lineOf: (path: readonly string[]) => number;
}

/**
 * The trainer reads YAML 1.1, where 1e-7 is a text and 1.0e-7 a number: numbers are written so that both readers see the same.
 */
function withPlainNumbers(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag === "string" || tag.tag !== "tag:yaml.org,2002:float") return tag;
    return { ...(tag as ScalarTag), stringify: ({ value, source }) => numberText(Number(value), source) };
  });
}

const reading = { version: "1.1", customTags: withPlainNumbers, uniqueKeys: true } as const;

/** A number as YAML 1.1 reads it. What a person wrote stays as it is while it says the same. */
export function numberText(value: number, source?: string): string {
  if (source !== undefined && Number(source) === value && /^[-+]?\d[\d_]*(\.\d*)?([eE][-+]\d+)?$/.test(source)) {
    if (!/[eE]/.test(source) || source.includes(".")) return source;
  }
  const text = String(value);
  if (!text.includes("e")) return text.includes(".") || !Number.isInteger(value) ? text : `${text}`;
  const [digits = "", exponent = ""] = text.split("e");
  return `${digits.includes(".") ? digits : `${digits}.0`}e${exponent.startsWith("-") ? exponent : `+${exponent.replace("+", "")}`}`;
}

/** Reads the text of a configuration. It never throws. */
export function readConfigText(text: string): ReadConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...reading, lineCounter: lines });
  const faults = document.errors.map((error) => ({
    path: [],
    line: error.linePos?.[0].line ?? 1,
    message: (error.message.split("\n")[0] ?? "no valid YAML").replace(/ at line \d+, column \d+:?$/, ""),
  }));
  if (faults.length > 0) return { values: {}, faults, lineOf: () => 1 };
  if (!isMap(document.contents)) {
    const fault = { path: [], line: 1, message: "A mapping is needed: one `key: value` a line." };
    return { values: {}, faults: [fault], lineOf: () => 1 };
  }
  const lineOf = (path: readonly string[]): number => {
    let node: unknown = document.contents;
    let line = 1;
    for (const key of path) {
      if (!isMap(node)) break;
      const pair = node.items.find((one) => (isScalar(one.key) ? String(one.key.value) : "") === key);
      if (pair === undefined) break;
      if (isNode(pair.key) && pair.key.range) line = lines.linePos(pair.key.range[0]).line;
      node = pair.value;
    }
    return line;
  };
  return { values: document.toJS() as Record<string, ConfigValue>, faults: [], lineOf };
}

/** The text with one value changed; comments and everything else stay. Undefined takes the key away. */
export function withConfigValue(text: string, path: readonly string[], value: ConfigValue | undefined): string {
  const document = parseDocument(text, reading);
  if (document.errors.length > 0 || !isMap(document.contents)) return text;
  if (value === undefined) document.deleteIn(path);
  else document.setIn(path, nodeOf(document, value));
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function nodeOf(document: Document.Parsed, value: ConfigValue): Node {
  // Lists stand in one line, as in the committed files.
  return document.createNode(value, { flow: Array.isArray(value) });
}

/** The value at a place; undefined where nothing is said. */
export function valueAt(
  values: Readonly<Record<string, ConfigValue>>,
  path: readonly string[],
): ConfigValue | undefined {
  let value: ConfigValue | undefined = values;
  for (const key of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = (value as Readonly<Record<string, ConfigValue>>)[key];
  }
  return value;
}
