import { type Model, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import {
  Select,
  SelectContent,
  SelectGroup,
  SelectItem,
  SelectLabel,
  SelectTrigger,
  SelectValue,
} from "@/components/ui/select";
import { cn } from "@/lib/class-names";
import { algorithmName } from "@/lib/format";

type ModelChoiceProps = {
  /** Which of the two it is. */
  side: "a" | "b";
  models: readonly Model[];
  modelId: string;
  onChange: (modelId: string) => void;
  className?: string;
};

/** The letter of one of the two models, in the colour that says on the board that it is right. */
export function SideMark({ side, className }: { side: "a" | "b"; className?: string }) {
  return (
    <span
      aria-hidden="true"
      data-side={side}
      className={cn(
        "figure grid size-5 shrink-0 place-items-center rounded-small bg-(--side-fill) font-semibold text-(--side-ink) text-meta",
        className,
      )}
      style={
        {
          "--side-fill": `var(--difference-${side})`,
          "--side-ink": `var(--difference-${side}-ink)`,
        } as React.CSSProperties
      }
    >
      {side.toUpperCase()}
    </span>
  );
}

/** Chooses one of the two models. Baselines stand below with the reason why they cannot be chosen. */
export function ModelChoice({ side, models, modelId, onChange, className }: ModelChoiceProps) {
  const name = models.find((model) => model.modelId === modelId)?.title || modelId;
  return (
    <Select value={modelId} onValueChange={onChange}>
      <SelectTrigger aria-label={side === "a" ? "Model A" : "Model B"} className={className}>
        <SideMark side={side} />
        <span className="flex-1">
          <SelectValue>{name || "Choose a model"}</SelectValue>
        </span>
      </SelectTrigger>
      <SelectContent>
        <SelectGroup>
          {models.map((model) => {
            const broken = model.state !== ModelState.READY;
            return (
              <SelectItem
                key={model.modelId}
                value={model.modelId}
                disabled={broken}
                detail={
                  broken
                    ? `broken: ${model.stateReason}`
                    : `${model.modelId} · ${algorithmName(model.algorithm)} · ${model.observation}`
                }
              >
                {model.title || model.modelId}
              </SelectItem>
            );
          })}
        </SelectGroup>
        <SelectGroup>
          <SelectLabel className="max-w-72 border-t pt-2">
            Baselines are not here: they act by a rule and have no scores to compare. They run in a race.
          </SelectLabel>
        </SelectGroup>
      </SelectContent>
    </Select>
  );
}
