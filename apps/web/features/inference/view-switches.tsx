import type { ReactNode } from "react";
import { Segmented } from "@/components/ui/segmented";
import { Tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/class-names";
import type { HeatMode, InferenceSettings } from "./settings";

const heatOptions = [
  { value: "visits", label: "Visits" },
  { value: "value", label: "Value" },
  { value: "off", label: "Off" },
] as const satisfies readonly { value: HeatMode; label: string }[];

type LayerName = "arrows" | "trail" | "shortestPath" | "worseSteps";

const layers: readonly { name: LayerName; label: string; key: string; does: string; sign: ReactNode }[] = [
  { name: "arrows", label: "Policy", key: "P", does: "What the policy would do in every cell", sign: "↗" },
  { name: "trail", label: "Trail", key: "T", does: "The way of the last steps", sign: "∿" },
  { name: "shortestPath", label: "Shortest", key: "O", does: "The shortest path from here to the goal", sign: "◆" },
  { name: "worseSteps", label: "Worse", key: "W", does: "Where it chose worse than the shortest path", sign: "◥" },
];

type ViewSwitchesProps = {
  settings: InferenceSettings;
  onSettings: (change: Partial<InferenceSettings>) => void;
  className?: string;
};

/** What lies over the maze: one heat, and any of the layers. */
export function ViewSwitches({ settings, onSettings, className }: ViewSwitchesProps) {
  return (
    <div className={cn("flex items-center gap-2 max-md:w-full max-md:flex-wrap max-md:gap-1.5", className)}>
      <Segmented
        label="Heat"
        value={settings.heat}
        options={heatOptions}
        onChange={(heat) => onSettings({ heat })}
        className="h-7 max-md:h-[46px] max-md:w-full max-md:p-0"
      />
      <div className="flex items-center gap-1 max-md:grid max-md:w-full max-md:grid-cols-4">
        {layers.map(({ name, label, key, does, sign }) => (
          <Tooltip key={name} text={does} shortcut={key} side="bottom">
            <button
              type="button"
              role="switch"
              aria-checked={settings[name]}
              aria-label={label}
              onClick={() => onSettings({ [name]: !settings[name] })}
              className={cn(
                "flex h-7 items-center justify-center gap-1.5 whitespace-nowrap rounded-full border px-2 text-sub transition-colors max-md:h-11 max-md:rounded-control",
                settings[name]
                  ? "border-line-strong bg-active text-text"
                  : "border-line text-text-3 hover:border-line-strong hover:text-text",
              )}
            >
              <span aria-hidden="true" className={cn("text-[10px]", settings[name] ? "text-accent" : "text-text-3")}>
                {sign}
              </span>
              {label}
            </button>
          </Tooltip>
        ))}
      </div>
    </div>
  );
}
