import type { ComponentProps } from "react";
import { cn } from "@/lib/class-names";

type SliderProps = Omit<ComponentProps<"input">, "aria-label" | "value" | "min" | "max" | "onChange" | "type"> & {
  "aria-label": string;
  /** What a screen reader says instead of the bare number. */
  valueText: string;
  min: number;
  max: number;
  value: number;
  onValueChange: (value: number) => void;
  /** The thumb was let go, or a key was. */
  onValueCommit?: (value: number) => void;
};

/** A slider with one thumb: the browser's own, drawn anew, which brings keyboard and touch with it. */
export function Slider({ className, valueText, min, max, value, onValueChange, onValueCommit, ...props }: SliderProps) {
  const share = max > min ? (Math.min(max, Math.max(min, value)) - min) / (max - min) : 0;
  const commit = (element: HTMLInputElement) => onValueCommit?.(element.valueAsNumber);
  return (
    <input
      type="range"
      data-slot="slider"
      aria-valuetext={valueText}
      min={min}
      max={max}
      value={value}
      onChange={(event) => onValueChange(event.currentTarget.valueAsNumber)}
      onPointerUp={(event) => commit(event.currentTarget)}
      onKeyUp={(event) => commit(event.currentTarget)}
      style={{ "--share": share } as React.CSSProperties}
      className={cn("slider h-5 w-full max-md:h-11", className)}
      {...props}
    />
  );
}
