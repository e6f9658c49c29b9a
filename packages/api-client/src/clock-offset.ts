/** The difference between the server's clock and this one. */
export interface ClockOffset {
  /** Server's clock less client's clock, in milliseconds: `serverNow ≈ clientNow + offsetMs`. */
  readonly offsetMs: number;
  /** Round trip of the ping that it was taken from; the true offset lies within half of it. */
  readonly roundTripMs: number;
}

/** How to estimate a clock offset. */
export interface ClockOffsetOptions {
  /** Asks the server for its clock: resolves to milliseconds since the epoch (`server_ts` of GetStatus). */
  readonly ping: (signal: AbortSignal) => Promise<number>;
  /** Number of pings, one after the other. Default 5. */
  readonly pings?: number;
  /** Ends the estimation early. */
  readonly signal?: AbortSignal;
  /** Client's clock in milliseconds since the epoch; it may have a fraction. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Estimates the clock offset from the fastest of some pings: the faster a round trip, the less room there is for an uneven way there and
 * back. Pings that fail are left out; rejects with the last failure when all did.
 */
export async function estimateClockOffset(options: ClockOffsetOptions): Promise<ClockOffset> {
  const now = options.now ?? Date.now;
  const signal = options.signal ?? new AbortController().signal;
  let best: ClockOffset | undefined;
  let failure: unknown = new Error("no ping was sent");
  for (let sent = 0; sent < (options.pings ?? 5) && !signal.aborted; sent++) {
    try {
      const before = now();
      const server = await options.ping(signal);
      const after = now();
      const roundTripMs = Math.max(0, after - before);
      if (!best || roundTripMs < best.roundTripMs) {
        best = { offsetMs: server - (before + after) / 2, roundTripMs };
      }
    } catch (reason) {
      failure = reason;
    }
  }
  if (!best) throw failure;
  return best;
}
