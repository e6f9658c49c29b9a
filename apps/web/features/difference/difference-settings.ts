import type { MomentSampling } from "@/lib/moment-link";
import { isSeed } from "@/lib/seed";

/** What a person chose on the difference page; kept in the browser. */
export interface DifferenceSettings {
  /** Model whose episode is walked; empty: the active one. */
  readonly a: string;
  /** Model that is compared with it; empty: the next best one. */
  readonly b: string;
  /** Empty: the first showcase maze. */
  readonly mazeId: string;
  /** Set that "next maze" goes through. */
  readonly setId: string;
  /** Decimal seed of the episode; matters with softmax sampling only. */
  readonly seed: string;
  readonly sampling: MomentSampling;
  /** Whether the way of the first model is drawn. */
  readonly trail: boolean;
}

export const defaultDifferenceSettings: DifferenceSettings = {
  a: "",
  b: "",
  mazeId: "",
  setId: "showcase",
  seed: "",
  sampling: "greedy",
  trail: true,
};

export const DIFFERENCE_SETTINGS_KEY = "rlmaze.difference";

/** Reads what was kept. Whatever is missing, of another type or out of its range falls back to its default. */
export function parseDifferenceSettings(text: string | null): DifferenceSettings {
  let kept: Record<string, unknown>;
  try {
    kept = (JSON.parse(text ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return defaultDifferenceSettings;
  }
  const textOf = (name: "a" | "b" | "mazeId" | "setId", pattern: RegExp) => {
    const value = kept[name];
    return typeof value === "string" && pattern.test(value) ? value : defaultDifferenceSettings[name];
  };
  const { seed, trail } = kept;
  const temperature = (kept.sampling as { temperature?: unknown } | null | undefined)?.temperature;
  const softmax = typeof temperature === "number" && temperature >= 0.01 && temperature <= 10;
  return {
    a: textOf("a", /^[a-z0-9.-]{0,128}$/),
    b: textOf("b", /^[a-z0-9.-]{0,128}$/),
    mazeId: textOf("mazeId", /^([a-z0-9][a-z0-9.-]{0,127})?$/),
    setId: textOf("setId", /^[a-z0-9-]{1,64}$/),
    seed: typeof seed === "string" && isSeed(seed) ? seed : defaultDifferenceSettings.seed,
    sampling: softmax ? { temperature } : "greedy",
    trail: typeof trail === "boolean" ? trail : defaultDifferenceSettings.trail,
  };
}
