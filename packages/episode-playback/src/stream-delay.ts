/** Stream delay in milliseconds, corrected by the clock offset. NaN before the first step. */
export interface StreamDelay {
  readonly lastMs: number;
  /** Over the last {@link DELAY_WINDOW} steps. */
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** Steps that the percentiles look back on: enough for a steady p95, few enough to show a change within seconds. */
export const DELAY_WINDOW = 512;

/**
 * Delays of the newest steps: receive time − `server_ts` + clock offset (server less client). A step without a server time is left out.
 * Clocks are known to some milliseconds only, so a delay below zero is shown as zero.
 */
export function streamDelay(
  receivedAt: Float64Array,
  serverTimes: Float64Array,
  length: number,
  offsetMs: number,
  window: number = DELAY_WINDOW,
): StreamDelay {
  const delays: number[] = [];
  for (let at = Math.max(0, length - window); at < length; at++) {
    const delay = (receivedAt[at] ?? Number.NaN) + offsetMs - (serverTimes[at] ?? Number.NaN);
    if (!Number.isNaN(delay)) delays.push(Math.max(0, delay));
  }
  const lastMs = delays.at(-1) ?? Number.NaN;
  delays.sort((a, b) => a - b);
  return { lastMs, p50Ms: percentile(delays, 0.5), p95Ms: percentile(delays, 0.95) };
}

/** Nearest-rank percentile of ascending numbers; NaN without any. */
export function percentile(ascending: readonly number[], share: number): number {
  if (ascending.length === 0) return Number.NaN;
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;
}
