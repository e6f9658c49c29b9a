import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { type FixtureOptions, fixtureRoutes } from "./fixture-routes";

/*
 * A stand-in for the Go server, for work on the page alone:
 *   pnpm --filter web fixture          starts it where the page looks by default
 *   PUBLIC_PORT, PRIVATE_PORT          other ports
 *   FIXTURE=no-models | mongo-down     another state
 */
const publicPort = Number(process.env.PUBLIC_PORT ?? 8080);
const privatePort = Number(process.env.PRIVATE_PORT ?? 8081);
const options: FixtureOptions = {
  withoutModels: process.env.FIXTURE === "no-models",
  mongoDown: process.env.FIXTURE === "mongo-down",
};

const routes = connectNodeAdapter({ routes: fixtureRoutes(options) });

createHttpServer((request, response) => {
  response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
  response.setHeader("Access-Control-Allow-Headers", "*, connect-protocol-version, connect-timeout-ms, content-type");
  response.setHeader("Access-Control-Allow-Methods", "GET, POST");
  if (request.method === "OPTIONS") response.writeHead(204).end();
  else routes(request, response);
}).listen(publicPort, "127.0.0.1");

createHttp2Server(routes).listen(privatePort, "127.0.0.1");

console.log(`fixture: public http://127.0.0.1:${publicPort}, private http://127.0.0.1:${privatePort}`);
