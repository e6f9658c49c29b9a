"use client";

import { useEffect, useRef, useState } from "react";
import { Segmented } from "@/components/ui/segmented";
import { Slider } from "@/components/ui/slider";
import { cn } from "@/lib/class-names";
import { positionOf, presetOf, SLIDER_MAX, speedAt, speedPresets, speedText } from "./speed";

type SpeedControlProps = { stepsPerSecond: number; onChange: (stepsPerSecond: number) => void; className?: string };

/** While the slider is dragged the speed follows at most this often: each change is a new stream. */
const DRAG_INTERVAL_MS = 150;

/** Five fixed speeds and a fine slider. */
export function SpeedControl({ stepsPerSecond, onChange, className }: SpeedControlProps) {
  const [dragged, setDragged] = useState<number>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const shown = dragged === undefined ? stepsPerSecond : speedAt(dragged);

  return (
    <div className={cn("flex items-center gap-3 md:flex-wrap", className)}>
      <Segmented
        label="Speed, steps a second"
        value={presetOf(shown)}
        options={speedPresets}
        onChange={(value) => onChange(speedPresets.find((preset) => preset.value === value)?.stepsPerSecond ?? 0)}
        className="max-md:h-[46px] max-md:p-0 max-md:[&>button]:min-w-11 max-md:[&>button]:px-0 md:w-full"
      />
      <div className="flex min-w-0 flex-1 items-center gap-3">
        <Slider
          aria-label="Speed"
          valueText={speedText(shown)}
          min={0}
          max={SLIDER_MAX}
          step={1}
          value={dragged ?? positionOf(stepsPerSecond)}
          onValueChange={(position) => {
            setDragged(position);
            clearTimeout(timer.current);
            timer.current = setTimeout(() => onChange(speedAt(position)), DRAG_INTERVAL_MS);
          }}
          onValueCommit={(position) => {
            clearTimeout(timer.current);
            setDragged(undefined);
            onChange(speedAt(position));
          }}
        />
        <output className="figure w-[84px] shrink-0 text-right text-sub text-text-2 max-md:hidden">
          {speedText(shown)}
        </output>
      </div>
    </div>
  );
}
