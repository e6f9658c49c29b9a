/** Steps a second that mean "as fast as possible". */
export const AS_FAST_AS_POSSIBLE = 0;
/** What a person can follow with the eye. */
export const DEFAULT_SPEED = 8;

const SLOWEST = 0.5;
const FASTEST = 250;
/** Slider positions are 0 to this; the last one is "as fast as possible". */
export const SLIDER_MAX = 100;

/** The fixed speeds, in the order of the keys 1 to 5. */
export const speedPresets = [
  { value: "1", label: "1", name: "1 step a second", stepsPerSecond: 1 },
  { value: "4", label: "4", name: "4 steps a second", stepsPerSecond: 4 },
  { value: "16", label: "16", name: "16 steps a second", stepsPerSecond: 16 },
  { value: "64", label: "64", name: "64 steps a second", stepsPerSecond: 64 },
  { value: "max", label: "Max", name: "As fast as possible", stepsPerSecond: AS_FAST_AS_POSSIBLE },
] as const;

export type SpeedPreset = (typeof speedPresets)[number]["value"];

/** The preset of a speed, or an empty text when it lies between two. */
export function presetOf(stepsPerSecond: number): SpeedPreset | "" {
  return speedPresets.find((preset) => preset.stepsPerSecond === stepsPerSecond)?.value ?? "";
}

/** Speeds people can tell apart: one decimal below 10, whole numbers above. */
function rounded(stepsPerSecond: number): number {
  return stepsPerSecond < 10 ? Math.round(stepsPerSecond * 10) / 10 : Math.round(stepsPerSecond);
}

/** Speed of a slider position; equal distances on the slider are equal factors. */
export function speedAt(position: number): number {
  if (position >= SLIDER_MAX) return AS_FAST_AS_POSSIBLE;
  return rounded(SLOWEST * (FASTEST / SLOWEST) ** (Math.max(0, position) / (SLIDER_MAX - 1)));
}

/** Slider position of a speed. */
export function positionOf(stepsPerSecond: number): number {
  if (stepsPerSecond === AS_FAST_AS_POSSIBLE) return SLIDER_MAX;
  const share = Math.log(stepsPerSecond / SLOWEST) / Math.log(FASTEST / SLOWEST);
  return Math.round(Math.min(1, Math.max(0, share)) * (SLIDER_MAX - 1));
}

export function speedText(stepsPerSecond: number): string {
  return stepsPerSecond === AS_FAST_AS_POSSIBLE ? "Max" : `${stepsPerSecond} steps/s`;
}

/** The preset above (+1) or below (−1) a speed; the ends stay. */
export function neighbourPreset(stepsPerSecond: number, direction: 1 | -1): number {
  const order = speedPresets.map((preset) =>
    preset.stepsPerSecond === AS_FAST_AS_POSSIBLE ? Number.POSITIVE_INFINITY : preset.stepsPerSecond,
  );
  const current = stepsPerSecond === AS_FAST_AS_POSSIBLE ? Number.POSITIVE_INFINITY : stepsPerSecond;
  const next =
    direction === 1
      ? (order.find((speed) => speed > current) ?? current)
      : (order.findLast((speed) => speed < current) ?? current);
  return Number.isFinite(next) ? next : AS_FAST_AS_POSSIBLE;
}
