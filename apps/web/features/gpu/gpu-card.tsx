import type { Gpu } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import { Badge } from "@/components/ui/badge";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { cn } from "@/lib/class-names";
import { percent } from "@/lib/format";
import { CourseChart } from "./course-chart";
import { courseOf, type GpuReading } from "./gpu-readings";
import { type GpuFigure, gpuFigures, NOT_AVAILABLE } from "./gpu-words";

type GpuCardProps = {
  /** The device as it was read last. */
  gpu: Gpu;
  readings: readonly GpuReading[];
  /** When the newest reading was taken, milliseconds since the epoch. */
  now: number;
  /** Length of the charts. */
  minutes: number;
  /** The figures are not of now. */
  stale: boolean;
};

/** One device: four figures, each with its last minutes. */
export function GpuCard({ gpu, readings, now, minutes, stale }: GpuCardProps) {
  return (
    <Panel aria-label={`GPU ${gpu.index}`}>
      <PanelHead>
        <PanelTitle>
          {gpu.name || "Unnamed GPU"} <span className="figure font-normal text-text-3">cuda:{gpu.index}</span>
        </PanelTitle>
        {stale ? <Badge tone="warn">read before</Badge> : <Badge tone="ok">live</Badge>}
      </PanelHead>
      <div
        className={cn(
          "grid flex-1 grid-cols-2 gap-px lg:min-h-0 lg:auto-rows-fr bg-line transition-opacity max-md:grid-cols-1",
          stale && "opacity-60",
        )}
      >
        {gpuFigures.map((figure) => (
          <Figure key={figure.key} figure={figure} gpu={gpu} readings={readings} now={now} minutes={minutes} />
        ))}
      </div>
    </Panel>
  );
}

type FigureProps = Omit<GpuCardProps, "stale"> & { figure: GpuFigure };

function Figure({ figure, gpu, readings, now, minutes }: FigureProps) {
  const value = figure.pick(gpu);
  const limit = figure.limit(gpu);
  const share = value !== undefined && limit !== undefined && limit > 0 ? Math.min(1, value / limit) : undefined;
  return (
    <div role="group" aria-label={figure.name} className="flex min-w-0 flex-col bg-panel p-3 pb-1">
      <h3 className="text-sub text-text-2">{figure.name}</h3>
      <p className="flex items-baseline gap-2">
        <span className={cn("figure font-medium text-key", value === undefined && "text-text-3")}>
          {value === undefined ? NOT_AVAILABLE : figure.write(value)}
        </span>
        <span className="figure truncate text-meta text-text-3">
          {value === undefined ? "the driver does not report it" : figure.note(gpu)}
        </span>
      </p>
      <div
        role="meter"
        aria-label={`${figure.name}, share of its limit`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((share ?? 0) * 100)}
        aria-valuetext={share === undefined ? "no limit is known" : percent(share, 0)}
        className={cn("mt-1.5 h-1 overflow-hidden rounded-full", share === undefined ? "bg-transparent" : "bg-active")}
      >
        {share === undefined ? null : (
          <div
            className="h-full rounded-full"
            style={{ width: `${share * 100}%`, background: `var(${figure.color})` }}
          />
        )}
      </div>
      <CourseChart
        label={figure.name}
        color={figure.color}
        course={courseOf(readings, gpu.index, now, figure.pick)}
        write={figure.write}
        minutes={minutes}
        low={0}
        {...(limit === undefined ? {} : { high: limit })}
        syncKey={`gpu-${gpu.index}`}
        empty={value === undefined ? `${figure.name} is not reported.` : "The first readings are on their way."}
        className="mt-1 h-28 lg:h-auto lg:min-h-28 lg:flex-1"
      />
    </div>
  );
}
