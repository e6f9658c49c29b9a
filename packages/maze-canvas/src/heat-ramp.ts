import { hexOf, mixOklch, oklchOf } from "./oklch";

/** Number of colours of a ramp: finer steps than a screen tells apart. */
export const RAMP_COLORS = 256;

/** A ramp of colours that is linear in OKLCH lightness, computed once. */
export interface HeatRamp {
  /** Colour at 0–1; values outside are clamped. */
  readonly at: (t: number) => string;
  /** All colours, from low to high. */
  readonly colors: readonly string[];
  /** OKLCH lightness at 0–1, to choose what is readable on it. */
  readonly lightnessAt: (t: number) => number;
}

/** Makes the ramp between two `#rrggbb` colours. */
export function heatRamp([from, to]: readonly [string, string]): HeatRamp {
  const low = oklchOf(from);
  const high = oklchOf(to);
  const colors = Array.from({ length: RAMP_COLORS }, (_, at) => hexOf(mixOklch(low, high, at / (RAMP_COLORS - 1))));
  const clamp = (t: number): number => Math.min(1, Math.max(0, t));
  return {
    colors,
    at: (t) => colors[Math.round(clamp(t) * (RAMP_COLORS - 1))] ?? from,
    lightnessAt: (t) => low.l + (high.l - low.l) * clamp(t),
  };
}

/** Ends of a heat scale. */
export interface HeatScale {
  readonly mode: "visits" | "value";
  readonly low: number;
  readonly high: number;
  /** Visits are on a log scale. */
  readonly log: boolean;
}

/** Smallest upper end of the visits scale. A good run visits most cells once or twice; without it one visit would be the hottest colour. */
const LEAST_VISITS_HIGH = 4;

/**
 * Where one visit stands on the ramp. That a cell was visited is the first thing to see: a quarter of the ramp puts it 0.1 of OKLCH
 * lightness above plain path, for every kind of colour vision.
 */
const ONE_VISIT = 0.25;

/**
 * Scale of visits, from one visit to the most visited cell or a little above. The upper end goes 4, 6, 8, 12, 16, 24 …: a scale that grew
 * with each visit of an agent that runs in circles would recolour the whole board at every step, and its legend could not be read.
 */
export function visitsScale(visits: Uint32Array): HeatScale {
  let most = 0;
  for (let cell = 0; cell < visits.length; cell++) most = Math.max(most, visits[cell] ?? 0);
  return { mode: "visits", low: 1, high: visitsHigh(most), log: true };
}

/** Upper end of the scale where the most visited cell has so many visits. */
export function visitsHigh(most: number): number {
  let power = LEAST_VISITS_HIGH;
  while (power < most) {
    if (power * 1.5 >= most) return power * 1.5;
    power *= 2;
  }
  return power;
}

/** Place of an amount on the ramp, 0–1 and beyond for amounts outside of the scale. */
export function heatAt(scale: HeatScale, amount: number): number {
  if (scale.log) return ONE_VISIT + ((1 - ONE_VISIT) * Math.log(amount / scale.low)) / Math.log(scale.high / scale.low);
  return scale.high > scale.low ? (amount - scale.low) / (scale.high - scale.low) : 1;
}

/** CSS gradient of a scale for its legend, from low to high in the given direction (`to top`, `to right`). */
export function heatGradient(ends: readonly [string, string], scale: HeatScale, direction: string): string {
  const ramp = heatRamp(ends);
  const stops = Array.from({ length: 9 }, (_, at) => ramp.at(heatAt(scale, amountAt(scale, at / 8))));
  return `linear-gradient(${direction}, ${stops.join(", ")})`;
}

/** Amounts to write beside the legend, ascending, with their place along it (0–1). */
export function heatTicks(scale: HeatScale): readonly { readonly amount: number; readonly place: number }[] {
  if (!scale.log) {
    return [0, 0.25, 0.5, 0.75, 1].map((place) => ({ amount: amountAt(scale, place), place }));
  }
  const amounts = new Set<number>();
  for (let at = 0; at <= 4; at++) amounts.add(Math.round(amountAt(scale, at / 4)));
  return [...amounts].map((amount) => ({
    amount,
    place: Math.log(amount / scale.low) / Math.log(scale.high / scale.low),
  }));
}

function amountAt(scale: HeatScale, place: number): number {
  if (scale.log) return scale.low * (scale.high / scale.low) ** place;
  return scale.low + (scale.high - scale.low) * place;
}
