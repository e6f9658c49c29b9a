import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { ViolationsSchema } from "@rlmaze/api/buf/validate/validate_pb";
import { type EpisodeFinished, InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConnectionState } from "../src/connection-state";
import { type EpisodeRun, type RunEpisodeOptions, runEpisode } from "../src/episode-run";
import { StreamWays } from "../src/stream-ways";
import { type ScriptedServer, type StreamFault, scriptedAction, scriptedServer } from "./scripted-server";

const TIMING = { backoffFirstMs: 1, backoffMaxMs: 2, firstMessageMs: 40, silenceMs: 80 };
const SPEC = { maze: { maze: { case: "mazeId", value: "heldout-0001" } }, stepsPerSecond: 0 } as const;

interface Watched {
  readonly run: EpisodeRun;
  readonly steps: number[];
  readonly states: ConnectionState[];
  readonly starts: boolean[];
  readonly finishes: EpisodeFinished[];
  /** Resolves when the run holds no connection and opens none. */
  readonly settled: Promise<Extract<ConnectionState, { kind: "disconnected" }>["reason"]>;
}

function watch(
  server: Pick<ScriptedServer, "transport" | "openWebSocket">,
  more: Partial<RunEpisodeOptions> = {},
): Watched {
  const steps: number[] = [];
  const states: ConnectionState[] = [];
  const starts: boolean[] = [];
  const finishes: EpisodeFinished[] = [];
  let run: EpisodeRun | undefined;
  const settled = new Promise<Extract<ConnectionState, { kind: "disconnected" }>["reason"]>((resolve) => {
    run = runEpisode({
      spec: SPEC,
      transport: server.transport,
      openWebSocket: server.openWebSocket,
      timing: TIMING,
      ways: new StreamWays(),
      ...more,
      observer: {
        onStarted: (started, { resumed }) => {
          starts.push(resumed);
          more.observer?.onStarted?.(started, { resumed, receivedAt: 0 });
        },
        onSteps: (arrived, receivedAt) => {
          for (const step of arrived) {
            expect(step.action).toBe(scriptedAction(step.index));
            steps.push(step.index);
          }
          more.observer?.onSteps?.(arrived, receivedAt);
        },
        onFinished: (finished) => finishes.push(finished),
        onConnection: (state) => {
          states.push(state);
          if (state.kind === "disconnected") resolve(state.reason);
        },
      },
    });
  });
  if (!run) throw new Error("unreachable");
  return { run, steps, states, starts, finishes, settled };
}

function firstSteps(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

const kinds = (states: readonly ConnectionState[]): string[] => states.map((state) => state.kind);

describe("an episode over one stream", () => {
  test("brings every step once and ends as finished", async () => {
    const watched = watch(scriptedServer(34));
    expect(await watched.settled).toEqual({ kind: "finished" });
    expect(watched.steps).toEqual(firstSteps(34));
    expect(watched.finishes).toHaveLength(1);
    expect(kinds(watched.states)).toEqual(["connecting", "connected", "disconnected"]);
  });

  test("names the episode with a UUIDv7 and picks a seed, so that a retry asks for the same one", async () => {
    const server = scriptedServer(3, [{ afterSteps: -1, kind: "cut" }]);
    await watch(server).settled;
    const [first, second] = server.requests;
    expect(first?.episodeId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second?.episodeId).toBe(first?.episodeId);
    expect(first?.seed).toBeDefined();
    expect(second?.seed).toBe(first?.seed);
  });

  test("pins what started said when it resumes", async () => {
    const server = scriptedServer(9, [{ afterSteps: 4, kind: "cut" }]);
    await watch(server).settled;
    expect(server.requests[0]?.policy).toBeUndefined();
    expect(server.requests[1]).toMatchObject({
      afterStep: 4,
      policy: { policy: { case: "modelId", value: "ppo-memory-1" } },
    });
  });
});

describe("a lost connection", () => {
  const fault = fc.record<StreamFault>({
    afterSteps: fc.integer({ min: -1, max: 12 }),
    kind: fc.constantFrom("cut", "end", "crash"),
  });

  test.each(["connect", "websocket", "auto"] as const)(
    "loses nothing and brings nothing twice, whatever is cut (%s)",
    async (choice) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 60 }),
          fc.array(fault, { maxLength: 8 }),
          fc.integer({ min: 1, max: 5 }),
          async (length, faults, perMessage) => {
            const watched = watch(scriptedServer(length, faults, perMessage), {
              choice,
              webSocketUrl: "ws://server/ws/inference",
            });
            expect(await watched.settled).toEqual({ kind: "finished" });
            expect(watched.steps).toEqual(firstSteps(length));
            expect(watched.finishes).toHaveLength(1);
            expect(watched.starts[0]).toBe(false);
            expect(watched.starts.slice(1).every((resumed) => resumed)).toBe(true);
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  test("is said with attempt, time and reason, and forgotten with the first message", async () => {
    const faults: StreamFault[] = [
      { afterSteps: 2, kind: "cut" },
      { afterSteps: -1, kind: "crash" },
      { afterSteps: 1, kind: "cut" },
    ];
    const watched = watch(scriptedServer(9, faults), { choice: "connect" });
    await watched.settled;
    const lost = watched.states.filter((state) => state.kind === "reconnecting");
    expect(lost.map((state) => state.attempt)).toEqual([1, 2, 1]);
    expect(lost[0]?.error).toMatchObject({ code: "unavailable", title: "Server can't be reached" });
  });

  test("is noticed by silence when the server is frozen", async () => {
    const watched = watch(scriptedServer(9, [{ afterSteps: 4, kind: "hang" }]), { choice: "connect" });
    await watched.settled;
    expect(watched.steps).toEqual(firstSteps(9));
    expect(watched.states.find((state) => state.kind === "reconnecting")?.error.code).toBe("deadline_exceeded");
  });

  test("is retried at once by retryNow and by the online event", async () => {
    for (const wake of [(run: EpisodeRun) => run.retryNow(), () => globalThis.dispatchEvent(new Event("online"))]) {
      const events = new EventTarget();
      Object.assign(globalThis, {
        addEventListener: events.addEventListener.bind(events),
        removeEventListener: events.removeEventListener.bind(events),
        dispatchEvent: events.dispatchEvent.bind(events),
      });
      const watched = watch(scriptedServer(5, [{ afterSteps: 2, kind: "cut" }]), {
        choice: "connect",
        timing: { ...TIMING, backoffFirstMs: 60_000, backoffMaxMs: 60_000 },
      });
      await until(() => watched.run.connection.kind === "reconnecting");
      wake(watched.run);
      expect(await watched.settled).toEqual({ kind: "finished" });
    }
  });
});

describe("the way over WebSocket", () => {
  test("is taken when Connect brings no first message in time", async () => {
    const connect = scriptedServer(7, [{ afterSteps: -1, kind: "hang" }]);
    const socket = scriptedServer(7);
    const watched = watch(
      { transport: connect.transport, openWebSocket: socket.openWebSocket },
      { webSocketUrl: "ws://server/ws/inference" },
    );
    await watched.settled;
    expect(watched.steps).toEqual(firstSteps(7));
    expect(watched.states).toContainEqual({ kind: "connected", transport: "websocket" });
    expect(kinds(watched.states)).not.toContain("reconnecting");
  });

  test("is taken at once when Connect is blocked, and kept", async () => {
    const blocked = createRouterTransport(({ service }) => {
      service(InferenceService, {
        // biome-ignore lint/correctness/useYield: it fails before its first message, which is the point.
        async *runEpisode() {
          throw new ConnectError("blocked", Code.Unavailable);
        },
      });
    });
    const socket = scriptedServer(7, [{ afterSteps: 3, kind: "crash" }]);
    const watched = watch(
      { transport: blocked, openWebSocket: socket.openWebSocket },
      { webSocketUrl: "ws://server/ws/inference" },
    );
    await watched.settled;
    expect(watched.steps).toEqual(firstSteps(7));
    expect(socket.requests).toHaveLength(2);
  });

  test("carries errors with their code", async () => {
    const socket = scriptedServer(7);
    const cursor = {
      episodeId: "x",
      resumeToken: "wrong",
      policy: undefined,
      sampling: undefined,
      seed: 1n,
      afterStep: 3,
      actionsDigest: 0n,
    };
    const watched = watch(socket, { choice: "websocket", webSocketUrl: "ws://server/ws/inference", cursor });
    expect(await watched.settled).toMatchObject({
      kind: "failed",
      error: { code: "failed_precondition", retryable: false },
    });
  });
});

describe("a refusal", () => {
  test.each([
    Code.Unauthenticated,
    Code.PermissionDenied,
    Code.InvalidArgument,
    Code.NotFound,
    Code.FailedPrecondition,
    Code.AlreadyExists,
    Code.Unimplemented,
  ])("of code %s ends the run without another attempt", async (code) => {
    let calls = 0;
    const transport = createRouterTransport(({ service }) => {
      service(InferenceService, {
        // biome-ignore lint/correctness/useYield: it fails before its first message, which is the point.
        async *runEpisode() {
          calls += 1;
          throw new ConnectError("no", code);
        },
      });
    });
    const watched = watch(
      { transport, openWebSocket: scriptedServer(1).openWebSocket },
      { webSocketUrl: "ws://server/ws/inference" },
    );
    expect((await watched.settled).kind).toBe("failed");
    expect(calls).toBe(1);
  });

  test("of an episode_id leaves the naming to the server, because this clock is off", async () => {
    const ids: string[] = [];
    const server = scriptedServer(4);
    const transport = createRouterTransport(({ service }) => {
      service(InferenceService, {
        async *runEpisode(request, context) {
          ids.push(request.episodeId);
          if (request.episodeId) {
            throw new ConnectError("off", Code.InvalidArgument, undefined, [
              {
                desc: ViolationsSchema,
                value: { violations: [{ field: { elements: [{ fieldName: "episode_id" }] }, message: "too far" }] },
              },
            ]);
          }
          yield* server.stream(request, context.signal);
        },
      });
    });
    const watched = watch({ transport, openWebSocket: server.openWebSocket });
    expect(await watched.settled).toEqual({ kind: "finished" });
    expect(ids).toHaveLength(2);
    expect(watched.run.cursor?.episodeId).toBe("server-named");
  });
});

describe("what a person does", () => {
  test("pause keeps the place and resume goes on at the next step", async () => {
    const server = scriptedServer(20, [{ afterSteps: 6, kind: "hang" }]);
    const watched = watch(server, { choice: "connect", timing: { ...TIMING, silenceMs: 60_000 } });
    await until(() => watched.steps.length === 6);
    watched.run.pause();
    expect(watched.run.connection).toEqual({ kind: "disconnected", reason: { kind: "paused" } });
    watched.run.resume();
    watched.run.resume();
    await until(() => watched.finishes.length === 1);
    expect(watched.steps).toEqual(firstSteps(20));
    expect(server.requests.map((request) => request.afterStep)).toEqual([0, 6]);
  });

  test("another speed is another stream at the next step, without a word about the connection", async () => {
    const server = scriptedServer(20, [{ afterSteps: 6, kind: "hang" }]);
    const watched = watch(server, { choice: "connect", timing: { ...TIMING, silenceMs: 60_000 } });
    await until(() => watched.steps.length === 6);
    watched.run.change({ stepsPerSecond: 30 });
    await watched.settled;
    expect(watched.steps).toEqual(firstSteps(20));
    expect(server.requests[1]).toMatchObject({ stepsPerSecond: 30, afterStep: 6 });
    expect(kinds(watched.states)).toEqual(["connecting", "connected", "disconnected"]);
  });

  test("single steps come one by one, each exactly once, even through a lost connection", async () => {
    const server = scriptedServer(4, [{ afterSteps: -1, kind: "cut" }]);
    const watched = watch(server, { choice: "connect", spec: { ...SPEC, maxSteps: 1 } });
    expect(await watched.settled).toEqual({ kind: "step_budget" });
    for (const step of [1, 2, 3]) {
      expect(watched.steps).toEqual(firstSteps(step));
      watched.run.resume();
      await until(() => watched.run.connection.kind === "disconnected");
    }
    expect(watched.steps).toEqual(firstSteps(4));
    expect(watched.finishes).toHaveLength(1);
  });

  test("stop returns the place, and another run goes on there", async () => {
    const first = watch(scriptedServer(20, [{ afterSteps: 6, kind: "hang" }]), { choice: "connect" });
    await until(() => first.steps.length === 6);
    const cursor = first.run.stop();
    expect(cursor).toMatchObject({ afterStep: 6 });
    first.run.resume();
    expect(first.run.connection).toEqual({ kind: "disconnected", reason: { kind: "stopped" } });
    const second = watch(scriptedServer(20), { choice: "connect", ...(cursor ? { cursor } : {}) });
    await second.settled;
    expect([...first.steps, ...second.steps]).toEqual(firstSteps(20));
  });

  test("stop from inside of the observer ends the stream there", async () => {
    const run: { current?: EpisodeRun } = {};
    const watched = watch(scriptedServer(20), { observer: { onSteps: () => run.current?.stop() } });
    run.current = watched.run;
    expect(await watched.settled).toEqual({ kind: "stopped" });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(watched.steps).toEqual(firstSteps(3));
  });

  test("stop and pause from inside of any word about the connection are obeyed", async () => {
    const faults: StreamFault[] = [
      { afterSteps: -1, kind: "hang" },
      { afterSteps: 2, kind: "cut" },
      { afterSteps: -1, kind: "crash" },
    ];
    for (const end of ["stop", "pause"] as const) {
      for (let nth = 1; nth <= 6; nth++) {
        const run: { current?: EpisodeRun } = {};
        let told = 0;
        run.current = runEpisode({
          spec: SPEC,
          ...scriptedServer(20, faults),
          webSocketUrl: "ws://server/ws/inference",
          timing: TIMING,
          ways: new StreamWays(),
          observer: {
            onConnection: () => {
              told += 1;
              if (told === nth) run.current?.[end]();
            },
          },
        });
        // The first word comes before there is anything to stop.
        if (nth === 1) run.current[end]();
        await until(() => run.current?.connection.kind === "disconnected");
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect(run.current.connection).toEqual({
          kind: "disconnected",
          reason: { kind: end === "stop" ? "stopped" : "paused" },
        });
      }
    }
  });
});

async function until(fact: () => boolean): Promise<void> {
  const deadline = Date.now() + 2000;
  while (!fact()) {
    if (Date.now() > deadline) throw new Error("it did not happen within 2 s");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
