import { type KeyboardEvent, useRef, useState } from "react";
import { cn } from "@/lib/class-names";
import { decimal } from "@/lib/format";
import { AGENT_INPUT, freshnessOf, type InputKind, type WindowInput } from "./what-if";

const SIDE = 5;

const kindName: Record<InputKind, string> = {
  wall: "wall",
  "dead-end": "known dead end, looks like wall",
  goal: "goal",
  path: "open",
  visited: "visited",
};

type AgentViewProps = {
  /** 25 of them, or none before there is a maze. */
  inputs: readonly WindowInput[];
  /** Place whose number the choices below are about. */
  selected: number | undefined;
  /** A person turned to an input; `turn` is true when it is to become something else. */
  onInput: (at: number, turn: boolean) => void;
  className?: string;
};

const moves: Record<string, number> = { ArrowUp: -SIDE, ArrowDown: SIDE, ArrowLeft: -1, ArrowRight: 1 };

/** The 25 inputs of the network as a picture, with their numbers. A click on one turns it into something else. */
export function AgentView({ inputs, selected, onInput, className }: AgentViewProps) {
  const grid = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState(AGENT_INPUT);
  const around = [7, 17, 11, 13].map((at) => kindName[inputs[at]?.kind ?? "wall"]);
  const onKeyDown = (event: KeyboardEvent) => {
    const move = moves[event.key];
    if (move === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = focused + move;
    const sameRow = Math.floor(next / SIDE) === Math.floor(focused / SIDE);
    if (next < 0 || next >= SIDE * SIDE || (Math.abs(move) === 1 && !sameRow)) return;
    setFocused(next);
    grid.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div
      role="group"
      aria-label={
        inputs.length === 0
          ? "What the agent sees: nothing yet"
          : `What the agent sees: up ${around[0]}, down ${around[1]}, left ${around[2]}, right ${around[3]}`
      }
      className={className}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys move the focus among the buttons inside. */}
      <div
        ref={grid}
        onKeyDown={onKeyDown}
        className="grid aspect-square w-full grid-cols-5 grid-rows-5 gap-px overflow-hidden rounded-small border bg-line p-px"
      >
        {Array.from({ length: SIDE * SIDE }, (_, at) => (
          <InputCell
            // biome-ignore lint/suspicious/noArrayIndexKey: the 25 places are fixed; what is in them changes.
            key={at}
            at={at}
            input={inputs[at]}
            isSelected={at === selected}
            isTabStop={at === focused}
            onFocus={() => setFocused(at)}
            onPress={() => onInput(at, true)}
          />
        ))}
      </div>
    </div>
  );
}

type InputCellProps = {
  at: number;
  input: WindowInput | undefined;
  isSelected: boolean;
  isTabStop: boolean;
  onFocus: () => void;
  onPress: () => void;
};

function InputCell({ at, input, isSelected, isTabStop, onFocus, onPress }: InputCellProps) {
  const kind = input?.kind ?? "wall";
  const changed = input !== undefined && input.value !== input.original;
  return (
    <button
      type="button"
      disabled={input === undefined}
      tabIndex={isTabStop ? 0 : -1}
      data-input={at}
      data-kind={input?.kind}
      aria-pressed={changed}
      aria-label={inputLabel(at, input)}
      title={inputLabel(at, input)}
      onFocus={onFocus}
      onClick={onPress}
      className={cn(
        "group relative grid min-h-0 min-w-0 place-items-center focus-visible:z-10 focus-visible:outline-offset-[-2px]",
        kind === "wall" || kind === "dead-end" ? "bg-maze-wall" : "bg-maze-path",
      )}
    >
      {kind === "dead-end" ? (
        <span className="absolute inset-0 opacity-70 [background:repeating-linear-gradient(135deg,var(--maze-path)_0_3px,transparent_3px_7px)]" />
      ) : null}
      {kind === "visited" && input !== undefined ? (
        <span className="absolute inset-0 bg-maze-trail" style={{ opacity: 0.12 + freshnessOf(input.value) * 0.45 }} />
      ) : null}
      {kind === "goal" ? <span className="absolute top-[18%] size-[34%] rotate-45 bg-maze-goal" /> : null}
      {at === AGENT_INPUT ? (
        <span className="absolute top-[9%] size-[40%] rounded-full border-2 border-maze-agent-ring bg-maze-agent" />
      ) : null}
      {input === undefined ? null : (
        <span
          className={cn(
            "figure absolute inset-x-0 bottom-0.5 text-center text-[9px] leading-3 max-md:text-[10px]",
            kind === "wall" ? "text-text-3" : "text-text-2",
          )}
        >
          {shortNumber(input.value)}
        </span>
      )}
      <span
        className={cn(
          "pointer-events-none absolute inset-0 border-2 border-transparent group-hover:border-line-strong",
          changed && "border-warn",
          isSelected && "border-accent",
          changed && isSelected && "border-warn border-dashed",
        )}
      />
    </button>
  );
}

function inputLabel(at: number, input: WindowInput | undefined): string {
  const row = Math.floor(at / SIDE) - 2;
  const col = (at % SIDE) - 2;
  const vertical = row === 0 ? "" : `${Math.abs(row)} ${row < 0 ? "up" : "down"}`;
  const sideways = col === 0 ? "" : `${Math.abs(col)} ${col < 0 ? "left" : "right"}`;
  const place = [vertical, sideways].filter((text) => text !== "").join(", ") || "the agent's cell";
  if (input === undefined) return place;
  const changed = input.value === input.original ? "" : `, changed from ${decimal(input.original, 2)}`;
  return `${place}: ${kindName[input.kind]}, ${decimal(input.value, 2)}${changed}`;
}

/** A number of −1 to 1 in four characters at most. */
function shortNumber(value: number): string {
  return Number.isInteger(value) ? decimal(value, 0) : decimal(value, 2).replace("0.", ".");
}
