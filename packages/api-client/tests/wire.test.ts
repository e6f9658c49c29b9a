import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { ConnectionState } from "../src/connection-state";
import { type EpisodeRun, runEpisode } from "../src/episode-run";
import type { WebSocketFactory } from "../src/message-stream";
import { type RaceRun, runRace } from "../src/race-run";
import type { RunOptions } from "../src/run-options";
import { StreamWays } from "../src/stream-ways";
import { createStreamTransport, webSocketUrl } from "../src/transport";
import { type RealServer, serve, type Wire, wireTo } from "./real-server";
import { laneAction, scriptedRace } from "./scripted-race";
import { scriptedAction, scriptedServer } from "./scripted-server";

/** Limits that are reached only by what a test does, however busy the machine is. */
const PATIENT = { backoffFirstMs: 1, backoffMaxMs: 4, firstMessageMs: 30_000, silenceMs: 60_000 };
/** Limits for tests that wait for them. */
const HASTY = { ...PATIENT, firstMessageMs: 400, silenceMs: 800 };
const MAZE = { maze: { case: "mazeId", value: "heldout-0001" } } as const;
const openWebSocket: WebSocketFactory = (url) => {
  const socket = new WebSocket(url);
  // A browser tells an error as an event that nobody has to listen to.
  socket.on("error", () => {});
  return socket as unknown as globalThis.WebSocket;
};

/** A run whose steps are looked at, whichever kind it is. */
interface Watched {
  readonly run: EpisodeRun | RaceRun;
  /** Steps of each lane; an episode is one lane. */
  readonly lanes: number[][];
  readonly states: ConnectionState[];
  readonly finishes: number[];
}

let servers: RealServer[] = [];
let wires: Wire[] = [];
let runs: Watched[] = [];

async function wired(scripts: Parameters<typeof serve>[0]): Promise<Wire> {
  const server = await serve(scripts);
  servers.push(server);
  const wire = await wireTo(server.port);
  wires.push(wire);
  return wire;
}

function optionsFor(wire: Wire, more: Partial<RunOptions> = {}): RunOptions {
  return {
    transport: createStreamTransport({ serverUrl: wire.url }),
    webSocketUrl: webSocketUrl(wire.url),
    openWebSocket,
    timing: PATIENT,
    ways: new StreamWays(),
    ...more,
  };
}

function runOne(wire: Wire, more: Partial<RunOptions> = {}): Watched {
  const watched: Omit<Watched, "run"> = { lanes: [[]], states: [], finishes: [] };
  const run = runEpisode({
    ...optionsFor(wire, more),
    spec: { maze: MAZE, stepsPerSecond: 0 },
    observer: {
      onSteps: (steps) => {
        for (const step of steps) {
          expect(step.action).toBe(scriptedAction(step.index));
          watched.lanes[0]?.push(step.index);
        }
      },
      onFinished: (finished) => void watched.finishes.push(finished.steps),
      onConnection: (state) => void watched.states.push(state),
    },
  });
  runs.push({ ...watched, run });
  return { ...watched, run };
}

function runSome(wire: Wire, lanes: number, more: Partial<RunOptions> = {}): Watched {
  const watched: Omit<Watched, "run"> = { lanes: Array.from({ length: lanes }, () => []), states: [], finishes: [] };
  const run = runRace({
    ...optionsFor(wire, more),
    spec: { maze: MAZE, stepsPerSecond: 0, lanes: Array.from({ length: lanes }, () => ({})) },
    observer: {
      onSteps: (messages) => {
        for (const { lane, steps } of messages) {
          for (const step of steps) {
            expect(step.action).toBe(laneAction(lane, step.index));
            watched.lanes[lane]?.push(step.index);
          }
        }
      },
      onFinished: (finished) => void watched.finishes.push(...finished.lanes.map((lane) => lane.steps)),
      onConnection: (state) => void watched.states.push(state),
    },
  });
  runs.push({ ...watched, run });
  return { ...watched, run };
}

const reasonOf = ({ run }: Watched): string =>
  run.connection.kind === "disconnected" ? run.connection.reason.kind : run.connection.kind;
const kindsOf = ({ states }: Watched): string[] => states.map((state) => state.kind);
const firstSteps = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

async function until(fact: () => boolean): Promise<void> {
  await vi.waitUntil(fact, { timeout: 10_000, interval: 2 });
}

beforeEach(() => {
  const events = new EventTarget();
  vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
  vi.stubGlobal("removeEventListener", events.removeEventListener.bind(events));
  vi.stubGlobal("dispatchEvent", events.dispatchEvent.bind(events));
});

afterEach(async () => {
  for (const { run } of runs) run.stop();
  await Promise.all([...wires, ...servers].map((end) => end.close()));
  servers = [];
  wires = [];
  runs = [];
  vi.unstubAllGlobals();
});

describe("over real sockets", () => {
  test.each(["connect", "websocket", "auto"] as const)(
    "an episode is whole, wherever its bytes are cut (%s)",
    async (choice) => {
      const wire = await wired({ episode: scriptedServer(40) });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(2500), { maxLength: 5 }), async (cuts) => {
          wire.cutAfter(cuts);
          const watched = runOne(wire, { choice });
          await until(() => reasonOf(watched) === "finished");
          expect(watched.lanes).toEqual([firstSteps(40)]);
          expect(watched.finishes).toEqual([40]);
        }),
        { numRuns: 20 },
      );
    },
  );

  test.each(["connect", "websocket", "auto"] as const)(
    "a race is whole, wherever its bytes are cut (%s)",
    async (choice) => {
      const lengths = [12, 40, 7, 40];
      const wire = await wired({ race: scriptedRace(lengths) });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(6000), { maxLength: 5 }), async (cuts) => {
          wire.cutAfter(cuts);
          const watched = runSome(wire, 4, { choice });
          await until(() => reasonOf(watched) === "finished");
          expect(watched.lanes).toEqual(lengths.map(firstSteps));
          expect(watched.finishes).toEqual(lengths);
        }),
        { numRuns: 20 },
      );
    },
  );

  test("a server that freezes in mid-stream is left after the silence, and the episode goes on when it is back", async () => {
    const wire = await wired({ episode: scriptedServer(20, [{ afterSteps: 6, kind: "hang" }]) });
    const watched = runOne(wire, { timing: HASTY });
    await until(() => watched.lanes[0]?.length === 6);
    wire.mode = "freeze";
    await until(() => watched.run.connection.kind === "reconnecting");
    expect(watched.states.at(-1)).toMatchObject({ error: { code: "deadline_exceeded" } });
    wire.mode = "pass";
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(20)]);
  });

  test("a server that is gone for long is asked again until it is back", async () => {
    const wire = await wired({ race: scriptedRace([20, 9], [{ afterSteps: 4, kind: "hang" }]) });
    const watched = runSome(wire, 2);
    await until(() => watched.lanes[0]?.length === 4);
    wire.mode = "refuse";
    wire.cut();
    await until(() => watched.states.some((state) => state.kind === "reconnecting" && state.attempt > 4));
    wire.mode = "pass";
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(20), firstSteps(9)]);
  });
});

describe("a proxy that holds streams back", () => {
  test("is noticed by the missing first message, and later streams of the page go over WebSocket at once", async () => {
    const slow = [{ afterSteps: 2, kind: "hang" } as const];
    const wire = await wired({ episode: scriptedServer(20, slow), race: scriptedRace([8, 8]) });
    wire.mode = "buffer";
    const ways = new StreamWays();
    const first = runOne(wire, { ways, timing: HASTY });
    await until(() => reasonOf(first) === "finished");
    expect(first.lanes).toEqual([firstSteps(20)]);
    expect(kindsOf(first)).not.toContain("reconnecting");
    expect(first.states).toContainEqual({ kind: "connected", transport: "websocket" });
    const second = runSome(wire, 2, { ways });
    await until(() => reasonOf(second) === "finished");
    expect(second.states.slice(0, 2)).toEqual([
      { kind: "connecting", transport: "websocket" },
      { kind: "connected", transport: "websocket" },
    ]);
    expect(wire.webSockets).toBe(2);
  });

  test("in the middle of a stream is noticed by the silence, and the WebSocket is tried first", async () => {
    const episode = scriptedServer(20, [{ afterSteps: 5, kind: "hang" }]);
    const wire = await wired({ episode });
    const ways = new StreamWays();
    const watched = runOne(wire, { ways, timing: HASTY });
    await until(() => watched.lanes[0]?.length === 5);
    wire.mode = "buffer";
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(20)]);
    expect(watched.states.at(-2)).toEqual({ kind: "connected", transport: "websocket" });
    expect(ways.preferred(webSocketUrl(wire.url))).toBe("websocket");
  });

  test("does not keep the page from Connect where the WebSocket is what is blocked", async () => {
    const wire = await wired({ episode: scriptedServer(20) });
    const ways = new StreamWays();
    ways.remember(webSocketUrl(wire.url), "websocket");
    const blocked: WebSocketFactory = () => openWebSocket("ws://127.0.0.1:1/");
    const watched = runOne(wire, { ways, openWebSocket: blocked });
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(20)]);
    expect(ways.preferred(webSocketUrl(wire.url))).toBe("connect");
  });
});

describe("a slow network", () => {
  test("is waited for over both ways, and the one that answers first stays", async () => {
    const server = scriptedServer(5);
    let delayMs = 0;
    const late = {
      stream: async function* (...call: Parameters<typeof server.stream>) {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        yield* server.stream(...call);
      },
    };
    const wire = await wired({ episode: late });
    delayMs = 150;
    const watched = runOne(wire, { timing: { ...PATIENT, firstMessageMs: 20 } });
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(5)]);
  });
});

describe("twenty tabs on HTTP/1.1", () => {
  test("with six connections for all of them run twenty episodes at once, the late ones over WebSocket", async () => {
    let tabs = 0;
    const scripts = scriptedServer(12);
    // Every stream stays open until all twenty have been heard of.
    const together = {
      stream: async function* (...call: Parameters<typeof scripts.stream>) {
        let first = true;
        for await (const message of scripts.stream(...call)) {
          yield message;
          if (first) {
            first = false;
            tabs += 1;
            while (tabs < 20 && !call[1].aborted) await new Promise((resolve) => setTimeout(resolve, 5));
          }
        }
      },
    };
    const wire = await wired({ episode: together });
    const fetch = sixConnections();
    const all = Array.from({ length: 20 }, () =>
      runOne(wire, {
        transport: createStreamTransport({ serverUrl: wire.url, fetch }),
        timing: { ...PATIENT, firstMessageMs: 400 },
      }),
    );
    await until(() => all.every((watched) => reasonOf(watched) === "finished"));
    expect(all.some((watched) => kindsOf(watched).includes("reconnecting"))).toBe(false);
    for (const watched of all) expect(watched.lanes).toEqual([firstSteps(12)]);
    expect(wire.webSockets).toBeGreaterThanOrEqual(14);
  });
});

describe("a computer that was away", () => {
  test("opens its stream anew as soon as it is online again, though the old one still looks alive", async () => {
    const server = scriptedServer(20, [{ afterSteps: 6, kind: "hang" }]);
    const wire = await wired({ episode: server });
    const watched = runOne(wire);
    await until(() => watched.lanes[0]?.length === 6);
    globalThis.dispatchEvent(new Event("online"));
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(20)]);
    expect(kindsOf(watched)).toEqual(["connecting", "connected", "disconnected"]);
  });

  test("opens its stream anew when it wakes up, which only a gap of the clock tells", async () => {
    const server = scriptedServer(20, [{ afterSteps: 6, kind: "hang" }]);
    const wire = await wired({ race: scriptedRace([20, 20], [{ afterSteps: 6, kind: "hang" }]), episode: server });
    const both = [runOne(wire), runSome(wire, 2)];
    await until(() => both.every((watched) => watched.lanes[0]?.length === 6));
    const before = Date.now();
    const asleep = vi.spyOn(Date, "now").mockImplementation(() => before + 3_600_000);
    await until(() => both.every((watched) => reasonOf(watched) === "finished"));
    asleep.mockRestore();
    expect(both.map((watched) => watched.lanes)).toEqual([[firstSteps(20)], [firstSteps(20), firstSteps(20)]]);
  });
});

describe("a hidden tab", () => {
  test("gives its stream back and goes on at its step when it is shown; a paused run stays paused", async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("document", page);
    const turn = (state: "visible" | "hidden"): void => {
      page.visibilityState = state;
      page.dispatchEvent(new Event("visibilitychange"));
    };
    const hang = { afterSteps: 6, kind: "hang" } as const;
    const server = scriptedServer(20, [hang, hang]);
    const wire = await wired({ episode: server });
    const watched = runOne(wire, { giveBackWhenHidden: true });
    await until(() => watched.lanes[0]?.length === 6);
    turn("hidden");
    expect(watched.run.connection).toEqual({ kind: "disconnected", reason: { kind: "hidden" } });
    // Nothing opens it behind the scenes.
    watched.run.resume();
    globalThis.dispatchEvent(new Event("online"));
    expect(reasonOf(watched)).toBe("hidden");
    turn("visible");
    await until(() => watched.lanes[0]?.length === 12);
    expect(server.requests.map((request) => request.afterStep)).toEqual([0, 6]);
    turn("hidden");
    watched.run.pause();
    turn("visible");
    expect(reasonOf(watched)).toBe("paused");
    watched.run.resume();
    await until(() => reasonOf(watched) === "finished");
    expect(watched.lanes).toEqual([firstSteps(20)]);
  });
});

/** A fetch with six connections for all of its users, as browsers have for a host over HTTP/1.1. A request waits for one without a word. */
function sixConnections(): typeof globalThis.fetch {
  let free = 6;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    free += 1;
    waiting.shift()?.();
  };
  return async (input, init) => {
    const signal = init?.signal;
    while (free === 0) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        signal?.addEventListener("abort", () => resolve());
      });
      signal?.throwIfAborted();
    }
    free -= 1;
    try {
      const response = await globalThis.fetch(input, init);
      const [body, end] = response.body?.tee() ?? [];
      void end?.pipeTo(new WritableStream()).then(release, release);
      return new Response(body ?? null, response);
    } catch (reason) {
      release();
      throw reason;
    }
  };
}
