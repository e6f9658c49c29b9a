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
import { baselines } from "@/lib/baselines";
import { algorithmName } from "@/lib/format";
import type { MomentLane } from "@/lib/moment-link";
import { contestantName, parsePolicy, policyKey } from "./contestant";

type ContestantSelectProps = {
  /** Index of the lane. */
  lane: number;
  contestant: MomentLane;
  models: readonly Model[];
  onChange: (contestant: MomentLane) => void;
  className?: string;
};

/** Exchanges who runs in a lane: a model, or one of the policies that were not learned. */
export function ContestantSelect({ lane, contestant, models, onChange, className }: ContestantSelectProps) {
  const { policy, sampling } = contestant;
  const unknown = "modelId" in policy && !models.some((model) => model.modelId === policy.modelId);
  return (
    <Select
      value={policyKey(policy)}
      onValueChange={(key) => {
        const chosen = parsePolicy(key);
        if (chosen !== undefined) onChange({ policy: chosen, sampling });
      }}
    >
      <SelectTrigger aria-label={`Who runs in lane ${lane + 1}`} className={className}>
        <SelectValue>
          <span className="truncate">{contestantName(contestant, models)}</span>
        </SelectValue>
      </SelectTrigger>
      <SelectContent>
        <SelectGroup>
          <SelectLabel>Models</SelectLabel>
          {unknown ? (
            <SelectItem value={policyKey(policy)} disabled detail="not on this server">
              {contestantName(contestant, models)}
            </SelectItem>
          ) : null}
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
          <SelectLabel className="mt-1 border-t pt-2">Baselines, without learning</SelectLabel>
          {baselines.map((row) => (
            <SelectItem key={row.baseline} value={policyKey({ baseline: row.baseline })} detail={row.knows}>
              {row.title}
            </SelectItem>
          ))}
        </SelectGroup>
      </SelectContent>
    </Select>
  );
}
