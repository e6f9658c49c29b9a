import { expect, test } from "vitest";
import { correlation } from "./correlation";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const parent = "00f067aa0ba902b7";

test("a caller's ids go on, with a part of the trace that is this server's own", () => {
  const ids = correlation(new Headers({ "X-Request-Id": "page-7", Traceparent: `00-${trace}-${parent}-00` }));
  expect(ids.requestId).toBe("page-7");
  expect(ids.traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
  expect(ids.traceparent).not.toContain(parent);
});

test.each([
  ["none", {}],
  ["what may not be written into a log", { "X-Request-Id": "a b\u00e9", Traceparent: "nonsense" }],
  ["a trace id of zeros", { "X-Request-Id": "", Traceparent: `00-${"0".repeat(32)}-${parent}-01` }],
  ["capitals", { Traceparent: `00-${trace.toUpperCase()}-${parent}-01` }],
])("in place of %s new ids begin here", (_name, given) => {
  const headers = new Headers(given as Record<string, string>);
  const [first, second] = [correlation(headers), correlation(headers)];
  expect(first.requestId).toMatch(/^[0-9a-f]{24}$/);
  expect(first.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(first.requestId).not.toBe(second.requestId);
  expect(first.traceparent.slice(3, 35)).not.toBe(second.traceparent.slice(3, 35));
});

test("outside of a request new ids begin here", () => {
  expect(correlation().traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});
