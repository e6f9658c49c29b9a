"use client";

import { useId, useState } from "react";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { Segmented } from "@/components/ui/segmented";
import { cn } from "@/lib/class-names";
import type { MomentSampling } from "@/lib/moment-link";

type SamplingFieldProps = {
  sampling: MomentSampling;
  onChange: (sampling: MomentSampling) => void;
  /** What is sampled, for screen readers: "Sampling of lane 2". */
  label?: string;
};

const kinds = [
  { value: "greedy", label: "Greedy", name: "Greedy: the best action" },
  { value: "softmax", label: "Softmax", name: "Softmax: draws by probability" },
] as const;

const LOWEST = 0.01;
const HIGHEST = 10;

/** A temperature as it was typed; undefined when it is none. */
export function readTemperature(text: string): number | undefined {
  const temperature = Number(text.replace(",", "."));
  return text.trim() !== "" && temperature >= LOWEST && temperature <= HIGHEST ? temperature : undefined;
}

/** Greedy or softmax, and the temperature of the latter. A temperature out of range is said and not taken. */
export function SamplingField({ sampling, onChange, label = "Sampling" }: SamplingFieldProps) {
  const ids = useId();
  const [typed, setTyped] = useState<string>();
  const text = typed ?? (sampling === "greedy" ? "1" : String(sampling.temperature));
  const wrong = readTemperature(text) === undefined;
  return (
    <div className="space-y-2">
      <Segmented
        label={label}
        value={sampling === "greedy" ? "greedy" : "softmax"}
        options={kinds}
        onChange={(kind) => {
          setTyped(undefined);
          onChange(kind === "greedy" ? "greedy" : { temperature: readTemperature(text) ?? 1 });
        }}
        className="w-full"
      />
      {sampling === "greedy" ? null : (
        <div className="space-y-1">
          <div className="flex items-center justify-between gap-3">
            <Label htmlFor={`${ids}-temperature`}>Temperature</Label>
            <div className="w-24">
              <Input
                id={`${ids}-temperature`}
                inputMode="decimal"
                autoComplete="off"
                value={text}
                aria-invalid={wrong}
                aria-describedby={`${ids}-rule`}
                onChange={(event) => {
                  setTyped(event.target.value);
                  const temperature = readTemperature(event.target.value);
                  if (temperature !== undefined) onChange({ temperature });
                }}
                onBlur={() => setTyped(undefined)}
              />
            </div>
          </div>
          <p id={`${ids}-rule`} className={cn("text-meta", wrong ? "text-danger" : "text-text-3")}>
            {wrong ? "A number from 0.01 to 10." : "1 samples the policy as it was trained; lower is greedier."}
          </p>
        </div>
      )}
    </div>
  );
}
