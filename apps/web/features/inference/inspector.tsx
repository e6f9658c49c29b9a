import type { ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { Decision } from "@rlmaze/episode-playback/decision";
import type { ObservationVersion } from "@rlmaze/episode-playback/observation";
import { Eye } from "lucide-react";
import type { ReactNode } from "react";
import { Segmented } from "@/components/ui/segmented";
import { cn } from "@/lib/class-names";
import { decimal } from "@/lib/format";
import { AgentView } from "./agent-view";
import type { FogMode } from "./settings";
import { inputChoices, type WindowInput } from "./what-if";
import { WhatIfPanel } from "./what-if-panel";

const fogOptions = [
  { value: "off", label: "Whole maze" },
  { value: "unseen", label: "Seen so far" },
  { value: "window", label: "Window only" },
] as const satisfies readonly { value: FogMode; label: string }[];

/** What the agent sees, and what it would decide if it saw something else. */
export type Perception = {
  /** Undefined for what sees no 25 cells. */
  version: ObservationVersion | undefined;
  inputs: readonly WindowInput[];
  kind: ScoreKind;
  /** Decision on the real observation. */
  now: Decision | undefined;
  /** Decision on the changed one. */
  changed: Decision | undefined;
  flips: number;
  /** Input whose choices are shown. */
  selected: number | undefined;
  problem: string | undefined;
};

type InspectorProps = {
  perception: Perception;
  fog: FogMode;
  onFog: (fog: FogMode) => void;
  /** Turns an input into the next thing. */
  onTurn: (at: number) => void;
  /** Sets an input to a number. */
  onSet: (at: number, value: number) => void;
  onReset: () => void;
  className?: string;
};

/** The 25 inputs beside the decision they lead to; each can be changed, and the rest of the maze hidden. */
export function Inspector({ perception, fog, onFog, onTurn, onSet, onReset, className }: InspectorProps) {
  const { version, inputs, selected } = perception;
  const input = selected === undefined ? undefined : inputs[selected];
  return (
    <section aria-label="What the agent sees" className={cn("@container space-y-1.5", className)}>
      <Heading icon={<Eye className="size-3.5" aria-hidden="true" />} note={version}>
        What the agent sees
      </Heading>
      <div className="grid grid-cols-[minmax(0,176px)_minmax(0,1fr)] gap-3 @max-[300px]:grid-cols-1 max-md:grid-cols-[minmax(0,228px)_minmax(0,1fr)]">
        <AgentView inputs={inputs} selected={selected} onInput={onTurn} />
        <WhatIfPanel
          kind={perception.kind}
          now={perception.now}
          changed={perception.changed}
          flips={perception.flips}
          problem={perception.problem}
          onReset={onReset}
        />
      </div>
      <div className="flex min-h-6 flex-wrap items-center gap-1 max-md:min-h-11">
        {input === undefined || version === undefined ? (
          <p className="text-meta text-text-3">Click a cell of the window: what if it were something else?</p>
        ) : (
          inputChoices(version).map((choice) => (
            <button
              key={choice.name}
              type="button"
              aria-pressed={choice.value === input.value}
              title={choice.does}
              aria-label={`${choice.does ?? choice.name}, ${decimal(choice.value, 2)}`}
              onClick={() => onSet(input.at, choice.value)}
              className={cn(
                "h-6 whitespace-nowrap rounded-full border px-2 text-meta transition-colors max-md:h-11",
                choice.value === input.value
                  ? "border-warn text-text"
                  : "border-line text-text-2 hover:border-line-strong hover:text-text",
              )}
            >
              {choice.name}{" "}
              <span className="figure text-text-3">
                {decimal(choice.value, Number.isInteger(choice.value) ? 0 : 1)}
              </span>
            </button>
          ))
        )}
      </div>
      <Segmented
        label="Rest of the maze"
        value={fog}
        options={fogOptions}
        onChange={onFog}
        className="h-7 w-full max-md:h-[46px] max-md:p-0"
      />
    </section>
  );
}

/** Head of a part of the column beside the board. */
export function Heading({ icon, note, children }: { icon?: ReactNode; note?: ReactNode; children: ReactNode }) {
  return (
    <h2 className="flex h-5 items-center gap-1.5 text-sub text-text-2">
      {icon}
      {children}
      {note === undefined ? null : <span className="figure ml-auto text-meta text-text-3">{note}</span>}
    </h2>
  );
}
