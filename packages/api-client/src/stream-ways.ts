import type { StreamTransportName } from "./connection-state";

/**
 * Which way streams get through to a server. Where Connect streams are held back (a proxy that buffers, a browser out of connections) and
 * a WebSocket is not, no later stream of the page has to find that out again.
 */
export class StreamWays {
  readonly #ways = new Map<string, StreamTransportName>();

  /** The way to try first to a server, named by any text that is the same for all its streams. */
  preferred(server: string): StreamTransportName | undefined {
    return this.#ways.get(server);
  }

  /** One way got through where the other one did not. */
  remember(server: string, way: StreamTransportName): void {
    this.#ways.set(server, way);
  }
}

/** What this page knows, for as long as it lives. */
export const pageWays = new StreamWays();
