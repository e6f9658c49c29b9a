/** A value of a configuration. */
export type ConfigValue =
  | string
  | number
  | boolean
  | null
  | readonly ConfigValue[]
  | { readonly [key: string]: ConfigValue };

/** What a field takes. `list`: several of its `item`. */
export type FieldKind = "integer" | "number" | "text" | "choice" | "switch" | "list";

/** Bounds of a value, as JSON Schema says them. */
export interface Bounds {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
  /** Allowed values of a choice. */
  readonly options?: readonly string[];
  readonly fewest?: number;
}

/** One field of the form. */
export interface Field extends Bounds {
  /** Where its value stands in the configuration: ["ppo", "n_steps"]. */
  readonly path: readonly string[];
  readonly title: string;
  /** One sentence; may be empty. */
  readonly description: string;
  /** "steps", "mazes"; may be empty. */
  readonly unit: string;
  readonly kind: FieldKind;
  /** Of a list. */
  readonly item?: Bounds & { readonly kind: Exclude<FieldKind, "list"> };
  /** Holds where nothing is said; undefined for a required field. */
  readonly default: ConfigValue | undefined;
}

/** Fields that belong together. */
export interface Section {
  /** Key of the section; empty for the fields at the top. */
  readonly key: string;
  readonly title: string;
  readonly description: string;
  readonly fields: readonly Field[];
  /** The section may be left out altogether, as `dqn` is where PPO learns. */
  readonly optional: boolean;
}

/** The form that a JSON Schema asks for: the top and one level of sections, which is what a configuration has. */
export interface ConfigSchema {
  readonly sections: readonly Section[];
}

/** The part of JSON Schema (draft 2020-12) that configurations use. */
interface SchemaNode {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly default?: ConfigValue;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  /** Not of the standard: the unit of a number. */
  readonly unit?: string;
}

/** Reads the schema of GetTrainingDefaults. Throws a SyntaxError for what is no JSON. */
export function readConfigSchema(schemaJson: string): ConfigSchema {
  const root = JSON.parse(schemaJson) as SchemaNode;
  const top: Field[] = [];
  const sections: Section[] = [];
  for (const [key, raw] of Object.entries(root.properties ?? {})) {
    const { node, optional } = resolved(raw, root);
    if (node.properties === undefined) {
      top.push(fieldOf([key], node, raw, root.required?.includes(key) ?? false));
      continue;
    }
    sections.push({
      key,
      title: sectionTitle(key, raw.title ?? node.title),
      description: raw.description ?? node.description ?? "",
      optional,
      fields: Object.entries(node.properties).map(([name, inner]) => {
        const { node: value } = resolved(inner, root);
        return fieldOf([key, name], value, inner, node.required?.includes(name) ?? false);
      }),
    });
  }
  return {
    sections: [
      { key: "", title: "Run", description: root.description ?? "", optional: false, fields: top },
      ...sections,
    ],
  };
}

/** Follows references, and takes the one that is not null of several. */
function resolved(node: SchemaNode, root: SchemaNode): { readonly node: SchemaNode; readonly optional: boolean } {
  if (node.$ref !== undefined) {
    const name = node.$ref.split("/").at(-1) ?? "";
    return { node: root.$defs?.[name] ?? {}, optional: false };
  }
  const other = node.anyOf?.find((one) => one.type !== "null");
  if (other === undefined) return { node, optional: false };
  return { node: resolved(other, root).node, optional: node.anyOf?.some((one) => one.type === "null") ?? false };
}

function fieldOf(path: readonly string[], node: SchemaNode, raw: SchemaNode, required: boolean): Field {
  const kind = kindOf(node);
  return {
    path,
    title: readable(raw.title ?? node.title ?? path.at(-1) ?? ""),
    description: raw.description ?? node.description ?? "",
    unit: raw.unit ?? node.unit ?? "",
    kind,
    ...boundsOf(node),
    ...(kind === "list" && node.items !== undefined
      ? { item: { kind: kindOf(node.items) as Exclude<FieldKind, "list">, ...boundsOf(node.items) } }
      : {}),
    default: required ? undefined : (raw.default ?? node.default),
  };
}

function kindOf({ type, enum: options }: SchemaNode): FieldKind {
  if (options !== undefined) return "choice";
  if (type === "array") return "list";
  if (type === "integer" || type === "number") return type;
  return type === "boolean" ? "switch" : "text";
}

function boundsOf(node: SchemaNode): Bounds {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, pattern, enum: options, minItems } = node;
  return {
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(exclusiveMinimum === undefined ? {} : { exclusiveMinimum }),
    ...(exclusiveMaximum === undefined ? {} : { exclusiveMaximum }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(options === undefined ? {} : { options }),
    ...(minItems === undefined ? {} : { fewest: minItems }),
  };
}

/** A title in sentence case; words that are capitals already stay. */
function readable(title: string): string {
  const words = title.replaceAll("_", " ").split(" ");
  return words
    .map((word, at) => {
      if (word.length > 1 && word === word.toUpperCase()) return word;
      return at === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word.charAt(0).toLowerCase() + word.slice(1);
    })
    .join(" ");
}

function sectionTitle(key: string, title: string | undefined): string {
  if (key === "ppo" || key === "dqn") return key.toUpperCase();
  // What a class of a program is called is no title.
  return title === undefined || /[a-z][A-Z]/.test(title) ? readable(key) : readable(title);
}

/** What a value may be, in words: "a whole number from 1 to 100". */
export function allowedWords(
  bounds: Bounds & { readonly kind: FieldKind },
  item?: Bounds & { readonly kind: FieldKind },
): string {
  switch (bounds.kind) {
    case "choice":
      return `one of ${(bounds.options ?? []).join(", ")}`;
    case "switch":
      return "true or false";
    case "text":
      return bounds.pattern === undefined ? "a text" : `a text of the form ${bounds.pattern}`;
    case "list":
      return item === undefined ? "a list" : `a list, each ${allowedWords(item)}`;
    default:
      return `${bounds.kind === "integer" ? "a whole number" : "a number"}${rangeWords(bounds)}`;
  }
}

function rangeWords({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Bounds): string {
  const low = minimum !== undefined ? String(minimum) : undefined;
  const high = maximum !== undefined ? String(maximum) : undefined;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  const parts = [
    low === undefined ? "" : ` of at least ${low}`,
    exclusiveMinimum === undefined ? "" : ` above ${exclusiveMinimum}`,
    high === undefined ? "" : ` of at most ${high}`,
    exclusiveMaximum === undefined ? "" : ` below ${exclusiveMaximum}`,
  ];
  return parts.filter((part) => part !== "").join(" and");
}
