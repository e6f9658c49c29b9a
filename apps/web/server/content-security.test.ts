import { expect, test } from "vitest";
import { contentSecurityPolicy } from "./content-security";

const directive = (policy: string, name: string) => policy.split("; ").find((part) => part.startsWith(`${name} `));

test("a page may connect to itself and to the Go server, by HTTP and by WebSocket", () => {
  const policy = contentSecurityPolicy("abc", "http://127.0.0.1:8080", false);
  expect(directive(policy, "connect-src")).toBe("connect-src 'self' http://127.0.0.1:8080 ws://127.0.0.1:8080");
  const secure = contentSecurityPolicy("abc", "https://maze.example/", false);
  expect(directive(secure, "connect-src")).toBe("connect-src 'self' https://maze.example wss://maze.example");
});

test("scripts run by nonce, and nothing is evaluated in production", () => {
  expect(directive(contentSecurityPolicy("abc", "http://127.0.0.1:8080", false), "script-src")).toBe(
    "script-src 'self' 'nonce-abc' 'strict-dynamic'",
  );
});
