import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import { cn } from "@/lib/class-names";

type LaneSignProps = { lane: number; theme: MazeTheme; className?: string };

const shapes = [
  <circle key="circle" cx="10" cy="10" r="7.5" />,
  <rect key="square" x="3.4" y="3.4" width="13.2" height="13.2" />,
  <path key="triangle" d="M10 1.6l8.4 15H1.6z" strokeLinejoin="round" />,
  <path key="cross" d="M6.6 2.2h6.8v4.4h4.4v6.8h-4.4v4.4H6.6v-4.4H2.2V6.6h4.4z" strokeLinejoin="round" />,
] as const;

/** The sign of a lane as the board draws it: a shape, a lightness and a number of its own. */
export function LaneSign({ lane, theme, className }: LaneSignProps) {
  const fill = theme.lanes[lane as 0 | 1 | 2 | 3] ?? theme.agent;
  return (
    <svg viewBox="0 0 20 20" className={cn("size-5 shrink-0", className)} aria-hidden="true">
      <g fill={fill} stroke="var(--line-strong)" strokeWidth="1">
        {shapes[lane]}
      </g>
      <text
        x="10"
        y={lane === 2 ? 15 : 13.6}
        textAnchor="middle"
        className="figure font-semibold"
        style={{ fontSize: lane === 2 ? 9 : 10 }}
        fill={inkOn(fill)}
      >
        {lane + 1}
      </text>
    </svg>
  );
}

/** Black or white, whichever is read better on a colour `#rrggbb`. */
export function inkOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  // The luminance at which both have the same contrast.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#0a0c11" : "#ffffff";
}
