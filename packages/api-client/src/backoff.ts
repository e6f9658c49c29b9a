/** Limits of an exponential backoff in milliseconds. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Wait before an attempt, counted from 1: `firstMs` doubled with each attempt up to `maxMs`, of which a random share between a half and the
 * whole is taken, so that viewers who lost the same server don't return in one wave. `random` gives a number in [0, 1).
 */
export function backoffDelay(attempt: number, limits: BackoffLimits, random: () => number = Math.random): number {
  // 2 ** 30 is far beyond any cap; the bound keeps the power finite after days without a server.
  const whole = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return whole * (0.5 + random() / 2);
}
