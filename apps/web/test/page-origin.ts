import { afterAll, beforeAll } from "vitest";
import type { FixtureOptions } from "./fixture-routes";
import { bff, privateListener, type Service } from "./services";

/**
 * Gives the tests of a file a made-up Go server and the real BFF routes, and makes them the page's origin: a browser resolves `/api/…`
 * against its address, Node has none. Requests, routes and HTTP/2 client are the real ones.
 */
export function pageOrigin(options: FixtureOptions = {}): { goAway(): void; goBack(): void } {
  let go: Service;
  let web: Service;
  const nodeFetch = globalThis.fetch;
  beforeAll(async () => {
    go = await privateListener(options);
    web = await bff();
    process.env.SERVER_URL = go.url;
    globalThis.fetch = (input, init) => nodeFetch(typeof input === "string" ? new URL(input, web.url) : input, init);
  });
  afterAll(async () => {
    globalThis.fetch = nodeFetch;
    await web.close();
    await go.close();
  });
  return {
    goAway: () => {
      process.env.SERVER_URL = "http://127.0.0.1:9";
    },
    goBack: () => {
      process.env.SERVER_URL = go.url;
    },
  };
}
