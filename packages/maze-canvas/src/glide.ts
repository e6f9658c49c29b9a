/** At this pace and below the agent rests between two steps, so each glide begins and ends slowly; from the second on it never rests. */
const EASED_BELOW = 5;
const EVEN_FROM = 12;

/** Share of easing at a pace, 1 to 0. */
export function easing(stepsPerSecond: number): number {
  if (stepsPerSecond <= 0) return 0;
  return Math.min(1, Math.max(0, (EVEN_FROM - stepsPerSecond) / (EVEN_FROM - EASED_BELOW)));
}

/** Time in which a share goes two thirds of its way, in milliseconds. */
const SETTLING_MS = 250;

/** Moves a share towards its aim by time: twice the frames for the same time come to the same place. */
export function ease(share: number, aim: number, elapsedMs: number): number {
  const left = (share - aim) * Math.exp(-elapsedMs / SETTLING_MS);
  return Math.abs(left) < 0.001 ? aim : aim + left;
}
