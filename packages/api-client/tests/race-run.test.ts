import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import { ViolationsSchema } from "@rlmaze/api/buf/validate/validate_pb";
import {
  InferenceService,
  type RaceLaneSteps,
  type RaceStarted,
  RunRaceResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { actionsDigest } from "../src/actions-digest";
import type { ConnectionState } from "../src/connection-state";
import { type RaceRun, type RunRaceOptions, runRace } from "../src/race-run";
import { StreamWays } from "../src/stream-ways";
import { laneAction, type ScriptedRace, scriptedRace } from "./scripted-race";
import type { StreamFault } from "./scripted-server";

const TIMING = { backoffFirstMs: 1, backoffMaxMs: 2 };
const MAZE = { maze: { case: "mazeId", value: "heldout-0001" } } as const;

interface Watched {
  readonly run: RaceRun;
  readonly lanes: number[][];
  readonly states: ConnectionState[];
  readonly starts: RaceStarted[];
  readonly finishes: number[][];
  /** Calls of onSteps, for what stands in one message. */
  readonly messages: (readonly RaceLaneSteps[])[];
}

function transportOf(stream: ScriptedRace["stream"]): Transport {
  return createRouterTransport(({ service }) => {
    service(InferenceService, { runRace: (request, context) => stream(request, context.signal) });
  });
}

function watch(stream: ScriptedRace["stream"], lanes: number, more: Partial<RunRaceOptions> = {}): Watched {
  const watched: Omit<Watched, "run"> = {
    lanes: Array.from({ length: lanes }, () => []),
    states: [],
    starts: [],
    finishes: [],
    messages: [],
  };
  const run = runRace({
    transport: transportOf(stream),
    timing: TIMING,
    ways: new StreamWays(),
    spec: { maze: MAZE, stepsPerSecond: 0, lanes: Array.from({ length: lanes }, () => ({})) },
    ...more,
    observer: {
      onStarted: (started, { resumed }) => {
        expect(resumed).toBe(watched.starts.length > 0 || (more.cursor?.afterStep ?? 0) > 0);
        watched.starts.push(started);
      },
      onSteps: (messages) => {
        watched.messages.push(messages);
        for (const { lane, steps } of messages) {
          for (const step of steps) {
            expect(step.action).toBe(laneAction(lane, step.index));
            watched.lanes[lane]?.push(step.index);
          }
        }
      },
      onFinished: (finished) => void watched.finishes.push(finished.lanes.map((lane) => lane.steps)),
      onConnection: (state) => void watched.states.push(state),
    },
  });
  return { ...watched, run };
}

const reasonOf = ({ run }: Watched): string =>
  run.connection.kind === "disconnected" ? run.connection.reason.kind : run.connection.kind;
const firstSteps = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

async function until(fact: () => boolean): Promise<void> {
  await vi.waitUntil(fact, { timeout: 10_000, interval: 1 });
}

describe("a race over one stream", () => {
  test("brings every tick of every lane once and ends as finished", async () => {
    const race = scriptedRace([7, 20, 3]);
    const watched = watch(race.stream, 3);
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(7), firstSteps(20), firstSteps(3)]);
    expect(watched.finishes).toEqual([[7, 20, 3]]);
    expect(watched.states.map((state) => state.kind)).toEqual(["connecting", "connected", "disconnected"]);
    expect(watched.run.cursor).toMatchObject({ afterStep: 20, lanes: [{ lastStep: 7, ended: true }, {}, {}] });
  });

  test("names every lane with an id of its own and picks a seed", async () => {
    const race = scriptedRace([3, 3], [{ afterSteps: -1, kind: "cut" }]);
    const watched = watch(race.stream, 2);
    await until(() => reasonOf(watched) === "finished");
    const [first, second] = race.requests;
    expect(new Set(first?.lanes.map((lane) => lane.episodeId)).size).toBe(2);
    expect(first?.lanes[0]?.episodeId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(second?.lanes.map((lane) => lane.episodeId)).toEqual(first?.lanes.map((lane) => lane.episodeId));
    expect(second?.seed).toBe(first?.seed);
    expect(first?.seed).toBeDefined();
  });
});

describe("a race that was cut", () => {
  const fault = fc.record<StreamFault>({
    afterSteps: fc.integer({ min: -1, max: 12 }),
    kind: fc.constantFrom("cut", "end", "crash"),
  });

  test("is whole, whatever was cut, with lanes that end at any time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
        fc.array(fault, { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (lengths, faults, perMessage) => {
          const race = scriptedRace(lengths, faults, perMessage);
          const watched = watch(race.stream, lengths.length);
          await until(() => reasonOf(watched) === "finished");
          expect(watched.lanes).toEqual(lengths.map(firstSteps));
          expect(watched.finishes).toEqual([lengths]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("goes on with token, digest and pinned policy of each lane, also of one that had ended", async () => {
    const race = scriptedRace([2, 9], [{ afterSteps: 4, kind: "cut" }], 2);
    const watched = watch(race.stream, 2);
    await until(() => reasonOf(watched) === "finished");
    const ids = race.requests[0]?.lanes.map((lane) => lane.episodeId) ?? [];
    expect(race.requests[1]).toMatchObject({
      afterStep: 4,
      lanes: [0, 1].map((lane) => ({
        episodeId: ids[lane],
        resumeToken: `token-${ids[lane]}`,
        policy: { policy: { case: "modelId", value: `pinned-${lane}` } },
        actionsDigest: actionsDigest(firstSteps(lane === 0 ? 2 : 4).map((step) => laneAction(lane, step))),
      })),
    });
  });

  test("between its last tick and its result asks for the result alone", async () => {
    const race = scriptedRace([4, 6], [{ afterSteps: 6, kind: "end" }]);
    const watched = watch(async function* (request, signal) {
      for await (const message of race.stream(request, signal)) {
        if (message.event.case === "finished" && race.requests.length === 1) throw new TypeError("fetch failed");
        yield message;
      }
    }, 2);
    await until(() => reasonOf(watched) === "finished");
    expect(race.requests.map((request) => request.afterStep)).toEqual([0, 6]);
    expect(watched.finishes).toEqual([[4, 6]]);
    expect(watched.lanes).toEqual([firstSteps(4), firstSteps(6)]);
  });

  test("takes a message whole or not at all: a lane that lags behind is a broken stream", async () => {
    const race = scriptedRace([9, 9]);
    let broken = false;
    const watched = watch(async function* (request, signal) {
      for await (const message of race.stream(request, signal)) {
        if (message.event.case === "steps" && !broken) {
          broken = true;
          const lanes = message.event.value.lanes.slice(0, 1);
          yield create(RunRaceResponseSchema, { event: { case: "steps", value: { lanes } } });
        } else {
          yield message;
        }
      }
    }, 2);
    await until(() => reasonOf(watched) === "finished");
    expect(race.requests.map((request) => request.afterStep)).toEqual([0, 0]);
    expect(watched.states).toContainEqual(
      expect.objectContaining({ kind: "reconnecting", error: expect.objectContaining({ code: "data_loss" }) }),
    );
    expect(watched.lanes).toEqual([firstSteps(9), firstSteps(9)]);
  });
});

describe("what a person does with a race", () => {
  test("single ticks come one by one, each exactly once, until all lanes have ended", async () => {
    const race = scriptedRace([2, 4], [{ afterSteps: -1, kind: "cut" }]);
    const watched = watch(race.stream, 2, {
      spec: { maze: MAZE, stepsPerSecond: 0, lanes: [{}, {}], maxSteps: 1 },
    });
    for (const tick of [1, 2, 3]) {
      await until(() => reasonOf(watched) === "step_budget");
      expect(watched.lanes).toEqual([firstSteps(Math.min(2, tick)), firstSteps(tick)]);
      watched.run.resume();
    }
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(2), firstSteps(4)]);
    expect(race.requests.every((request) => request.maxSteps === 1)).toBe(true);
  });

  test("another speed is another stream at the next tick; pause keeps the place", async () => {
    const hang = { afterSteps: 6, kind: "hang" } as const;
    const race = scriptedRace([20, 20], [hang, hang]);
    const watched = watch(race.stream, 2);
    await until(() => watched.lanes[1]?.length === 6);
    watched.run.change({ stepsPerSecond: 30, shareMs: 16 });
    await until(() => watched.lanes[1]?.length === 12);
    expect(race.requests[1]).toMatchObject({ stepsPerSecond: 30, shareMs: 16, afterStep: 6 });
    watched.run.pause();
    expect(reasonOf(watched)).toBe("paused");
    watched.run.resume();
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(20), firstSteps(20)]);
  });

  test("stop returns the place, and another run goes on there", async () => {
    const race = scriptedRace([20, 3], [{ afterSteps: 6, kind: "hang" }]);
    const first = watch(race.stream, 2);
    await until(() => first.lanes[0]?.length === 6);
    const cursor = first.run.stop();
    first.run.resume();
    expect(reasonOf(first)).toBe("stopped");
    const second = watch(race.stream, 2, cursor ? { cursor } : {});
    await until(() => reasonOf(second) === "finished");
    expect([...(first.lanes[0] ?? []), ...(second.lanes[0] ?? [])]).toEqual(firstSteps(20));
    expect(second.lanes[1]).toEqual([]);
    expect(second.finishes).toEqual([[20, 3]]);
  });
});

describe("a refusal", () => {
  test("of one lane ends the race and names the lane's field", async () => {
    let calls = 0;
    const watched = watch(
      // biome-ignore lint/correctness/useYield: it fails before its first message, which is the point.
      async function* () {
        calls += 1;
        throw new ConnectError("no such model", Code.NotFound, undefined, [
          { desc: ViolationsSchema, value: { violations: [{ field: laneField("policy"), message: "is not known" }] } },
        ]);
      },
      2,
    );
    await until(() => reasonOf(watched) === "failed");
    expect(watched.run.connection).toMatchObject({
      reason: { error: { code: "not_found", field: "lanes[1].policy" } },
    });
    expect(calls).toBe(1);
  });

  test("of an episode_id leaves the naming to the server, because this clock is off", async () => {
    const race = scriptedRace([3, 3]);
    const watched = watch(async function* (request, signal) {
      if (request.lanes[1]?.episodeId) {
        throw new ConnectError("off", Code.InvalidArgument, undefined, [
          { desc: ViolationsSchema, value: { violations: [{ field: laneField("episode_id"), message: "too far" }] } },
        ]);
      }
      yield* race.stream(request, signal);
    }, 2);
    await until(() => reasonOf(watched) === "finished");
    expect(watched.run.cursor?.lanes.map((lane) => lane.episodeId)).toEqual(["server-named-0", "server-named-1"]);
  });
});

function laneField(name: string) {
  return {
    elements: [{ fieldName: "lanes", subscript: { case: "index" as const, value: 1n } }, { fieldName: name }],
  };
}
