import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { type FixtureOptions, fixtureRoutes } from "./fixture-routes";

/** Something that listens on a port of its own. */
export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/** The private listener of a made-up Go server: Connect over HTTP/2, as the BFF reaches it. */
export async function privateListener(options: FixtureOptions = {}): Promise<Service> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2Server(connectNodeAdapter({ routes: fixtureRoutes(options) }));
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const session of sessions) session.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

type Handler = (request: Request, context: { params: Promise<Record<string, string>> }) => Promise<Response>;
type Route = Partial<Record<"GET" | "POST", Handler>>;

const routes: [RegExp, () => Promise<Route>][] = [
  [/^\/api\/health$/, () => import("@/app/api/health/route") as Promise<Route>],
  [/^\/api\/models$/, () => import("@/app/api/models/route") as Promise<Route>],
  [/^\/api\/models\/active$/, () => import("@/app/api/models/active/route") as Promise<Route>],
  [/^\/api\/models\/active\/roll-back$/, () => import("@/app/api/models/active/roll-back/route") as Promise<Route>],
  [/^\/api\/models\/activations$/, () => import("@/app/api/models/activations/route") as Promise<Route>],
  [/^\/api\/models\/(?<id>[^/]+)$/, () => import("@/app/api/models/[id]/route") as unknown as Promise<Route>],
  [/^\/api\/leaderboard$/, () => import("@/app/api/leaderboard/route") as Promise<Route>],
  [/^\/api\/leaderboard\/evaluate$/, () => import("@/app/api/leaderboard/evaluate/route") as Promise<Route>],
  [/^\/api\/episodes\/failures$/, () => import("@/app/api/episodes/failures/route") as Promise<Route>],
  [/^\/api\/episodes$/, () => import("@/app/api/episodes/route") as Promise<Route>],
  [
    /^\/api\/episodes\/(?<id>[^/]+)\/verify$/,
    () => import("@/app/api/episodes/[id]/verify/route") as unknown as Promise<Route>,
  ],
  [/^\/api\/experiments$/, () => import("@/app/api/experiments/route") as Promise<Route>],
  [/^\/api\/experiments\/compare$/, () => import("@/app/api/experiments/compare/route") as Promise<Route>],
  [/^\/api\/experiments\/runs$/, () => import("@/app/api/experiments/runs/route") as Promise<Route>],
  [
    /^\/api\/experiments\/runs\/(?<runId>[^/]+)$/,
    () => import("@/app/api/experiments/runs/[runId]/route") as unknown as Promise<Route>,
  ],
  [
    /^\/api\/experiments\/runs\/(?<runId>[^/]+)\/history$/,
    () => import("@/app/api/experiments/runs/[runId]/history/route") as unknown as Promise<Route>,
  ],
  [/^\/api\/experiments\/(?<id>[^/]+)$/, () => import("@/app/api/experiments/[id]/route") as unknown as Promise<Route>],
  [/^\/api\/training\/list$/, () => import("@/app/api/training/list/route") as Promise<Route>],
  [/^\/api\/training\/history$/, () => import("@/app/api/training/history/route") as Promise<Route>],
  [/^\/api\/mazes$/, () => import("@/app/api/mazes/route") as Promise<Route>],
  [/^\/api\/mazes\/(?<setId>[^/]+)$/, () => import("@/app/api/mazes/[setId]/route") as unknown as Promise<Route>],
  [/^\/api\/maze\/generate$/, () => import("@/app/api/maze/generate/route") as Promise<Route>],
  [/^\/api\/maze\/check$/, () => import("@/app/api/maze/check/route") as Promise<Route>],
  [/^\/api\/maze\/(?<id>[^/]+)$/, () => import("@/app/api/maze/[id]/route") as unknown as Promise<Route>],
];

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host}`);
  const found = routes.find(([pattern]) => pattern.test(url.pathname));
  const handler = (await found?.[1]())?.[incoming.method as "GET" | "POST"];
  if (found === undefined || handler === undefined) {
    outgoing.writeHead(found === undefined ? 404 : 405).end();
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Headers(
    Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as [string, string]),
  );
  const request = new Request(url, {
    method: incoming.method ?? "GET",
    headers,
    ...(incoming.method === "POST" ? { body: Buffer.concat(chunks) } : {}),
  });
  const params = Object.fromEntries(
    Object.entries(found[0].exec(url.pathname)?.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
  );
  const response = await handler(request, { params: Promise.resolve(params) });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
}

/** The routes of the BFF behind a plain HTTP server, as Next would call them. */
export async function bff(): Promise<Service> {
  const listener: RequestListener = (incoming, outgoing) => {
    answer(incoming, outgoing).catch((reason: unknown) => outgoing.writeHead(500).end(String(reason)));
  };
  const server = createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
