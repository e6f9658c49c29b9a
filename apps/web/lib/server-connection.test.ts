import type { ConnectionState } from "@rlmaze/api-client/connection-state";
import { describe, expect, test } from "vitest";
import { connectionWord, GIVE_UP_SAYING_RECONNECTING, serverConnection } from "./server-connection";

const well = { ok: true, failures: 0, online: true };
const error = { code: "unavailable", title: "Server can't be reached", field: "", hint: "", retryable: true };
const reconnecting = (attempt: number): ConnectionState => ({ kind: "reconnecting", attempt, retryAt: 5, error });

describe("the connection", () => {
  test("has exactly the words of the requirement", () => {
    expect((["connected", "reconnecting", "disconnected"] as const).map(connectionWord)).toEqual([
      "Connected",
      "Reconnecting...",
      "Disconnected",
    ]);
  });

  test("follows the stream before the status question", () => {
    expect(serverConnection(reconnecting(1), well).state).toBe("reconnecting");
    const stream: ConnectionState = { kind: "connected", transport: "websocket" };
    expect(serverConnection(stream, { ...well, ok: false, failures: 9 })).toMatchObject({
      state: "connected",
      detail: "Steps arrive over WebSocket.",
    });
  });

  test("follows the status question where no stream is open", () => {
    const paused: ConnectionState = { kind: "disconnected", reason: { kind: "paused" } };
    expect(serverConnection(paused, well).state).toBe("connected");
    expect(serverConnection(undefined, { ...well, ok: false, failures: 1 }).state).toBe("reconnecting");
  });

  test("is called disconnected after about half a minute of attempts, and while the device is offline", () => {
    expect(serverConnection(reconnecting(GIVE_UP_SAYING_RECONNECTING), well).state).toBe("disconnected");
    expect(serverConnection(undefined, { ok: false, failures: GIVE_UP_SAYING_RECONNECTING, online: true }).state).toBe(
      "disconnected",
    );
    expect(serverConnection({ kind: "connected", transport: "connect" }, { ...well, online: false }).state).toBe(
      "disconnected",
    );
  });

  test("says that a server is going down, and takes that for an interruption only where no stream is open", () => {
    const draining = { ...well, draining: true };
    expect(serverConnection({ kind: "connected", transport: "connect" }, draining)).toMatchObject({
      state: "connected",
      draining: true,
    });
    expect(serverConnection(undefined, draining)).toMatchObject({ state: "reconnecting", draining: true });
    expect(serverConnection(undefined, draining).detail).toMatch(/going down/);
  });

  test("marks the very first question, when there is nothing to retry yet", () => {
    expect(serverConnection(undefined, { ok: undefined, failures: 0, online: true })).toMatchObject({ first: true });
  });
});
