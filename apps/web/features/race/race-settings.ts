import type { MomentLane } from "@/lib/moment-link";
import { isSeed } from "@/lib/seed";
import { MOST_LANES, parsePolicy, policyKey } from "./contestant";

/** How the boards are laid out: one for each lane, or all agents on one. */
export type RaceLayout = "grid" | "together";

/** What the curves of the race show. */
export type RaceMeasure = "distance" | "reward";

/** What a person chose on the race page; kept in the browser. */
export interface RaceSettings {
  /** Undefined: the default race of this server. */
  readonly lanes: readonly MomentLane[] | undefined;
  /** Empty: the first showcase maze. */
  readonly mazeId: string;
  /** Set that "next maze" goes through. */
  readonly setId: string;
  /** Decimal seed; empty lets the page pick one. */
  readonly seed: string;
  readonly speed: number;
  readonly layout: RaceLayout;
  readonly measure: RaceMeasure;
  readonly trail: boolean;
}

/** Eight steps a second are what a person can follow with the eye. */
export const defaultRaceSettings: RaceSettings = {
  lanes: undefined,
  mazeId: "",
  setId: "showcase",
  seed: "",
  speed: 8,
  layout: "grid",
  measure: "distance",
  trail: true,
};

export const RACE_SETTINGS_KEY = "rlmaze.race";

/** Reads what was kept. Whatever is missing, of another type or out of its range falls back to its default. */
export function parseRaceSettings(text: string | null): RaceSettings {
  let kept: Record<string, unknown>;
  try {
    kept = (JSON.parse(text ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    return defaultRaceSettings;
  }
  const matching = (value: unknown, pattern: RegExp, otherwise: string) =>
    typeof value === "string" && pattern.test(value) ? value : otherwise;
  const { seed, speed, layout, measure, trail } = kept;
  return {
    lanes: parseLanes(kept.lanes),
    mazeId: matching(kept.mazeId, /^([a-z0-9][a-z0-9.-]{0,127})?$/, defaultRaceSettings.mazeId),
    setId: matching(kept.setId, /^[a-z0-9-]{1,64}$/, defaultRaceSettings.setId),
    seed: typeof seed === "string" && isSeed(seed) ? seed : defaultRaceSettings.seed,
    speed:
      typeof speed === "number" && (speed === 0 || (speed >= 0.1 && speed <= 1000)) ? speed : defaultRaceSettings.speed,
    layout: layout === "together" ? "together" : "grid",
    measure: measure === "reward" ? "reward" : "distance",
    trail: typeof trail === "boolean" ? trail : defaultRaceSettings.trail,
  };
}

/** The text that {@link parseRaceSettings} reads. */
export function writeRaceSettings(settings: RaceSettings): string {
  return JSON.stringify({
    ...settings,
    lanes: settings.lanes?.map(({ policy, sampling }) => ({ policy: policyKey(policy), sampling })),
  });
}

function parseLanes(kept: unknown): readonly MomentLane[] | undefined {
  if (!Array.isArray(kept) || kept.length === 0 || kept.length > MOST_LANES) return undefined;
  const lanes: MomentLane[] = [];
  for (const lane of kept as unknown[]) {
    if (typeof lane !== "object" || lane === null) return undefined;
    const { policy, sampling } = lane as Record<string, unknown>;
    const known = typeof policy === "string" ? parsePolicy(policy) : undefined;
    if (known === undefined) return undefined;
    const temperature = (sampling as { temperature?: unknown } | null | undefined)?.temperature;
    const softmax = typeof temperature === "number" && temperature >= 0.01 && temperature <= 10;
    lanes.push({ policy: known, sampling: softmax ? { temperature } : "greedy" });
  }
  return lanes;
}
