"use client";

import { Download } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Label } from "@/components/ui/label";
import { Panel } from "@/components/ui/panel";
import { Segmented } from "@/components/ui/segmented";
import { Slider } from "@/components/ui/slider";
import { Switch } from "@/components/ui/switch";
import type { Spread } from "./band";
import type { Comparison } from "./compare-address";
import type { Along } from "./metric-curve";

type CompareToolbarProps = {
  comparison: Comparison;
  onChange: (part: Partial<Comparison>) => void;
  /** Whether some runs differ in their seed only. */
  hasSeeds: boolean;
  /** Whether a run goes on, so that the curves grow. */
  live: boolean;
  exporting: boolean;
  onExport: () => void;
};

const alongs: readonly { value: Along; label: string }[] = [
  { value: "steps", label: "Steps" },
  { value: "time", label: "Time" },
];

const scales: readonly { value: "linear" | "log"; label: string; name: string }[] = [
  { value: "linear", label: "Lin", name: "Linear values" },
  { value: "log", label: "Log", name: "Logarithmic values" },
];

const spreads: readonly { value: Spread; label: string; name: string }[] = [
  { value: "range", label: "Range", name: "Band from the lowest to the highest seed" },
  { value: "interval", label: "95 %", name: "Band of the 95 % interval of the mean" },
];

/** How the curves are drawn. */
export function CompareToolbar({ comparison, onChange, hasSeeds, live, exporting, onExport }: CompareToolbarProps) {
  const id = useId();
  return (
    <Panel aria-label="How the curves are drawn" className="shrink-0">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-2 px-3 py-2">
        <Segmented
          label="Along"
          value={comparison.along}
          options={alongs}
          onChange={(along) => onChange({ along, at: undefined })}
        />
        <Smoothing value={comparison.smoothing} onChange={(smoothing) => onChange({ smoothing })} />
        <Segmented
          label="Values"
          value={comparison.logarithmic ? "log" : "linear"}
          options={scales}
          onChange={(scale) => onChange({ logarithmic: scale === "log" })}
        />
        <div className="flex items-center gap-2">
          <Switch
            id={id}
            checked={comparison.bySeed}
            disabled={!hasSeeds && !comparison.bySeed}
            aria-describedby={hasSeeds ? undefined : `${id}-why`}
            onCheckedChange={(bySeed) => onChange({ bySeed })}
          />
          <Label htmlFor={id}>Mean over seeds</Label>
          {hasSeeds ? null : (
            <span id={`${id}-why`} className="text-meta text-text-3">
              no two runs differ in their seed only
            </span>
          )}
        </div>
        {comparison.bySeed && hasSeeds ? (
          <Segmented
            label="Band"
            value={comparison.spread}
            options={spreads}
            onChange={(spread) => onChange({ spread })}
          />
        ) : null}
        <div className="ml-auto flex items-center gap-2">
          {live ? (
            <Badge tone="accent">
              <span className="size-1.5 animate-status-pulse rounded-full bg-current" aria-hidden="true" />
              live
            </Badge>
          ) : null}
          <Button size="sm" disabled={exporting} onClick={onExport}>
            <Download aria-hidden="true" />
            {exporting ? "Reading every point…" : "Export CSV"}
          </Button>
        </div>
      </div>
    </Panel>
  );
}

/** Follows the thumb at once, whatever the charts are busy with. */
function Smoothing({ value, onChange }: { value: number; onChange: (value: number) => void }) {
  const [shown, setShown] = useState(value);
  useEffect(() => setShown(value), [value]);
  return (
    <div className="flex items-center gap-2">
      <span className="text-sub text-text-2">Smoothing</span>
      <Slider
        aria-label="Smoothing"
        valueText={shown === 0 ? "none" : shown.toFixed(2)}
        min={0}
        max={1}
        step={0.05}
        value={shown}
        onValueChange={(next) => {
          setShown(next);
          onChange(Math.round(next * 100) / 100);
        }}
        className="w-28"
      />
      <span className="figure w-8 text-sub text-text-3">{shown === 0 ? "off" : shown.toFixed(2)}</span>
    </div>
  );
}
