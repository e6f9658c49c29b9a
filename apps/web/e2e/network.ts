import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** How the bytes travel. */
type Condition =
  | "open"
  /** Connections break and new ones are refused. */
  | "cut"
  /** Nothing arrives any more and nobody is told, as when a cable is pulled. */
  | "silent";

/**
 * The network between the browser and the product, with the faults that real ones have. Bytes are passed on as they are; what a fault
 * does is done to the sockets, so that browser and server see what they would see out there.
 */
export class Network {
  #condition: Condition = "open";
  readonly #sockets = new Set<Socket>();
  readonly #servers: (NetServer | Server)[] = [];
  #buffering = false;

  /** Listens on a free port and passes on to another one. Where `buffered` names a port, that way is taken while {@link buffering} is on. */
  async wire(to: number, buffered?: number): Promise<number> {
    const server = createServer((near) => {
      if (this.#condition === "cut") {
        near.destroy();
        return;
      }
      const far = connect(this.#buffering && buffered !== undefined ? buffered : to, "127.0.0.1");
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.setNoDelay(true);
        from.on("data", (bytes) => {
          if (!into.write(bytes)) from.pause();
        });
        into.on("drain", () => {
          if (this.#condition !== "silent") from.resume();
        });
        from.on("end", () => into.end());
        from.on("error", () => into.destroy());
        from.on("close", () => {
          this.#sockets.delete(from);
          into.destroy();
        });
        if (this.#condition === "silent") from.pause();
      }
    });
    this.#servers.push(server);
    return listening(server);
  }

  /** An HTTP proxy that passes an answer on when it is complete, as some company proxies and virus scanners do. Upgrades go through. */
  async bufferingProxy(to: number): Promise<number> {
    const server = createHttpServer((incoming, outgoing) => void passOnWhole(incoming, outgoing, to));
    server.on("upgrade", (incoming: IncomingMessage, near: Duplex, head: Buffer) => {
      const far = connect(to, "127.0.0.1", () => {
        const headers = incoming.rawHeaders.reduce(
          (text, word, at) => text + (at % 2 === 0 ? `${word}: ` : `${word}\r\n`),
          `${incoming.method} ${incoming.url} HTTP/1.1\r\n`,
        );
        far.write(`${headers}\r\n`);
        far.write(head);
        near.pipe(far).pipe(near);
      });
      far.on("error", () => near.destroy());
      near.on("error", () => far.destroy());
      near.on("close", () => far.destroy());
    });
    this.#servers.push(server);
    return listening(server);
  }

  /** Breaks what is open, and refuses what is new. */
  cut(): void {
    this.#condition = "cut";
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Lets nothing through and says nothing about it. */
  silence(): void {
    this.#condition = "silent";
    for (const socket of this.#sockets) socket.pause();
  }

  /** Makes everything go through again; what was held arrives now. */
  mend(): void {
    this.#condition = "open";
    for (const socket of this.#sockets) socket.resume();
  }

  /** Whether new connections go by the buffering way. */
  set buffering(on: boolean) {
    this.#buffering = on;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.map((server) => {
        if ("closeAllConnections" in server) server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      }),
    );
  }
}

async function listening(server: NetServer | Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function passOnWhole(incoming: IncomingMessage, outgoing: ServerResponse, to: number): void {
  const onward = request(
    { host: "127.0.0.1", port: to, method: incoming.method, path: incoming.url, headers: incoming.headers },
    (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("end", () => {
        const { "transfer-encoding": _, ...headers } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 502, headers);
        outgoing.end(Buffer.concat(pieces));
      });
      answer.on("error", () => outgoing.destroy());
    },
  );
  onward.on("error", () => outgoing.destroy());
  // Whoever asked is gone: so is the question.
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}
