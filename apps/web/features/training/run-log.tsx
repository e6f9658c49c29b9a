import { timestampDate } from "@bufbuild/protobuf/wkt";
import { LogLevel, type TrainingEvent, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { memo } from "react";
import { Panel, PanelHead, PanelTitle } from "@/components/ui/panel";
import { cn } from "@/lib/class-names";
import { phaseWord, stateWord } from "./training-words";

/** The newest lines are enough to read; a thousand rows in the page would be slow. */
const SHOWN_LINES = 200;

/** Changes of state and log lines, the newest on top. */
export const RunLog = memo(function RunLog({
  lines,
  className,
}: {
  lines: readonly TrainingEvent[];
  className?: string;
}) {
  const shown = lines.slice(-SHOWN_LINES).reverse();
  return (
    <Panel className={className ?? ""} aria-label="Log">
      <PanelHead>
        <PanelTitle>Log</PanelTitle>
        <span className="text-sub text-text-3">
          <span className="figure">{lines.length}</span> lines
        </span>
      </PanelHead>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by the keyboard. */}
      <section aria-label="Lines of the log" tabIndex={0} className="scroll-thin min-h-0 flex-1 overflow-y-auto py-1">
        {shown.length === 0 ? <p className="px-3 py-1 text-sub text-text-3">Nothing happened yet.</p> : null}
        <ol>
          {shown.map((line) => (
            <li key={String(line.sequence)} className="flex items-baseline gap-3 px-3 py-0.5 text-sub">
              <time className="figure shrink-0 text-meta text-text-3">{timeOf(line)}</time>
              <Words line={line} />
            </li>
          ))}
        </ol>
      </section>
    </Panel>
  );
});

function Words({ line: { event } }: { line: TrainingEvent }) {
  if (event.case === "stateChange") {
    const { state, phase, reason } = event.value;
    const { word, tone } = stateWord(state);
    return (
      <p className={cn("min-w-0", tone === "danger" ? "text-danger" : tone === "ok" ? "text-ok" : "text-text")}>
        {state === TrainingState.RUNNING ? phaseWord(phase) : capital(word)}
        {reason === "" ? "" : `: ${reason}`}
      </p>
    );
  }
  if (event.case !== "logLine") return null;
  const { level, text } = event.value;
  const mark = level === LogLevel.ERROR ? "Error: " : level === LogLevel.WARNING ? "Warning: " : "";
  return (
    <p
      className={cn(
        "min-w-0 break-words",
        level === LogLevel.ERROR ? "text-danger" : level === LogLevel.WARNING ? "text-warn" : "text-text-2",
      )}
    >
      {mark}
      {text}
    </p>
  );
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function timeOf({ happenedAt }: TrainingEvent): string {
  return happenedAt === undefined ? "–" : timestampDate(happenedAt).toLocaleTimeString([], { hour12: false });
}
