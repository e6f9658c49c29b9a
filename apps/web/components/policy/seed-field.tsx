"use client";

import { useId, useState } from "react";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { cn } from "@/lib/class-names";
import { isSeed } from "@/lib/seed";

type SeedFieldProps = {
  /** Decimal; empty for any. */
  seed: string;
  onChange: (seed: string) => void;
  /** What is said below while the seed is a valid one. */
  hint: string;
};

/** The seed of the random draws. It is taken when the field is left or Enter is pressed, so that no half of a number starts anything. */
export function SeedField({ seed, onChange, hint }: SeedFieldProps) {
  const ids = useId();
  const [typed, setTyped] = useState<string>();
  const text = typed ?? seed;
  const wrong = !isSeed(text);
  const take = () => {
    if (typed !== undefined && !wrong && typed !== seed) onChange(typed);
    if (!wrong) setTyped(undefined);
  };
  return (
    <div className="space-y-1">
      <Label htmlFor={`${ids}-seed`}>Seed</Label>
      <Input
        id={`${ids}-seed`}
        inputMode="numeric"
        autoComplete="off"
        placeholder="any"
        value={text}
        aria-invalid={wrong}
        aria-describedby={`${ids}-rule`}
        onChange={(event) => setTyped(event.target.value.trim())}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key === "Enter") take();
        }}
      />
      <p id={`${ids}-rule`} className={cn("text-meta", wrong ? "text-danger" : "text-text-3")}>
        {wrong ? "A whole number from 0 to 18446744073709551615." : hint}
      </p>
    </div>
  );
}
