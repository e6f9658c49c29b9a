import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

/** What a stream transport needs to know. */
export interface StreamTransportOptions {
  /** Address of the Go server as the browser reaches it, for example `http://127.0.0.1:8080`. */
  readonly serverUrl: string;
  /** Replaces `fetch`, for tests. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Makes the transport for streams that go from the browser straight to the Go server: the Connect protocol with binary messages, which
 * are about a third of the JSON ones. It sets no timeout, because a stream at one step in ten seconds lives for half an hour; the
 * watchdog of {@link runEpisode} notices a dead one instead.
 */
export function createStreamTransport(options: StreamTransportOptions): Transport {
  return createConnectTransport({
    baseUrl: options.serverUrl,
    useBinaryFormat: true,
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
}

/** What a WebSocket of the server streams: episodes and races, or trainings and GPU readings. */
export type WebSocketSubject = "inference" | "training";

/** Returns the address of the WebSocket that serves the same streams: `http://host:8080` becomes `ws://host:8080/ws/inference`. */
export function webSocketUrl(serverUrl: string, subject: WebSocketSubject = "inference"): string {
  const url = new URL(`ws/${subject}`, serverUrl.endsWith("/") ? serverUrl : `${serverUrl}/`);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.toString();
}
