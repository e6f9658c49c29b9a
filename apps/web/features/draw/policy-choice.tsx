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
import { algorithmName } from "@/lib/format";
import { baselineSlugs, type MomentLane, type MomentPolicy } from "@/lib/moment-link";

/** Value of the choice "whichever model is active"; no id has an underscore. */
const ACTIVE = "active_model";

/** A slug as words: `wall-follower` is "Wall follower". */
function baselineTitle(slug: string): string {
  return slug.charAt(0).toUpperCase() + slug.slice(1).replaceAll("-", " ");
}

/** What a lane is called. */
export function policyName({ policy }: MomentLane, models: readonly Model[]): string {
  if ("baseline" in policy) return baselineTitle(baselineSlugs.get(policy.baseline) ?? "baseline");
  const model = models.find((one) => (policy.modelId === "" ? one.active : one.modelId === policy.modelId));
  return model?.title || policy.modelId || "The active model";
}

function keyOf(policy: MomentPolicy): string {
  if ("baseline" in policy) return `baseline_${baselineSlugs.get(policy.baseline)}`;
  return policy.modelId === "" ? ACTIVE : policy.modelId;
}

function policyOf(key: string): MomentPolicy {
  if (key === ACTIVE) return { modelId: "" };
  for (const [baseline, slug] of baselineSlugs) if (key === `baseline_${slug}`) return { baseline };
  return { modelId: key };
}

type PolicyChoiceProps = { models: readonly Model[]; lane: MomentLane; onLane: (lane: MomentLane) => void };

/** Chooses who runs: a model, or one of the policies that were not learned. */
export function PolicyChoice({ models, lane, onLane }: PolicyChoiceProps) {
  const active = models.find((model) => model.active);
  const { policy } = lane;
  const lacking =
    "modelId" in policy && policy.modelId !== "" && models.every(({ modelId }) => modelId !== policy.modelId);
  return (
    <Select value={keyOf(policy)} onValueChange={(key) => onLane({ policy: policyOf(key), sampling: "greedy" })}>
      <SelectTrigger aria-label="Who runs">
        <SelectValue>{policyName(lane, models)}</SelectValue>
      </SelectTrigger>
      <SelectContent>
        <SelectGroup>
          <SelectLabel>Models</SelectLabel>
          <SelectItem value={ACTIVE} detail={active ? `now ${active.modelId}` : "none is active"}>
            The active model
          </SelectItem>
          {lacking ? (
            <SelectItem value={keyOf(policy)} disabled detail="not on this server">
              {keyOf(policy)}
            </SelectItem>
          ) : null}
          {models.map((model) => (
            <SelectItem
              key={model.modelId}
              value={model.modelId}
              disabled={model.state !== ModelState.READY}
              detail={`${model.modelId} · ${algorithmName(model.algorithm)} · ${model.observation}`}
            >
              {model.title || model.modelId}
            </SelectItem>
          ))}
        </SelectGroup>
        <SelectGroup>
          <SelectLabel>Not learned</SelectLabel>
          {[...baselineSlugs.values()].map((slug) => (
            <SelectItem key={slug} value={`baseline_${slug}`}>
              {baselineTitle(slug)}
            </SelectItem>
          ))}
        </SelectGroup>
      </SelectContent>
    </Select>
  );
}
