import type { ConnectionState } from "@rlmaze/api-client/connection-state";

/** What the header says. */
export interface ServerConnection {
  readonly state: "connected" | "reconnecting" | "disconnected";
  /** One sentence about why, for the popover and for screen readers. */
  readonly detail: string;
  /** When the next attempt starts by itself, milliseconds since the epoch. */
  readonly retryAt?: number;
  /** The server is going down in order. */
  readonly draining?: boolean;
  /** The very first question is on its way: nothing was lost yet, so there is nothing to retry. */
  readonly first?: boolean;
}

/** What is known about the server apart from the stream: the outcome of the regular status question. */
export interface StatusOutcome {
  /** Undefined until the first answer. */
  readonly ok: boolean | undefined;
  /** Failures in a row. */
  readonly failures: number;
  /** Whether the browser believes that it has a network. */
  readonly online: boolean;
  /** The server said that it is going down; default: no. */
  readonly draining?: boolean;
}

/** After so many attempts in a row (about half a minute) the page stops calling it a short interruption. It still tries. */
export const GIVE_UP_SAYING_RECONNECTING = 12;

const DRAINING = "The server is going down; what runs here goes on by itself when it is back.";

const words = { connected: "Connected", reconnecting: "Reconnecting...", disconnected: "Disconnected" } as const;

/** The words of the header. */
export function connectionWord(state: ServerConnection["state"]): string {
  return words[state];
}

/**
 * Puts the two sources into one word. An open stream is the better witness: it goes straight to the Go server. Without one, the
 * status question counts.
 */
export function serverConnection(stream: ConnectionState | undefined, status: StatusOutcome): ServerConnection {
  if (!status.online) return { state: "disconnected", detail: "This device is offline." };
  if (stream?.kind === "connected") {
    const arrive = `Steps arrive over ${stream.transport === "connect" ? "Connect" : "WebSocket"}.`;
    return status.draining === true
      ? { state: "connected", detail: `${arrive} ${DRAINING}`, draining: true }
      : { state: "connected", detail: arrive };
  }
  if (stream?.kind === "reconnecting") {
    return {
      state: stream.attempt >= GIVE_UP_SAYING_RECONNECTING ? "disconnected" : "reconnecting",
      detail: `${stream.error.title}. Attempt ${stream.attempt}; nothing is lost, the episode goes on where it stopped.`,
      retryAt: stream.retryAt,
    };
  }
  if (status.draining === true) return { state: "reconnecting", detail: DRAINING, draining: true };
  if (status.ok === true) return { state: "connected", detail: "The server answers." };
  if (status.ok === false) {
    return {
      state: status.failures >= GIVE_UP_SAYING_RECONNECTING ? "disconnected" : "reconnecting",
      detail: "The server does not answer. It is asked again by itself.",
    };
  }
  return { state: "reconnecting", detail: "Connecting to the server.", first: true };
}
