import type { Model } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { CornerDownLeft, X } from "lucide-react";
import { useState } from "react";
import { Input } from "@/components/ui/input";
import { Segmented } from "@/components/ui/segmented";
import {
  Select,
  SelectContent,
  SelectGroup,
  SelectItem,
  SelectLabel,
  SelectTrigger,
  SelectValue,
} from "@/components/ui/select";
import { baselineSlugs } from "@/lib/moment-link";
import { type DayChoice, dayChoices, type EpisodeList, isMazeId } from "./episode-address";
import { baselineKey, baselineOf, baselineTitle } from "./episode-words";

type EpisodeFiltersProps = {
  list: EpisodeList;
  models: readonly Model[];
  onChange: (part: Partial<EpisodeList>) => void;
};

/** A list knows no empty value. */
const EVERYBODY = "everybody";

const outcomes = [
  { value: "any", label: "Any end" },
  { value: "goal", label: "Goal", name: "Reached the goal" },
  { value: "limit", label: "Limit", name: "Ended at the step limit" },
] as const;

const views = [
  { value: "episodes", label: "Episodes" },
  { value: "failures", label: "Failures", name: "Failures by policy and maze" },
] as const;

const dayNames: Readonly<Record<DayChoice, string>> = { 1: "Today", 7: "7 days", 31: "31 days" };
const ranges = dayChoices.map((days) => ({ value: String(days), label: dayNames[days], days }));

/** What is shown, who ran, where, and how it ended. */
export function EpisodeFilters({ list, models, onChange }: EpisodeFiltersProps) {
  const isBaseline = list.policy.startsWith("baseline_");
  // An episode outlives its model.
  const isUnknown = list.policy !== "" && !isBaseline && !models.some(({ modelId }) => modelId === list.policy);
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-2 border-b p-2">
      <Segmented
        label="Shown"
        value={list.view}
        options={views}
        onChange={(view) => onChange({ view })}
        className="max-md:w-full"
      />
      <Select
        value={list.policy === "" ? EVERYBODY : list.policy}
        onValueChange={(policy) => onChange({ policy: policy === EVERYBODY ? "" : policy })}
      >
        <SelectTrigger aria-label="Who ran" className="w-56 max-md:w-0 max-md:flex-1">
          <SelectValue>
            <span className="truncate">
              {list.policy === "" ? "Everybody" : isBaseline ? baselineTitle(baselineOf(list.policy)) : list.policy}
            </span>
          </SelectValue>
        </SelectTrigger>
        <SelectContent>
          <SelectItem value={EVERYBODY}>Everybody</SelectItem>
          <SelectGroup>
            <SelectLabel className="mt-1 border-t pt-2">Models</SelectLabel>
            {isUnknown ? (
              <SelectItem value={list.policy} detail="not on this server">
                {list.policy}
              </SelectItem>
            ) : null}
            {models.map(({ modelId, title }) => (
              <SelectItem key={modelId} value={modelId} detail={title}>
                {modelId}
              </SelectItem>
            ))}
          </SelectGroup>
          <SelectGroup>
            <SelectLabel className="mt-1 border-t pt-2">Baselines, without learning</SelectLabel>
            {[...baselineSlugs.keys()].map((baseline) => (
              <SelectItem key={baseline} value={baselineKey(baseline)}>
                {baselineTitle(baseline)}
              </SelectItem>
            ))}
          </SelectGroup>
        </SelectContent>
      </Select>
      <MazeField key={list.mazeId} mazeId={list.mazeId} onChange={(mazeId) => onChange({ mazeId })} />
      {list.view === "episodes" ? (
        <Segmented
          label="End"
          value={list.outcome === "" ? "any" : list.outcome}
          options={outcomes}
          onChange={(outcome) => onChange({ outcome: outcome === "any" ? "" : outcome })}
          className="max-md:w-full"
        />
      ) : (
        <Segmented
          label="Days"
          value={String(list.days)}
          options={ranges}
          onChange={(value) => {
            const range = ranges.find((candidate) => candidate.value === value);
            if (range !== undefined) onChange({ days: range.days });
          }}
          className="max-md:w-full"
        />
      )}
    </div>
  );
}

/** The id of a maze; taken with Enter, so that no half of an id is searched for. */
function MazeField({ mazeId, onChange }: { mazeId: string; onChange: (mazeId: string) => void }) {
  const [text, setText] = useState(mazeId);
  const wanted = text.trim();
  const wrong = !isMazeId(wanted);
  const changed = wanted !== mazeId;
  const side = "absolute inset-y-0 right-0 grid w-9 place-items-center max-md:w-11";
  return (
    <form
      className="relative w-56 max-md:w-0 max-md:flex-1"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) onChange(wanted);
      }}
    >
      <Input
        aria-label="Maze"
        aria-invalid={wrong}
        placeholder="any maze"
        value={text}
        maxLength={128}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        className="pr-9"
        onChange={(event) => setText(event.target.value)}
      />
      {changed ? (
        <button type="submit" aria-label="Search this maze" disabled={wrong} className={`${side} text-accent`}>
          <CornerDownLeft className="size-4" aria-hidden="true" />
        </button>
      ) : mazeId === "" ? null : (
        <button
          type="button"
          aria-label="Any maze"
          onClick={() => onChange("")}
          className={`${side} text-text-3 hover:text-text`}
        >
          <X className="size-4" aria-hidden="true" />
        </button>
      )}
    </form>
  );
}
