import { type ReactNode, useId, useState } from "react";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { Select, SelectContent, SelectItem, SelectTrigger, SelectValue } from "@/components/ui/select";
import { Switch } from "@/components/ui/switch";
import { cn } from "@/lib/class-names";
import { allowedWords, type ConfigValue, type Field } from "./config-schema";
import { numberText } from "./config-text";

type FieldControlProps = {
  field: Field;
  /** What is said; undefined where the default holds. */
  value: ConfigValue | undefined;
  /** What is wrong with it; empty when nothing is. */
  problem: string;
  /** Choices that can't be taken here, with the reason. */
  disabled?: Readonly<Record<string, string>>;
  onChange: (value: ConfigValue | undefined) => void;
};

/** One field of the form: title, control, unit, and below it what it is or what is wrong. */
export function FieldControl(props: FieldControlProps) {
  const { field, value, problem } = props;
  const id = useId();
  const wrong = problem !== "";
  const note = wrong ? problem : field.description;
  const control: ControlProps = {
    ...props,
    id,
    describedBy: note === "" ? undefined : `${id}-note`,
    shown: value ?? field.default,
  };
  return (
    <div
      data-field={field.path.join(".")}
      className={cn("space-y-1", field.kind === "list" && field.item?.kind === "choice" && "sm:col-span-2")}
    >
      <div className="flex items-baseline justify-between gap-2">
        <Label htmlFor={id} id={`${id}-label`}>
          {field.title}
        </Label>
        {field.unit === "" ? null : <span className="text-meta text-text-3">{field.unit}</span>}
      </div>
      <Control {...control} />
      {note === "" ? null : (
        <p id={`${id}-note`} className={cn("text-meta", wrong ? "text-danger" : "text-text-3")}>
          {note}
        </p>
      )}
    </div>
  );
}

type ControlProps = FieldControlProps & {
  id: string;
  describedBy: string | undefined;
  shown: ConfigValue | undefined;
};

function Control(props: ControlProps): ReactNode {
  const { field } = props;
  if (field.kind === "choice") return <Choice {...props} />;
  if (field.kind === "switch") return <OnOff {...props} />;
  if (field.kind === "list" && field.item?.options !== undefined) return <Choices {...props} />;
  return <TextControl {...props} />;
}

function Choice({ field, id, describedBy, shown, problem, disabled = {}, onChange }: ControlProps) {
  const chosen = typeof shown === "string" ? shown : "";
  return (
    <Select value={chosen} onValueChange={onChange}>
      <SelectTrigger id={id} aria-describedby={describedBy} aria-invalid={problem !== ""} aria-label={field.title}>
        <SelectValue>{chosen}</SelectValue>
      </SelectTrigger>
      <SelectContent>
        {(field.options ?? []).map((option) => (
          <SelectItem
            key={option}
            value={option}
            disabled={disabled[option] !== undefined}
            {...(disabled[option] === undefined ? {} : { detail: disabled[option] })}
          >
            {option}
          </SelectItem>
        ))}
      </SelectContent>
    </Select>
  );
}

function OnOff({ id, describedBy, shown, onChange }: ControlProps) {
  return <Switch id={id} aria-describedby={describedBy} checked={shown === true} onCheckedChange={onChange} />;
}

/** Several of some words, each of them a button that is pressed or not. */
function Choices({ field, id, describedBy, shown, problem, onChange }: ControlProps) {
  const chosen = Array.isArray(shown) ? (shown as readonly ConfigValue[]) : [];
  return (
    <div
      role="group"
      aria-labelledby={`${id}-label`}
      aria-describedby={describedBy}
      data-invalid={problem !== ""}
      className="flex flex-wrap gap-1"
    >
      {(field.item?.options ?? []).map((option, at) => {
        const on = chosen.includes(option);
        return (
          <button
            key={option}
            {...(at === 0 ? { id } : {})}
            type="button"
            aria-pressed={on}
            onClick={() =>
              onChange((field.item?.options ?? []).filter((one) => (one === option ? !on : chosen.includes(one))))
            }
            className={cn(
              "figure h-7 rounded-small border px-2 text-sub transition-colors max-md:h-11",
              on ? "border-accent bg-accent-soft text-text" : "bg-raised text-text-3 hover:border-line-strong",
            )}
          >
            {option}
          </button>
        );
      })}
    </div>
  );
}

/** Numbers, texts, and lists of numbers: typed. A number that is not finished yet stays as it was typed, and is wrong until it is. */
function TextControl({ field, id, describedBy, value, problem, onChange }: ControlProps) {
  const [text, setText] = useState<string>();
  const numeric = field.kind === "integer" || field.kind === "number" || field.kind === "list";
  return (
    <Input
      id={id}
      value={text ?? valueText(value)}
      placeholder={valueText(field.default)}
      inputMode={numeric && field.kind !== "list" ? "decimal" : "text"}
      autoComplete="off"
      spellCheck={false}
      aria-invalid={problem !== ""}
      aria-describedby={describedBy}
      title={`${allowedWords(field, field.item)}${field.default === undefined ? "" : `; default ${valueText(field.default)}`}`}
      className={numeric ? "" : "font-sans"}
      onChange={(event) => {
        setText(event.target.value);
        onChange(typedValue(field, event.target.value));
      }}
      onBlur={() => setText(undefined)}
    />
  );
}

function valueText(value: ConfigValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map((one) => valueText(one as ConfigValue)).join(", ");
  return typeof value === "number" ? numberText(value) : String(value);
}

/** What was typed as a value; nothing typed is no value, and the default holds. */
export function typedValue(field: Pick<Field, "kind">, text: string): ConfigValue | undefined {
  const trimmed = text.trim();
  if (field.kind === "text") return text === "" ? undefined : text;
  if (trimmed === "") return undefined;
  if (field.kind === "list") {
    return trimmed
      .split(/[\s,;]+/)
      .filter((part) => part !== "")
      .map(numberOr);
  }
  return numberOr(trimmed);
}

/** Thin spaces and commas between thousands are taken away. */
function numberOr(text: string): number | string {
  const plain = text.replace(/(\d)[\u202f\u2009\u00a0_ ](?=\d{3})/g, "$1").replace("\u2212", "-");
  const value = Number(plain);
  return plain !== "" && Number.isFinite(value) ? value : text;
}
