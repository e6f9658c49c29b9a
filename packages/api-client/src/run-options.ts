import type { Transport } from "@connectrpc/connect";
import type { StreamTransportName } from "./connection-state";
import type { MessageStream, WebSocketFactory } from "./message-stream";
import type { KeptStreamOptions, StreamTiming, TransportChoice } from "./stream-keeper";
import type { StreamWays } from "./stream-ways";

/** How a run reaches the server. */
export interface RunOptions {
  /** See `createStreamTransport`. */
  readonly transport: Transport;
  /** See `webSocketUrl`; without it there is no fallback. */
  readonly webSocketUrl?: string;
  /** Default `auto`. */
  readonly choice?: TransportChoice;
  /** Server's clock less client's, for the time inside a new episode id. Default 0. */
  readonly clockOffsetMs?: number;
  /** Limits in milliseconds; the defaults are the product's. */
  readonly timing?: Partial<StreamTiming>;
  /**
   * Gives the stream back to the browser's few connections (six a host over HTTP/1.1, over all tabs) while the tab is hidden, and goes on at the next
   * step when it is shown. Default false.
   */
  readonly giveBackWhenHidden?: boolean;
  /** Remembers which way gets through; the default is the page's own memory. */
  readonly ways?: StreamWays;
  /** Opens WebSockets; the default is the browser's own. */
  readonly openWebSocket?: WebSocketFactory;
}

/** The ways that the options allow, and what else a keeper wants of them. */
export function streamWays<Request, Response>(
  options: RunOptions,
  connect: MessageStream<Request, Response>,
  overWebSocket: (url: string) => MessageStream<Request, Response>,
): Omit<KeptStreamOptions<Request, Response>, "call"> {
  const { choice = "auto", webSocketUrl, timing, giveBackWhenHidden } = options;
  const ways = new Map<StreamTransportName, MessageStream<Request, Response>>();
  if (choice !== "websocket") ways.set("connect", connect);
  if (choice !== "connect" && webSocketUrl) ways.set("websocket", overWebSocket(webSocketUrl));
  return { ways, server: webSocketUrl ?? "", timing, giveBackWhenHidden, memory: options.ways };
}

/** A seed for a run that names none. The client picks it, so that a retry before the first message asks for the same episode. */
export function randomSeed(): bigint {
  return BigInt(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
}
