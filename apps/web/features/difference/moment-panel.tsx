import { Dices, SkipForward, StepBack, StepForward } from "lucide-react";
import { SamplingField } from "@/components/policy/sampling-field";
import { SeedField } from "@/components/policy/seed-field";
import { Button } from "@/components/ui/button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { Slider } from "@/components/ui/slider";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import type { MomentSampling } from "@/lib/moment-link";

type MomentSliderProps = {
  step: number;
  lastStep: number;
  /** False while the episode is not here. */
  enabled: boolean;
  nameA: string;
  onStep: (step: number) => void;
  onNextMaze: () => void;
  className?: string;
};

/** Goes along the way of model A: the moment whose map is shown. */
export function MomentSlider({ step, lastStep, enabled, nameA, onStep, onNextMaze, className }: MomentSliderProps) {
  return (
    <div className={cn("space-y-1.5", className)}>
      <div className="flex items-center gap-3 md:block md:space-y-1">
        <Slider
          aria-label={`Step of ${nameA}`}
          valueText={`step ${step} of ${lastStep}`}
          min={0}
          max={Math.max(1, lastStep)}
          step={1}
          disabled={!enabled || lastStep === 0}
          value={step}
          onValueChange={onStep}
        />
        <div className="flex shrink-0 items-baseline justify-between gap-2 text-sub">
          <span data-testid="step-display" className="figure whitespace-nowrap text-text">
            {step} <span className="text-text-3">/ {lastStep}</span>
          </span>
          <span className="truncate text-meta text-text-3 max-md:hidden">along the way of {nameA}</span>
        </div>
      </div>
      <div className="flex items-center justify-center gap-1">
        <Control name="Step back" shortcut="←" disabled={!enabled || step === 0} onClick={() => onStep(step - 1)}>
          <StepBack />
        </Control>
        <Control
          name="Step forward"
          shortcut="→"
          disabled={!enabled || step >= lastStep}
          onClick={() => onStep(step + 1)}
        >
          <StepForward />
        </Control>
        <Control name="Next maze" shortcut="N" disabled={!enabled} onClick={onNextMaze}>
          <SkipForward />
        </Control>
      </div>
    </div>
  );
}

type ControlProps = {
  name: string;
  shortcut: string;
  disabled: boolean;
  onClick: () => void;
  children: React.ReactNode;
};

function Control({ name, shortcut, disabled, onClick, children }: ControlProps) {
  return (
    <Tooltip text={name} shortcut={shortcut}>
      <Button variant="ghost" size="icon" aria-label={name} disabled={disabled} onClick={onClick}>
        {children}
      </Button>
    </Tooltip>
  );
}

type ActingProps = {
  sampling: MomentSampling;
  seed: string;
  onSampling: (sampling: MomentSampling) => void;
  onSeed: (seed: string) => void;
};

/** How model A takes its actions on its way. */
export function Acting({ sampling, seed, onSampling, onSeed }: ActingProps) {
  const text = sampling === "greedy" ? "greedy" : `T = ${sampling.temperature}`;
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button size="sm" variant="ghost" aria-label={`How A acts: ${text}`}>
          <Dices aria-hidden="true" />
          <span className="figure font-normal">A acts {text}</span>
        </Button>
      </PopoverTrigger>
      <PopoverContent align="end" className="space-y-3">
        <p className="text-body text-text-2">
          How A takes its actions on its way. B walks nowhere: it is asked about each moment of A.
        </p>
        <SamplingField sampling={sampling} onChange={onSampling} label="Sampling of A" />
        <SeedField seed={seed} onChange={onSeed} hint="Matters with softmax only: the same seed, the same way." />
      </PopoverContent>
    </Popover>
  );
}
