/** The ids that tie together what is done for one request, over all processes. */
export interface Correlation {
  /** 1–64 characters that are harmless in a log. */
  readonly requestId: string;
  /** W3C Trace Context: version, trace id, id of this server's part, flags. */
  readonly traceparent: string;
}

// The Go server has the same rules (server/internal/correlation, server/internal/interface/access).
const REQUEST_ID = /^[0-9A-Za-z._-]{1,64}$/;
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

function hex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

/**
 * Ids for the calls that a request causes: the caller's own where it brought them, with this server as the next part of the trace, else new
 * ones. `headers` is undefined outside of a request. A trace that begins here is marked for recording, which the Go server does where it has a collector.
 */
export function correlation(headers?: Pick<Headers, "get">): Correlation {
  const requestId = headers?.get("X-Request-Id") ?? "";
  const trace = TRACEPARENT.exec(headers?.get("Traceparent") ?? "");
  return {
    requestId: REQUEST_ID.test(requestId) ? requestId : hex(12),
    traceparent: `00-${trace?.[1] ?? hex(16)}-${hex(8)}-${trace?.[2] ?? "01"}`,
  };
}
