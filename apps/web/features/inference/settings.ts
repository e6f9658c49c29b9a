import { isSeed } from "@/lib/seed";
import { DEFAULT_SPEED } from "./speed";

export type HeatMode = "visits" | "value" | "off";
export type FogMode = "off" | "unseen" | "window";

/** What a person chose on the inference page; kept in the browser. */
export interface InferenceSettings {
  /** Empty: the active model. */
  readonly modelId: string;
  /** Empty: the first showcase maze. */
  readonly mazeId: string;
  /** Set that "next maze" goes through. */
  readonly setId: string;
  readonly defaultSpeed: number;
  /** Decimal seed of the episode; empty lets the client pick one. */
  readonly seed: string;
  readonly sampling: "greedy" | "softmax";
  /** 0.01–10, used by softmax sampling. */
  readonly temperature: number;
  readonly heat: HeatMode;
  readonly arrows: boolean;
  readonly trail: boolean;
  /** Shortest path from the shown cell to the goal. */
  readonly shortestPath: boolean;
  /** Marks where the agent chose worse than the shortest path. */
  readonly worseSteps: boolean;
  /** How much of the maze is hidden: nothing, what the agent never saw, or all but its window. */
  readonly fog: FogMode;
  /** Goes on to the next maze a moment after an episode has ended. */
  readonly autoNext: boolean;
}

export const defaultSettings: InferenceSettings = {
  modelId: "",
  mazeId: "",
  setId: "showcase",
  defaultSpeed: DEFAULT_SPEED,
  seed: "",
  sampling: "greedy",
  temperature: 1,
  heat: "visits",
  arrows: true,
  trail: true,
  shortestPath: false,
  worseSteps: false,
  fog: "off",
  autoNext: true,
};

export const SETTINGS_KEY = "rlmaze.inference";

/** Reads what was kept. Whatever is missing, of another type or out of its range falls back to its default. */
export function parseSettings(text: string | null): InferenceSettings {
  let kept: Record<string, unknown>;
  try {
    kept = (JSON.parse(text ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return defaultSettings;
  }
  const textOf = (name: "modelId" | "mazeId" | "setId", pattern: RegExp) => {
    const value = kept[name];
    return typeof value === "string" && pattern.test(value) ? value : defaultSettings[name];
  };
  const numberOf = (name: "defaultSpeed" | "temperature", accepts: (value: number) => boolean) => {
    const value = kept[name];
    return typeof value === "number" && accepts(value) ? value : defaultSettings[name];
  };
  const flagOf = (name: "arrows" | "trail" | "shortestPath" | "worseSteps" | "autoNext") => {
    const value = kept[name];
    return typeof value === "boolean" ? value : defaultSettings[name];
  };
  return {
    modelId: textOf("modelId", /^[a-z0-9.-]{0,128}$/),
    mazeId: textOf("mazeId", /^([a-z0-9][a-z0-9.-]{0,127})?$/),
    setId: textOf("setId", /^[a-z0-9-]{1,64}$/),
    defaultSpeed: numberOf("defaultSpeed", (value) => value === 0 || (value >= 0.1 && value <= 1000)),
    seed: typeof kept.seed === "string" && isSeed(kept.seed) ? kept.seed : defaultSettings.seed,
    sampling: kept.sampling === "softmax" ? "softmax" : "greedy",
    temperature: numberOf("temperature", (value) => value >= 0.01 && value <= 10),
    heat: kept.heat === "value" || kept.heat === "off" ? kept.heat : "visits",
    arrows: flagOf("arrows"),
    trail: flagOf("trail"),
    shortestPath: flagOf("shortestPath"),
    worseSteps: flagOf("worseSteps"),
    fog: kept.fog === "unseen" || kept.fog === "window" ? kept.fog : "off",
    autoNext: flagOf("autoNext"),
  };
}
