import { readFile } from "node:fs/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { ViolationsSchema } from "@rlmaze/api/buf/validate/validate_pb";
import { Action } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { actionsDigest, EMPTY_ACTIONS_DIGEST } from "../src/actions-digest";
import { backoffDelay } from "../src/backoff";
import { estimateClockOffset } from "../src/clock-offset";
import { describeError } from "../src/describe-error";
import { webSocketUrl } from "../src/transport";
import { uuidV7 } from "../src/uuid-v7";

describe("the digest of actions", () => {
  test("is FNV-1a with 64 bits", () => {
    expect(actionsDigest([])).toBe(EMPTY_ACTIONS_DIGEST);
    // One zero byte: (basis ^ 0) * prime.
    expect(actionsDigest([Action.UP])).toBe(0xaf63bd4c8601b7dfn);
    expect(actionsDigest([Action.DOWN])).toBe(0xaf63bc4c8601b62cn);
  });

  test("stays within 64 bits and tells neighbours apart", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 300 }), (actions) => {
        const digest = actionsDigest(actions);
        expect(digest >= 0n && digest < 1n << 64n).toBe(true);
        const other = [...actions.slice(0, -1), ((actions.at(-1) ?? 1) % 4) + 1];
        expect(actionsDigest(other)).not.toBe(digest);
      }),
    );
  });
});

describe("the backoff", () => {
  const limits = { firstMs: 250, maxMs: 2500 };

  test("doubles from 250 ms and stays at 2.5 s", () => {
    const longest = [1, 2, 3, 4, 5, 6, 1000].map((attempt) => backoffDelay(attempt, limits, () => 1));
    expect(longest).toEqual([250, 500, 1000, 2000, 2500, 2500, 2500]);
  });

  test("takes between a half and the whole", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const whole = backoffDelay(attempt, limits, () => 1);
          const delay = backoffDelay(attempt, limits, () => random);
          expect(delay).toBeGreaterThanOrEqual(whole / 2);
          expect(delay).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });
});

describe("the clock offset", () => {
  test("is that of the fastest ping", async () => {
    const roundTrips = [80, 10, 200];
    let now = 1_000_000;
    let sent = 0;
    const offset = await estimateClockOffset({
      pings: 3,
      now: () => now,
      ping: async () => {
        const trip = roundTrips[sent++] ?? 0;
        // The slow ones are uneven: all of the time goes into the way there.
        now += trip;
        return trip === 10 ? now - 5 + 1500 : now + 1500;
      },
    });
    expect(offset).toEqual({ offsetMs: 1500, roundTripMs: 10 });
  });

  test("leaves failed pings out and rejects when all fail", async () => {
    let sent = 0;
    const flaky = async (): Promise<number> => {
      sent += 1;
      if (sent < 3) throw new Error("lost");
      return 500;
    };
    expect(await estimateClockOffset({ pings: 3, now: () => 0, ping: flaky })).toEqual({
      offsetMs: 500,
      roundTripMs: 0,
    });
    await expect(estimateClockOffset({ ping: () => Promise.reject(new Error("lost")) })).rejects.toThrow("lost");
  });
});

describe("the description of an error", () => {
  test("names the field and the rule of a violation", () => {
    const error = new ConnectError("validation error", Code.InvalidArgument, undefined, [
      {
        desc: ViolationsSchema,
        value: {
          violations: [
            {
              field: {
                elements: [
                  { fieldName: "maze" },
                  { fieldName: "drawn" },
                  { fieldName: "rows", subscript: { case: "index", value: 2n } },
                ],
              },
              message: "must have the length of the other rows",
            },
          ],
        },
      },
    ]);
    expect(describeError(error)).toEqual({
      code: "invalid_argument",
      title: "Invalid request",
      field: "maze.drawn.rows[2]",
      hint: "Must have the length of the other rows.",
      retryable: false,
    });
  });

  test("speaks with the server's words where they are for people, and hides them where they are not", () => {
    expect(describeError(new ConnectError('maze "x" does not exist', Code.NotFound))).toMatchObject({
      title: "Not found",
      hint: 'Maze "x" does not exist.',
    });
    expect(describeError(new ConnectError("pq: relation", Code.Internal)).hint).not.toContain("pq");
  });

  test("calls a failed fetch by its name", () => {
    expect(describeError(new TypeError("Failed to fetch"))).toMatchObject({
      title: "Server can't be reached",
      retryable: true,
    });
    expect(describeError("odd")).toMatchObject({ code: "unknown", retryable: true });
  });

  test("has words for every code", () => {
    for (const code of Object.values(Code).filter((value) => typeof value === "number")) {
      const description = describeError(new ConnectError("", code));
      expect(description.title).not.toBe("");
      expect(description.hint).toMatch(/[.?]$/);
    }
  });
});

describe("the episode id", () => {
  test("is a version 7 UUID that begins with its time", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 47 }), (now) => {
        const id = uuidV7(now);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(now);
      }),
    );
  });
});

test("the WebSocket's address follows from the server's", () => {
  expect(webSocketUrl("http://127.0.0.1:8080")).toBe("ws://127.0.0.1:8080/ws/inference");
  expect(webSocketUrl("https://maze.example/api/")).toBe("wss://maze.example/api/ws/inference");
});

test("the digest agrees with the server's and the trainer's on the committed conformance cases", async () => {
  const path = new URL("../../../ml/conformance/digests.json", import.meta.url);
  const { cases } = JSON.parse(await readFile(path, "utf8")) as { cases: { actions: string; digest: string }[] };
  expect(cases.length).toBeGreaterThan(5);
  for (const { actions, digest } of cases) {
    expect(actionsDigest([...actions].map((digit): Action => Number(digit) + 1))).toBe(BigInt(digest));
  }
});
