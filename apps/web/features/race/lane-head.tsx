import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { Dices, X } from "lucide-react";
import { SamplingField } from "@/components/policy/sampling-field";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import type { MomentLane } from "@/lib/moment-link";
import { contestantKind, contestantName, samplingText } from "./contestant";
import { ContestantSelect } from "./contestant-select";
import { LaneSign } from "./lane-sign";

export type LaneHeadProps = {
  lane: number;
  contestant: MomentLane;
  models: readonly Model[];
  theme: MazeTheme;
  /** Left out while it is the only lane. */
  onRemove?: (() => void) | undefined;
  onChange: (contestant: MomentLane) => void;
  /** Whether the kind of policy stands beside its name. Default true. */
  withKind?: boolean;
  className?: string;
};

/** Who runs in a lane, and the ways to change it. */
export function LaneHead({
  lane,
  contestant,
  models,
  theme,
  onRemove,
  onChange,
  withKind = true,
  className,
}: LaneHeadProps) {
  const name = contestantName(contestant, models);
  return (
    <div className={cn("flex min-w-0 items-center gap-1.5", className)}>
      <LaneSign lane={lane} theme={theme} />
      <ContestantSelect
        lane={lane}
        contestant={contestant}
        models={models}
        onChange={onChange}
        className="h-7 min-w-0 flex-1 border-transparent bg-transparent px-1.5 font-medium hover:border-line-strong max-md:border-line"
      />
      {withKind ? <Badge className="max-sm:hidden">{contestantKind(contestant, models)}</Badge> : null}
      {"modelId" in contestant.policy ? (
        <Popover>
          <Tooltip text={`Acts ${samplingText(contestant.sampling)}`}>
            <PopoverTrigger asChild>
              <Button
                variant="ghost"
                size="icon"
                className={cn("size-7", contestant.sampling !== "greedy" && "text-accent")}
                aria-label={`How ${name} in lane ${lane + 1} takes its actions: ${samplingText(contestant.sampling)}`}
              >
                <Dices />
              </Button>
            </PopoverTrigger>
          </Tooltip>
          <PopoverContent align="end" className="w-72 space-y-3">
            <p className="text-body text-text-2">How {name} takes its actions. The seed decides the draws.</p>
            <SamplingField
              sampling={contestant.sampling}
              label={`Sampling of lane ${lane + 1}`}
              onChange={(sampling) => onChange({ ...contestant, sampling })}
            />
          </PopoverContent>
        </Popover>
      ) : null}
      <Tooltip text={onRemove === undefined ? "A race needs one lane" : "Take out of the race"}>
        <Button
          variant="ghost"
          size="icon"
          className="size-7"
          aria-label={`Take ${name} out of the race`}
          disabled={onRemove === undefined}
          onClick={onRemove}
        >
          <X />
        </Button>
      </Tooltip>
    </div>
  );
}
