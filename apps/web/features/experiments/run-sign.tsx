import type { RunLook } from "./chart-lines";

/** The number of a run beside a piece of its line. */
export function RunSign({ look, faded = false }: { look: RunLook; faded?: boolean }) {
  return (
    <span className={faded ? "flex items-center gap-1.5 opacity-40" : "flex items-center gap-1.5"}>
      <span className="figure w-3 text-right text-meta text-text-3">{look.number}</span>
      <svg width="20" height="8" aria-hidden="true" className="shrink-0">
        <line
          x1="0"
          x2="20"
          y1="4"
          y2="4"
          stroke={`var(${look.color})`}
          strokeWidth="2.5"
          {...(look.dash === undefined ? {} : { strokeDasharray: look.dash.join(" ") })}
        />
      </svg>
    </span>
  );
}
