import { type Model, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { Select, SelectContent, SelectItem, SelectTrigger, SelectValue } from "@/components/ui/select";
import { algorithmName } from "@/lib/format";
import { successText } from "./caption";

type ModelSelectProps = {
  models: readonly Model[];
  /** Empty: the active model. */
  modelId: string;
  onChange: (modelId: string) => void;
  id?: string;
  className?: string;
};

/** Radix keeps the empty text for "nothing chosen", so the active model has a word of its own. */
const ACTIVE = "active";

/** Chooses who acts: the active model, whichever that is, or a certain one. */
export function ModelSelect({ models, modelId, onChange, id, className }: ModelSelectProps) {
  const active = models.find((model) => model.active);
  const known = modelId === "" || models.some((model) => model.modelId === modelId);
  return (
    <Select
      value={modelId === "" ? ACTIVE : modelId}
      onValueChange={(value) => onChange(value === ACTIVE ? "" : value)}
    >
      <SelectTrigger {...(id === undefined ? {} : { id })} aria-label="Model" className={className}>
        <SelectValue>
          <span className="figure">{modelId === "" ? (active?.modelId ?? "no active model") : modelId}</span>
        </SelectValue>
      </SelectTrigger>
      <SelectContent>
        <SelectItem value={ACTIVE} detail={active ? `now ${active.modelId}` : "none is active"}>
          Active model
        </SelectItem>
        {known ? null : (
          <SelectItem value={modelId} disabled detail="not registered on this server">
            {modelId}
          </SelectItem>
        )}
        {models.map((model) => {
          const broken = model.state === ModelState.BROKEN;
          const facts = [algorithmName(model.algorithm), model.observation, successText(model)].filter(
            (text) => text !== "",
          );
          return (
            <SelectItem
              key={model.modelId}
              value={model.modelId}
              disabled={broken}
              detail={broken ? `broken: ${model.stateReason}` : facts.join(" · ")}
            >
              <span className="figure">{model.modelId}</span>
            </SelectItem>
          );
        })}
      </SelectContent>
    </Select>
  );
}
