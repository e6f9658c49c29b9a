import { ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { type HeatScale, heatGradient } from "@rlmaze/maze-canvas/heat-ramp";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { cn } from "@/lib/class-names";
import { decimal } from "@/lib/format";

const signs = [
  { name: "Wall", sign: <span className="size-3 rounded-[3px] border border-line-strong bg-maze-wall" /> },
  { name: "Path", sign: <span className="size-3 rounded-[3px] border border-line-strong bg-maze-path" /> },
  { name: "Start", sign: <span className="size-3 rounded-full border-[2.5px] border-maze-start" /> },
  { name: "Goal", sign: <span className="size-2.5 rotate-45 bg-maze-goal" /> },
  {
    name: "Agent",
    sign: (
      <span className="size-3.5 rounded-full border-2 border-maze-agent-ring bg-maze-agent outline outline-maze-casing" />
    ),
  },
  { name: "Visited", sign: <span className="size-3 rounded-[3px] bg-maze-visited" /> },
  { name: "Trail", sign: <span className="h-[3px] w-4 rounded-full bg-maze-trail" /> },
  { name: "Window", sign: <span className="size-3 rounded-[3px] border-2 border-text-2" /> },
  {
    name: "Known dead end",
    sign: (
      <span className="size-3 rounded-[3px] bg-maze-wall [background-image:repeating-linear-gradient(135deg,var(--line-strong)_0_2px,transparent_2px_4px)]" />
    ),
  },
] as const;

/** What the shapes on the board mean. */
export function Legend({ className }: { className?: string }) {
  return (
    <ul aria-label="Legend" className={cn("text-sub text-text-2", className)}>
      {signs.map(({ name, sign }) => (
        <li key={name} className="flex items-center gap-2 whitespace-nowrap">
          <span className="grid w-4 place-items-center" aria-hidden="true">
            {sign}
          </span>
          {name}
        </li>
      ))}
    </ul>
  );
}

type HeatLegendProps = {
  /** Scale that is drawn now; undefined when heat is off or not known yet. */
  scale: HeatScale | undefined;
  theme: MazeTheme;
  kind: ScoreKind;
  className?: string;
};

/** The scale of the heat: what is few and what is many. */
export function HeatLegend({ scale, theme, kind, className }: HeatLegendProps) {
  if (scale === undefined) return null;
  const digits = scale.log ? 0 : 2;
  const name = scale.log ? "Visits, log" : `Value ${kind === ScoreKind.Q_VALUE ? "max Q" : "V(s)"}`;
  const text = (amount: number) => decimal(amount, digits);
  return (
    <div
      role="img"
      aria-label={`${name}, from ${text(scale.low)} to ${text(scale.high)}`}
      className={cn("flex items-center gap-2 whitespace-nowrap text-sub text-text-2", className)}
    >
      <span aria-hidden="true">{name}</span>
      <span aria-hidden="true" className="figure ml-1 text-meta text-text-3">
        {text(scale.low)}
      </span>
      <span
        aria-hidden="true"
        className="h-2 flex-1 rounded-full"
        style={{ background: heatGradient(theme[scale.mode], scale, "to right") }}
      />
      <span aria-hidden="true" className="figure text-meta text-text-3">
        {text(scale.high)}
      </span>
    </div>
  );
}
