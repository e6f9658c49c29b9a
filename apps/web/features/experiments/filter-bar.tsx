import type { Run } from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { CircleHelp, CornerDownLeft, TriangleAlert, X } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { Segmented } from "@/components/ui/segmented";
import { cn } from "@/lib/class-names";
import {
  type AlgorithmChoice,
  algorithms,
  LONGEST_FILTER,
  type Order,
  type RunList,
  type StateChoice,
} from "./list-address";

type FilterBarProps = {
  list: RunList;
  /** The runs that are shown; their sweeps are offered. */
  runs: readonly Run[] | undefined;
  /** Why MLflow refused the search. */
  refused: string | undefined;
  onChange: (part: Partial<RunList>) => void;
};

const stateLabels: Readonly<Record<StateChoice, string>> = {
  running: "Running",
  finished: "Finished",
  failed: "Failed",
  killed: "Stopped",
};

const orders: readonly { value: Order; label: string }[] = [
  { value: "newest", label: "Newest" },
  { value: "best", label: "Best" },
];

const examples = [
  ["metrics.success_rate > 0.9", "a figure's latest value"],
  ["params.ppo.learning_rate = '0.002'", "a parameter; always text"],
  ["attributes.run_name LIKE 'ppo-%'", "part of a name"],
  ["metrics.loss < 0.1 AND attributes.status = 'FINISHED'", "several; there is no OR"],
] as const;

/** Chips for what is asked most, MLflow's own syntax for the rest, and the order. */
export function FilterBar({ list, runs, refused, onChange }: FilterBarProps) {
  const sweeps = [...new Set([list.sweep, ...(runs ?? []).map(({ sweep }) => sweep)])]
    .filter((sweep) => sweep !== "")
    .sort()
    .slice(0, 6);
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b p-2">
      <fieldset className="flex flex-wrap items-center gap-1">
        <legend className="sr-only">State</legend>
        {(Object.keys(stateLabels) as StateChoice[]).map((state) => (
          <Chip
            key={state}
            on={list.state === state}
            onToggle={(on) => onChange({ state: on ? state : "" })}
            label={stateLabels[state]}
          />
        ))}
      </fieldset>
      <fieldset className="flex flex-wrap items-center gap-1">
        <legend className="sr-only">Algorithm</legend>
        {algorithms.map((algorithm: AlgorithmChoice) => (
          <Chip
            key={algorithm}
            on={list.algorithm === algorithm}
            onToggle={(on) => onChange({ algorithm: on ? algorithm : "" })}
            label={algorithm.toUpperCase()}
          />
        ))}
      </fieldset>
      {sweeps.length === 0 ? null : (
        <fieldset className="flex flex-wrap items-center gap-1">
          <legend className="sr-only">Sweep</legend>
          {sweeps.map((sweep) => (
            <Chip
              key={sweep}
              on={list.sweep === sweep}
              onToggle={(on) => onChange({ sweep: on ? sweep : "" })}
              label={sweep}
              name={`Sweep ${sweep}`}
            />
          ))}
        </fieldset>
      )}
      <Search key={list.search} search={list.search} refused={refused} onSearch={(search) => onChange({ search })} />
      <Segmented
        label="Order"
        value={list.order}
        options={orders}
        onChange={(order) => onChange({ order })}
        className="md:ml-auto"
      />
    </div>
  );
}

type ChipProps = { on: boolean; onToggle: (on: boolean) => void; label: string; name?: string };

function Chip({ on, onToggle, label, name }: ChipProps) {
  return (
    <button
      type="button"
      aria-pressed={on}
      aria-label={name}
      onClick={() => onToggle(!on)}
      className={cn(
        "h-7 max-w-48 truncate rounded-full border px-2.5 text-sub transition-colors max-md:h-11 max-md:px-3.5",
        on
          ? "border-transparent bg-accent-soft font-medium text-accent"
          : "bg-raised text-text-2 hover:border-line-strong hover:text-text",
      )}
    >
      {label}
    </button>
  );
}

type SearchProps = { search: string; refused: string | undefined; onSearch: (search: string) => void };

/** MLflow's search syntax; sent with Enter, so that a half-written filter is not refused. */
function Search({ search, refused, onSearch }: SearchProps) {
  const [text, setText] = useState(search);
  const changed = text.trim() !== search;
  return (
    <form
      role="search"
      className="flex min-w-72 flex-1 flex-col gap-1 max-md:min-w-full"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(text.trim());
      }}
    >
      <div className="flex items-center gap-1">
        <div className="relative min-w-0 flex-1">
          <Input
            id="run-search"
            type="text"
            aria-label="Search with MLflow's syntax"
            aria-invalid={refused !== undefined && !changed}
            aria-describedby={refused === undefined ? undefined : "run-search-refused"}
            placeholder="metrics.success_rate > 0.9"
            value={text}
            maxLength={LONGEST_FILTER}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            className="pr-9"
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") event.currentTarget.blur();
            }}
          />
          {changed ? (
            <button
              type="submit"
              aria-label="Search"
              className="absolute inset-y-0 right-0 grid w-9 place-items-center text-accent max-md:w-11"
            >
              <CornerDownLeft className="size-4" aria-hidden="true" />
            </button>
          ) : search === "" ? null : (
            <button
              type="button"
              aria-label="Take the search away"
              onClick={() => onSearch("")}
              className="absolute inset-y-0 right-0 grid w-9 place-items-center text-text-3 hover:text-text max-md:w-11"
            >
              <X className="size-4" aria-hidden="true" />
            </button>
          )}
        </div>
        <Popover>
          <PopoverTrigger asChild>
            <Button variant="ghost" size="icon" aria-label="What the search understands">
              <CircleHelp />
            </Button>
          </PopoverTrigger>
          <PopoverContent className="w-[420px] max-w-[calc(100vw-24px)] p-3">
            <p className="mb-2 text-sub text-text-2">MLflow's search syntax. Enter sends it; the chips hold as well.</p>
            <dl className="space-y-1.5">
              {examples.map(([example, meaning]) => (
                <div key={example}>
                  <dt className="figure text-sub text-text">{example}</dt>
                  <dd className="text-meta text-text-3">{meaning}</dd>
                </div>
              ))}
            </dl>
          </PopoverContent>
        </Popover>
      </div>
      {refused === undefined || changed ? null : (
        <p id="run-search-refused" role="alert" className="flex items-start gap-1.5 text-sub text-danger">
          <TriangleAlert className="mt-0.5 size-3.5 shrink-0" aria-hidden="true" />
          <span className="min-w-0 break-words">{refused}</span>
        </p>
      )}
    </form>
  );
}
