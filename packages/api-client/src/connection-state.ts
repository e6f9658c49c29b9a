import type { ErrorDescription } from "./describe-error";

/** The two ways a stream can travel. */
export type StreamTransportName = "connect" | "websocket";

/** Why a run holds no connection and opens none by itself. */
export type DisconnectReason =
  /** Not opened yet. */
  | { readonly kind: "idle" }
  /** The episode ended and `onFinished` was called. */
  | { readonly kind: "finished" }
  /** The stream ended after `maxSteps` steps while the episode goes on: `resume()` continues it. */
  | { readonly kind: "step_budget" }
  /** `pause()` was called: `resume()` goes on with the next step. */
  | { readonly kind: "paused" }
  /** The tab is hidden and its stream was given back (`giveBackWhenHidden`): it goes on with the next step when the tab is shown. */
  | { readonly kind: "hidden" }
  /** `stop()` was called; this run is over. */
  | { readonly kind: "stopped" }
  /** The server refused in a way that trying again can't mend. */
  | { readonly kind: "failed"; readonly error: ErrorDescription };

/** Where the connection of a run stands. Times are milliseconds since the epoch on the client's clock. */
export type ConnectionState =
  | { readonly kind: "connecting"; readonly transport: StreamTransportName }
  | { readonly kind: "connected"; readonly transport: StreamTransportName }
  | {
      readonly kind: "reconnecting";
      /** Counts from 1 and falls back to 0 with the first message. */
      readonly attempt: number;
      /** When the next attempt starts by itself; in the past while it is under way. */
      readonly retryAt: number;
      /** Why the last attempt failed. */
      readonly error: ErrorDescription;
    }
  | { readonly kind: "disconnected"; readonly reason: DisconnectReason };
