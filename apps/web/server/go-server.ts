import "server-only";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { headers } from "next/headers";
import { correlation } from "./correlation";

/** Ends a call to the Go server that does not answer. Switching a model loads it and replays its parity vectors, well under this. */
const CALL_TIMEOUT_MS = 5_000;

interface Connection {
  readonly url: string;
  readonly transport: Transport;
}

// The session lives on globalThis: a reload of this module in development would otherwise leave the old HTTP/2 connection open.
const store = globalThis as typeof globalThis & { rlmazeGoServer?: Connection };

function bearer(): Interceptor {
  return (next) => (request) => {
    const token = process.env.SERVER_TOKEN;
    if (token) request.header.set("Authorization", `Bearer ${token}`);
    return next(request);
  };
}

/** The headers of the request that is being answered; undefined outside of one, where Next throws. */
async function incomingHeaders(): Promise<Pick<Headers, "get"> | undefined> {
  try {
    return await headers();
  } catch {
    return undefined;
  }
}

/** Passes the ids of the request that is being answered on to the Go server; where it has none, or outside of a request, they begin here. */
function correlated(): Interceptor {
  return (next) => async (request) => {
    const { requestId, traceparent } = correlation(await incomingHeaders());
    request.header.set("X-Request-Id", requestId);
    request.header.set("Traceparent", traceparent);
    return next(request);
  };
}

function connection(): Connection {
  const url = process.env.SERVER_URL || "http://127.0.0.1:8081";
  if (store.rlmazeGoServer?.url !== url) {
    const sessionManager = new Http2SessionManager(url, {
      pingIntervalMs: 30_000,
      idleConnectionTimeoutMs: 15 * 60_000,
    });
    store.rlmazeGoServer = {
      url,
      transport: createConnectTransport({
        httpVersion: "2",
        baseUrl: url,
        sessionManager,
        useBinaryFormat: true,
        defaultTimeoutMs: CALL_TIMEOUT_MS,
        interceptors: [bearer(), correlated()],
      }),
    };
  }
  return store.rlmazeGoServer;
}

/** A client of one service of the Go server, over the one HTTP/2 connection that the whole process shares. */
export function goClient<Service extends DescService>(service: Service): Client<Service> {
  return createClient(service, connection().transport);
}
