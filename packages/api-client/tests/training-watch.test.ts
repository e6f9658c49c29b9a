import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import {
  type EventGap,
  TrainingService,
  WatchTrainingResponseSchema,
} from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { ConnectionState } from "../src/connection-state";
import { StreamWays } from "../src/stream-ways";
import { type TrainingWatch, type WatchTrainingOptions, watchTraining } from "../src/training-watch";
import { type ScriptedTraining, scriptedTraining, type TrainingFault } from "./scripted-training";

const TIMING = { backoffFirstMs: 1, backoffMaxMs: 2 };

interface Watched {
  readonly watch: TrainingWatch;
  readonly sequences: bigint[];
  readonly states: ConnectionState[];
  readonly gaps: EventGap[];
}

function watching(script: Pick<ScriptedTraining, "transport">, more: Partial<WatchTrainingOptions> = {}): Watched {
  const watched: Omit<Watched, "watch"> = { sequences: [], states: [], gaps: [] };
  const watch = watchTraining({
    runId: "a-run",
    transport: script.transport,
    timing: TIMING,
    ways: new StreamWays(),
    ...more,
    observer: {
      onEvents: (events) => void watched.sequences.push(...events.map(({ sequence }) => sequence)),
      onGap: (gap) => void watched.gaps.push(gap),
      onConnection: (state) => void watched.states.push(state),
    },
  });
  return { ...watched, watch };
}

const reasonOf = ({ watch }: Watched): string =>
  watch.connection.kind === "disconnected" ? watch.connection.reason.kind : watch.connection.kind;
const sequences = (first: number, last: number): bigint[] =>
  Array.from({ length: last - first + 1 }, (_, at) => BigInt(first + at));

async function until(fact: () => boolean): Promise<void> {
  await vi.waitUntil(fact, { timeout: 10_000, interval: 1 });
}

describe("a watch over one stream", () => {
  test("brings every event once and ends as finished when the run is final", async () => {
    const watched = watching(scriptedTraining(10));
    await until(() => reasonOf(watched) === "finished");
    expect(watched.sequences).toEqual(sequences(1, 10));
    expect(watched.states.map(({ kind }) => kind)).toEqual(["connecting", "connected", "disconnected"]);
    expect(watched.watch.sequence).toBe(10n);
  });

  test("goes on after what is already here", async () => {
    const script = scriptedTraining(10);
    const watched = watching(script, { afterSequence: 7n });
    await until(() => reasonOf(watched) === "finished");
    expect(watched.sequences).toEqual(sequences(8, 10));
    expect(script.requests[0]?.afterSequence).toBe(7n);
  });

  test("takes facts that follow the event that made the run final, also after a cut between the two", async () => {
    const script = scriptedTraining(10, [{ afterSteps: 8, kind: "cut" }], { perMessage: 1, afterFinal: 2 });
    const watched = watching(script);
    await until(() => reasonOf(watched) === "finished");
    expect(watched.sequences).toEqual(sequences(1, 10));
  });

  test("that ends before the run does is opened again", async () => {
    const script = scriptedTraining(9, [{ afterSteps: 4, kind: "end" }]);
    const watched = watching(script);
    await until(() => reasonOf(watched) === "finished");
    expect(script.requests.map(({ afterSequence }) => afterSequence)).toEqual([0n, 4n]);
    expect(watched.states.map(({ kind }) => kind)).toContain("reconnecting");
  });
});

describe("a watch that was disturbed", () => {
  const afterSteps = fc.integer({ min: -1, max: 12 });
  const fault: fc.Arbitrary<TrainingFault> = fc.oneof(
    fc.record({ afterSteps, kind: fc.constantFrom("cut" as const, "end" as const, "crash" as const) }),
    fc.record({
      afterSteps: fc.integer({ min: 0, max: 12 }),
      kind: fc.constant("gap" as const),
      gapEvents: fc.integer({ min: 1, max: 9 }),
    }),
  );

  test("is whole: every event once and in order, whatever was cut or left out", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fault, { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat({ max: 10 }),
        async (count, faults, perMessage, known) => {
          const after = Math.min(known, count - 1);
          const watched = watching(scriptedTraining(count, faults, { perMessage }), { afterSequence: BigInt(after) });
          await until(() => reasonOf(watched) === "finished");
          expect(watched.sequences).toEqual(sequences(after + 1, count));
        },
      ),
      { numRuns: 80 },
    );
  });

  test("asks for what a gap left out without a word about the connection", async () => {
    const script = scriptedTraining(12, [{ afterSteps: 3, kind: "gap", gapEvents: 5 }]);
    const watched = watching(script);
    await until(() => reasonOf(watched) === "finished");
    expect(watched.gaps).toMatchObject([{ firstSequence: 4n, lastSequence: 8n }]);
    expect(script.requests.map(({ afterSequence }) => afterSequence)).toEqual([0n, 3n]);
    expect(watched.states.map(({ kind }) => kind)).not.toContain("reconnecting");
    expect(watched.sequences).toEqual(sequences(1, 12));
  });

  test("keeps what came before a hole that nobody announced, and mends it", async () => {
    let calls = 0;
    const transport = createRouterTransport(({ service }) => {
      service(TrainingService, {
        watchTraining: async function* ({ afterSequence }) {
          calls += 1;
          const order = calls === 1 ? [1n, 2n, 5n] : sequences(Number(afterSequence) + 1, 5);
          yield create(WatchTrainingResponseSchema, {
            message: {
              case: "events",
              value: {
                events: order.map((sequence) => ({
                  sequence,
                  event:
                    sequence === 5n
                      ? { case: "stateChange" as const, value: { state: TrainingState.COMPLETED } }
                      : { case: "logLine" as const, value: { text: "a line" } },
                })),
              },
            },
          });
        },
      });
    });
    const watched = watching({ transport });
    await until(() => reasonOf(watched) === "finished");
    expect(watched.sequences).toEqual(sequences(1, 5));
    expect(calls).toBe(2);
  });

  test("goes over a WebSocket where Connect is not to be had", async () => {
    const script = scriptedTraining(9);
    const watched = watching(script, {
      choice: "websocket",
      webSocketUrl: "ws://server/ws/training",
      openWebSocket: script.openWebSocket,
    });
    await until(() => reasonOf(watched) === "finished");
    expect(watched.sequences).toEqual(sequences(1, 9));
    expect(watched.states).toContainEqual({ kind: "connected", transport: "websocket" });
  });
});

describe("a watch that ends", () => {
  test("by a refusal says why and asks no more", async () => {
    let calls = 0;
    const transport = createRouterTransport(({ service }) => {
      service(TrainingService, {
        // biome-ignore lint/correctness/useYield: it fails before its first message, which is the point.
        watchTraining: async function* () {
          calls += 1;
          throw new ConnectError("there is no run a-run", Code.NotFound);
        },
      });
    });
    const watched = watching({ transport });
    await until(() => reasonOf(watched) === "failed");
    expect(watched.watch.connection).toMatchObject({
      reason: { error: { code: "not_found", hint: "There is no run a-run." } },
    });
    expect(calls).toBe(1);
  });

  test("by stop returns its place, and another watch goes on there", async () => {
    const first = watching(scriptedTraining(20, [{ afterSteps: 6, kind: "hang" }]));
    await until(() => first.sequences.length === 6);
    const place = first.watch.stop();
    expect(reasonOf(first)).toBe("stopped");
    const second = watching(scriptedTraining(20), { afterSequence: place });
    await until(() => reasonOf(second) === "finished");
    expect([...first.sequences, ...second.sequences]).toEqual(sequences(1, 20));
  });
});
