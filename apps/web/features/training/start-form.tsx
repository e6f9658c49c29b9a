import type { GetTrainingDefaultsResponse } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { ChevronRight, CircleCheck, Copy, Play } from "lucide-react";
import { type ReactNode, useId, useMemo, useRef, useState } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { Segmented } from "@/components/ui/segmented";
import { StateLine } from "@/components/ui/state-line";
import { cn } from "@/lib/class-names";
import { shortCount } from "@/lib/format";
import { isFaultOf } from "./config-faults";
import type { ConfigSchema, ConfigValue, Field, Section } from "./config-schema";
import { type ConfigFault, valueAt } from "./config-text";
import { changed, type Draft, differs, holding, presetDraft, typed } from "./draft";
import { FieldControl } from "./field-control";
import { YamlEditor } from "./yaml-editor";

type StartFormProps = {
  defaults: GetTrainingDefaultsResponse;
  schema: ConfigSchema;
  draft: Draft;
  /** What the server found wrong with this very text. */
  refused: readonly ConfigFault[];
  /** A start is under way. */
  starting: boolean;
  /** Why nothing can be started now; empty when something can. */
  blocked: string;
  /** What the last start brought instead of a run. */
  notice: ReactNode;
  onDraft: (draft: Draft) => void;
  onStart: () => void;
};

/** Fields that most people want; the others are folded away. */
const ESSENTIALS = ["timesteps", "seeds", "device", "name"];

const views = [
  { value: "form", label: "Form" },
  { value: "yaml", label: "YAML" },
] as const;
type View = (typeof views)[number]["value"];

/** What to train: a preset and Start are enough; everything else is below. */
export function StartForm(props: StartFormProps) {
  const { defaults, draft, schema, refused, onDraft, onStart, starting, blocked, notice } = props;
  const [view, setView] = useState<View>("form");
  const [pressed, setPressed] = useState(false);
  const place = useRef<HTMLFormElement>(null);
  const faults = useMemo(() => [...draft.faults, ...refused], [draft.faults, refused]);
  const broken = draft.config.faults.length > 0;

  const submit = () => {
    setPressed(true);
    if (draft.faults.length === 0) {
      onStart();
      return;
    }
    // The first one that is wrong is shown, wherever it is folded away.
    setTimeout(() => place.current?.querySelector<HTMLElement>("[aria-invalid=true], [data-invalid=true]")?.focus(), 0);
  };

  return (
    <Panel className="h-full" aria-label="New training">
      <PanelHead className="max-md:py-1">
        <PanelTitle>New training</PanelTitle>
        <Segmented label="Editor" value={view} options={views} onChange={setView} className="h-7 max-md:h-11" />
      </PanelHead>
      <form
        ref={place}
        noValidate
        className="flex min-h-0 flex-1 flex-col"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <div className="scroll-thin min-h-0 flex-1 space-y-4 overflow-y-auto p-3">
          <Presets defaults={defaults} schema={schema} draft={draft} onDraft={onDraft} />
          {view === "yaml" ? (
            <YamlEditor text={draft.text} faults={faults} onChange={(text) => onDraft(typed(schema, draft, text))} />
          ) : broken ? (
            <StateLine
              kind="problem"
              title="The text is no YAML that a form can show"
              action={
                <Button size="sm" onClick={() => setView("yaml")}>
                  Open YAML
                </Button>
              }
            >
              Line {draft.config.faults[0]?.line}: {draft.config.faults[0]?.message}
            </StateLine>
          ) : (
            <Fields {...props} faults={faults} unfold={pressed || refused.length > 0} />
          )}
        </div>
        <div className="shrink-0 space-y-2 border-t bg-panel p-3">
          {notice}
          <div className="flex items-center justify-between gap-3">
            <p className="min-w-0 text-sub text-text-3">{blocked === "" ? summary(draft, faults) : blocked}</p>
            <Button
              type="submit"
              variant="primary"
              className="min-w-28"
              disabled={starting || blocked !== ""}
              data-testid="start-training"
            >
              <Play />
              {starting ? "Starting…" : "Start"}
            </Button>
          </div>
        </div>
      </form>
    </Panel>
  );
}

/** What Start would do, in one line. */
function summary(draft: Draft, faults: readonly ConfigFault[]): ReactNode {
  if (faults.length > 0) {
    return (
      <span className="text-danger">
        {faults.length === 1 ? "One value must be corrected" : `${faults.length} values must be corrected`}
      </span>
    );
  }
  const { values } = draft.config;
  const seeds = values.seeds;
  return (
    <>
      <span className="figure text-text-2">{shortCount(Number(values.timesteps))}</span> steps of{" "}
      {String(values.algorithm)}, seed{" "}
      <span className="figure text-text-2">{Array.isArray(seeds) ? String(seeds[0]) : "1"}</span>
    </>
  );
}

type PresetsProps = Pick<StartFormProps, "defaults" | "schema" | "draft" | "onDraft">;

function Presets({ defaults, schema, draft, onDraft }: PresetsProps) {
  const name = useId();
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 text-sub text-text-2">Begin with</legend>
      <div className="space-y-1.5">
        {draft.clonedFrom === "" ? null : (
          <p className="flex items-center gap-2 rounded-control border border-accent bg-accent-soft px-3 py-2 text-sub">
            <Copy className="size-4 shrink-0 text-accent" aria-hidden="true" />
            <span className="min-w-0 truncate">
              A copy of <span className="figure">{draft.clonedFrom}</span>; change what you like
            </span>
          </p>
        )}
        {defaults.presets.map((preset, at) => {
          const chosen = draft.preset === preset.name;
          const isChanged = chosen && draft.text !== preset.configYaml;
          return (
            <label
              key={preset.name}
              className={cn(
                "flex cursor-pointer gap-3 rounded-control border px-3 py-2 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2",
                chosen ? "border-accent bg-accent-soft" : "bg-raised hover:border-line-strong",
              )}
            >
              <input
                type="radio"
                name={name}
                className="sr-only"
                checked={chosen}
                onChange={() => onDraft(presetDraft(schema, preset))}
                onClick={() => {
                  // A press on the chosen one takes all changes back.
                  if (isChanged) onDraft(presetDraft(schema, preset));
                }}
              />
              <span className="min-w-0 flex-1">
                <span className="flex items-center gap-2">
                  <span className="truncate font-medium text-body">{preset.title}</span>
                  {at === 0 ? <Badge>under a minute</Badge> : null}
                  {isChanged ? <Badge tone="warn">changed</Badge> : null}
                </span>
                <span className={cn("text-sub text-text-3", chosen ? "block" : "line-clamp-1")}>
                  {preset.description}
                </span>
              </span>
              {chosen ? <CircleCheck className="mt-0.5 size-4 shrink-0 text-accent" aria-hidden="true" /> : null}
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

type FieldsProps = StartFormProps & { faults: readonly ConfigFault[]; unfold: boolean };

function Fields(props: FieldsProps) {
  const { schema, draft, faults } = props;
  const [top, ...sections] = schema.sections;
  const essentials = ESSENTIALS.flatMap((key) => top?.fields.filter(({ path }) => path[0] === key) ?? []);
  const rest = (top?.fields ?? []).filter((field) => !essentials.includes(field));
  const algorithm = String(draft.config.values.algorithm ?? "").toLowerCase();
  const shown = sections.filter(({ key, optional }) => !optional || key === algorithm || key in draft.config.values);
  const groups: Section[] = [
    ...(top === undefined ? [] : [{ ...top, title: "Algorithm and words", description: "", fields: rest }]),
    ...shown,
  ];
  const unplaced = faults.filter(
    (fault) => !schema.sections.some(({ fields }) => fields.some((field) => isFaultOf(fault, field))),
  );
  return (
    <>
      <div className="grid gap-x-3 gap-y-3 sm:grid-cols-2">
        {essentials.map((field) => (
          <FormField key={field.path.join(".")} {...props} field={field} />
        ))}
      </div>
      {unplaced.length === 0 ? null : (
        <ul role="alert" className="space-y-0.5 text-sub text-danger">
          {unplaced.map((fault) => (
            <li key={`${fault.line} ${fault.message}`}>
              {fault.path.length === 0 ? `Line ${fault.line}` : fault.path.join(".")}: {fault.message}
            </li>
          ))}
        </ul>
      )}
      <div>
        <h3 className="mb-1 text-sub text-text-2">Advanced</h3>
        <div className="divide-y rounded-control border">
          {groups.map((section) => (
            <Group key={section.key} section={section} {...props} />
          ))}
        </div>
      </div>
    </>
  );
}

/** Fields that are folded away; open while one of them is wrong. */
function Group({ section, ...props }: FieldsProps & { section: Section }) {
  const { draft, faults, unfold } = props;
  const [open, setOpen] = useState(false);
  const id = useId();
  const wrong = faults.filter((fault) => section.fields.some((field) => isFaultOf(fault, field))).length;
  const different = section.key === "" ? 0 : section.fields.filter((field) => differs(draft, field)).length;
  const isOpen = open || (unfold && wrong > 0);
  return (
    <div>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
        className="flex min-h-9 w-full items-center gap-2 px-3 py-1 text-left text-body hover:bg-raised max-md:min-h-11"
      >
        <ChevronRight
          className={cn("size-4 shrink-0 text-text-3 transition-transform", isOpen && "rotate-90")}
          aria-hidden="true"
        />
        <span className="font-medium">{section.title}</span>
        <span className="ml-auto flex shrink-0 gap-1.5">
          {wrong > 0 ? <Badge tone="danger">{wrong} wrong</Badge> : null}
          {different > 0 ? (
            <Badge>
              <span className="figure">{different}</span> not default
            </Badge>
          ) : null}
        </span>
      </button>
      {isOpen ? (
        <div id={id} className="space-y-3 px-3 pt-1 pb-3">
          {section.description === "" ? null : <p className="text-sub text-text-3">{section.description}</p>}
          <div className="grid gap-x-3 gap-y-3 sm:grid-cols-2">
            {section.fields.map((field) => (
              <FormField key={field.path.join(".")} {...props} field={field} />
            ))}
          </div>
        </div>
      ) : null}
    </div>
  );
}

function FormField({ field, ...props }: FieldsProps & { field: Field }) {
  const { schema, draft, faults, defaults, onDraft } = props;
  const problem = faults.find((fault) => isFaultOf(fault, field))?.message ?? "";
  const set = (value: ConfigValue | undefined) => onDraft(changed(schema, draft, field, value));
  const hasGpu = defaults.devices.some((device) => device.startsWith("cuda"));
  const isDevice = field.path[0] === "device" && field.path.length === 1;
  return (
    <FieldControl
      field={withMazeSets(field, defaults.mazeSets)}
      value={field.kind === "choice" ? holding(draft, field) : valueAt(draft.config.values, field.path)}
      problem={problem}
      {...(isDevice && !hasGpu ? { disabled: { cuda: "The trainer has no GPU" } } : {})}
      onChange={set}
    />
  );
}

/** The sets that an evaluation may name are the trainer's own. */
function withMazeSets(field: Field, mazeSets: readonly string[]): Field {
  if (field.path.join(".") !== "evaluation.sets" || field.item === undefined) return field;
  return { ...field, item: { ...field.item, options: mazeSets } };
}
