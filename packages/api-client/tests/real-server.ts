/// <reference types="node" />
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { type DescMessage, fromJson, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  InferenceService,
  RunEpisodeRequestSchema,
  RunEpisodeResponseSchema,
  RunRaceRequestSchema,
  RunRaceResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { type WebSocket as ServedSocket, WebSocketServer } from "ws";
import type { ScriptedRace } from "./scripted-race";
import type { ScriptedServer } from "./scripted-server";

/** What is served: scripts, over real sockets. */
export interface Scripts {
  readonly episode?: Pick<ScriptedServer, "stream">;
  readonly race?: Pick<ScriptedRace, "stream">;
}

/** A server on a port of its own. */
export interface RealServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves scripts over Connect and at /ws/inference, as the Go server does, on HTTP/1.1. */
export async function serve(scripts: Scripts): Promise<RealServer> {
  const handle = connectNodeAdapter({
    routes: ({ service }) => {
      service(InferenceService, {
        ...(scripts.episode ? { runEpisode: withSignal(scripts.episode.stream) } : {}),
        ...(scripts.race ? { runRace: withSignal(scripts.race.stream) } : {}),
      });
    },
  });
  const http = createServer((request: IncomingMessage, response: ServerResponse) => handle(request, response));
  const sockets = new WebSocketServer({ server: http, path: "/ws/inference" });
  sockets.on("connection", (socket) => {
    socket.once("message", (text) => void answer(socket, String(text), scripts));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    port: (http.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate();
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
}

function withSignal<Request, Response>(
  stream: (request: Request, signal: AbortSignal) => AsyncIterable<Response>,
): (request: Request, context: { readonly signal: AbortSignal }) => AsyncIterable<Response> {
  return (request, context) => stream(request, context.signal);
}

async function answer(socket: ServedSocket, text: string, scripts: Scripts): Promise<void> {
  const frame = JSON.parse(text) as Readonly<Record<string, JsonValue>>;
  const closed = new AbortController();
  socket.on("close", () => closed.abort());
  const send = async <Request extends DescMessage, Response extends DescMessage>(
    stream: (request: MessageShape<Request>, signal: AbortSignal) => AsyncIterable<MessageShape<Response>>,
    request: Request,
    response: Response,
    json: JsonValue,
  ): Promise<void> => {
    for await (const message of stream(fromJson(request, json), closed.signal)) {
      socket.send(JSON.stringify(toJson(response, message, { alwaysEmitImplicit: true })));
    }
  };
  try {
    if (frame.runEpisode !== undefined && scripts.episode)
      await send(scripts.episode.stream, RunEpisodeRequestSchema, RunEpisodeResponseSchema, frame.runEpisode);
    else if (frame.runRace !== undefined && scripts.race)
      await send(scripts.race.stream, RunRaceRequestSchema, RunRaceResponseSchema, frame.runRace);
    socket.send("{}");
  } catch (reason) {
    if (reason instanceof TypeError) socket.terminate();
    else socket.send(JSON.stringify({ error: errorToJson(ConnectError.from(reason), undefined) }));
  }
}

/** What a wire does to the bytes of the server's answers. */
export type WireMode =
  /** Passes them on. */
  | "pass"
  /** Accepts connections and lets nothing through in either direction: a server that is stopped by SIGSTOP. */
  | "freeze"
  /** Refuses connections. */
  | "refuse"
  /** Keeps the answer of an HTTP request until it is complete, as some proxies do. WebSockets pass. */
  | "buffer";

/** A wire between client and server that can be cut. */
export interface Wire {
  readonly url: string;
  mode: WireMode;
  /** Connections that asked for a WebSocket. */
  readonly webSockets: number;
  /** Cuts all connections. */
  cut(): void;
  /** The nth connection from now on is cut after so many bytes of the server's answer. */
  cutAfter(bytes: readonly number[]): void;
  close(): Promise<void>;
}

/** Lays a wire to a port. */
export async function wireTo(port: number): Promise<Wire> {
  const open = new Set<Socket>();
  let cuts: number[] = [];
  let webSockets = 0;
  const state: { mode: WireMode } = { mode: "pass" };
  const held: (() => void)[] = [];
  const pass = (write: () => void): void => {
    if (state.mode === "freeze") held.push(write);
    else write();
  };

  const server = createTcpServer((near) => {
    if (state.mode === "refuse") {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    let left = cuts.shift() ?? Number.POSITIVE_INFINITY;
    let isWebSocket = false;
    const buffered: Buffer[] = [];
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (bytes) => {
      if (!isWebSocket && /upgrade: websocket/i.test(bytes.toString("latin1"))) {
        isWebSocket = true;
        webSockets += 1;
      }
      pass(() => far.write(bytes));
    });
    far.on("data", (bytes) => {
      pass(() => {
        if (state.mode === "buffer" && !isWebSocket) {
          buffered.push(bytes);
          // The last chunk of a chunked answer.
          if (!bytes.toString("latin1").endsWith("0\r\n\r\n")) return;
          near.write(Buffer.concat(buffered.splice(0)));
          return;
        }
        const part = bytes.subarray(0, left);
        left -= part.length;
        near.write(part, () => {
          if (left <= 0) near.destroy();
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get mode() {
      return state.mode;
    },
    set mode(mode: WireMode) {
      state.mode = mode;
      if (mode !== "freeze") for (const write of held.splice(0)) write();
    },
    get webSockets() {
      return webSockets;
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    cutAfter(bytes) {
      cuts = [...bytes];
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
