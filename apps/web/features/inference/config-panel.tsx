"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { type Model, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { type ReactNode, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { Segmented } from "@/components/ui/segmented";
import { Slider } from "@/components/ui/slider";
import { Switch } from "@/components/ui/switch";
import { MazeChoice } from "@/features/mazes/maze-choice";
import { cn } from "@/lib/class-names";
import { decimal, percent } from "@/lib/format";
import { isSeed } from "@/lib/seed";
import { ModelSelect } from "./model-select";
import type { InferenceSettings } from "./settings";
import { positionOf, SLIDER_MAX, speedAt, speedText } from "./speed";

export type ConfigPanelProps = {
  models: readonly Model[];
  /** The model that acts, resolved. */
  model: Model | undefined;
  maze: Maze | undefined;
  /** Seed of the episode that is shown. */
  seed: bigint | undefined;
  settings: InferenceSettings;
  onSettings: (change: Partial<InferenceSettings>) => void;
  onMaze: (maze: Maze) => void;
  className?: string;
};

/** Softmax temperature from 0.01 to 10 on a slider whose equal distances are equal factors. */
const temperatureAt = (position: number) => Number((0.01 * 1000 ** (position / 100)).toPrecision(2));
const positionOfTemperature = (temperature: number) =>
  Math.round((Math.log(temperature / 0.01) / Math.log(1000)) * 100);

/** What runs: model, maze, seed, sampling, and how the page behaves. Every change starts anew and is kept in this browser. */
export function ConfigPanel({ models, model, maze, seed, settings, onSettings, onMaze, className }: ConfigPanelProps) {
  const ids = useId();
  return (
    <div className={cn("space-y-4", className)}>
      <Field label="Model" htmlFor={`${ids}-model`}>
        <ModelSelect
          id={`${ids}-model`}
          models={models}
          modelId={settings.modelId}
          onChange={(modelId) => onSettings({ modelId })}
        />
        {model === undefined ? null : <ModelFacts model={model} />}
      </Field>

      <Field label="Maze">
        <MazeChoice maze={maze} setId={settings.setId} onPick={onMaze} />
        {maze?.tests ? <p className="text-meta text-text-3">{maze.tests}</p> : null}
      </Field>

      <Field label="Default speed" value={speedText(settings.defaultSpeed)}>
        <Slider
          aria-label="Default speed"
          valueText={speedText(settings.defaultSpeed)}
          min={0}
          max={SLIDER_MAX}
          value={positionOf(settings.defaultSpeed)}
          onValueChange={(position) => onSettings({ defaultSpeed: speedAt(position) })}
        />
      </Field>

      <Field label="Action">
        <Segmented
          label="Sampling"
          value={settings.sampling}
          options={[
            { value: "greedy", label: "Greedy" },
            { value: "softmax", label: "Sampling" },
          ]}
          onChange={(sampling) => onSettings({ sampling })}
          className="w-full font-sans"
        />
        {settings.sampling === "softmax" ? (
          <Temperature temperature={settings.temperature} onChange={(temperature) => onSettings({ temperature })} />
        ) : (
          <p className="text-meta text-text-3">The best action is taken every time; the first one of equals.</p>
        )}
      </Field>

      <SeedField key={settings.seed} seed={settings.seed} shown={seed} onChange={(seed) => onSettings({ seed })} />

      <div className="flex items-center justify-between gap-3">
        <Label htmlFor={`${ids}-next`}>Go on to the next maze by itself</Label>
        <Switch
          id={`${ids}-next`}
          checked={settings.autoNext}
          onCheckedChange={(autoNext) => onSettings({ autoNext })}
        />
      </div>
    </div>
  );
}

function ModelFacts({ model }: { model: Model }) {
  const rate = model.success[0];
  return (
    <div className="text-meta text-text-3">
      {model.state === ModelState.BROKEN ? <p className="text-danger">Broken: {model.stateReason}</p> : null}
      <p>
        {model.title}
        {model.observation === "" ? "" : `, observation ${model.observation}`}
      </p>
      {rate === undefined ? null : (
        <p>
          Success <span className="figure text-text-2">{percent(rate.rate)}</span> of {rate.episodes} {rate.setId}{" "}
          mazes, 95 % interval{" "}
          <span className="figure">
            {decimal(rate.intervalLow * 100, 1)}–{percent(rate.intervalHigh)}
          </span>
          , SPL <span className="figure text-text-2">{decimal(rate.spl, 2)}</span>
        </p>
      )}
    </div>
  );
}

function Temperature({ temperature, onChange }: { temperature: number; onChange: (temperature: number) => void }) {
  const [dragged, setDragged] = useState<number>();
  const shown = dragged === undefined ? temperature : temperatureAt(dragged);
  return (
    <div>
      <div className="flex justify-between text-sub">
        <span className="text-text-2">Temperature</span>
        <output className="figure">{shown}</output>
      </div>
      <Slider
        aria-label="Temperature"
        valueText={String(shown)}
        min={0}
        max={100}
        value={dragged ?? positionOfTemperature(temperature)}
        onValueChange={(position) => setDragged(position)}
        onValueCommit={(position) => {
          setDragged(undefined);
          onChange(temperatureAt(position));
        }}
      />
    </div>
  );
}

type SeedFieldProps = { seed: string; shown: bigint | undefined; onChange: (seed: string) => void };

function SeedField({ seed, shown, onChange }: SeedFieldProps) {
  const [text, setText] = useState(seed);
  const id = useId();
  const wrong = !isSeed(text);
  return (
    <form
      className="space-y-1"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) onChange(text);
      }}
    >
      <Label htmlFor={id}>Seed of the episode</Label>
      <div className="flex gap-2">
        <Input
          id={id}
          inputMode="numeric"
          autoComplete="off"
          placeholder="any"
          value={text}
          aria-invalid={wrong}
          aria-describedby={`${id}-rule`}
          onChange={(event) => setText(event.target.value.trim())}
        />
        <Button type="submit" disabled={wrong || text === seed}>
          Use
        </Button>
      </div>
      <p id={`${id}-rule`} className={cn("text-meta", wrong ? "text-danger" : "text-text-3")}>
        {wrong
          ? "A whole number from 0 to 18446744073709551615."
          : "Matters with sampling only; the same seed gives the same episode."}
      </p>
      {shown === undefined || String(shown) === seed ? null : (
        <p className="flex items-center justify-between gap-2 text-meta text-text-3">
          <span>
            This episode has <span className="figure text-text-2">{String(shown)}</span>.
          </span>
          <Button size="sm" onClick={() => onChange(String(shown))}>
            Keep it
          </Button>
        </p>
      )}
    </form>
  );
}

function Field({
  label,
  htmlFor,
  value,
  children,
}: {
  label: string;
  htmlFor?: string;
  value?: string;
  children: ReactNode;
}) {
  return (
    <div className="space-y-1.5">
      <div className="flex items-baseline justify-between">
        {htmlFor === undefined ? (
          <span className="text-sub text-text-2">{label}</span>
        ) : (
          <Label htmlFor={htmlFor}>{label}</Label>
        )}
        {value === undefined ? null : <output className="figure text-sub">{value}</output>}
      </div>
      {children}
    </div>
  );
}
