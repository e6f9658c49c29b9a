// @vitest-environment jsdom
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { InferenceService, type RunRaceRequest } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { MomentLane } from "@/lib/moment-link";
import { fixtureRoutes } from "@/test/fixture-routes";
import { fixtureMaze } from "@/test/fixture-world";
import { RaceSession } from "./race-session";

const maze = fixtureMaze("showcase-01", 10, 10_005, "showcase");
const lanes: MomentLane[] = [
  { policy: { modelId: "ppo-memory-1" }, sampling: "greedy" },
  { policy: { modelId: "dqn-memory-1" }, sampling: { temperature: 0.5 } },
  { policy: { baseline: Baseline.NEAREST_FRONTIER }, sampling: "greedy" },
];

let session: RaceSession;
beforeEach(() => {
  session = new RaceSession({ transport: createRouterTransport(fixtureRoutes()), stepsPerSecond: 0 });
  session.choose({ maze, lanes, seed: 7n });
});
afterEach(() => session.dispose());

const activity = (wanted: string) =>
  vi.waitFor(() => expect(session.getState().activity).toBe(wanted), { timeout: 30_000 });
const shownStep = () => session.playback.getSnapshot().shownStep;

describe("a race session", () => {
  test("shows the maze with all lanes at its start before anything runs", () => {
    const { phase, lanes: shown } = session.playback.getSnapshot();
    expect(phase).toBe("ready");
    expect(shown).toHaveLength(3);
    expect(session.getState().activity).toBe("ready");
  });

  test("runs all lanes to their ends and knows each result", async () => {
    session.play();
    await activity("finished");
    const { phase, lanes: ended, liveStep } = session.playback.getSnapshot();
    expect(phase).toBe("finished");
    expect(ended.every((lane) => lane.ended && lane.playback.result?.logged)).toBe(true);
    expect(Math.max(...ended.map((lane) => lane.playback.liveStep))).toBe(liveStep);
    expect(ended[2]?.baseline).toBe(Baseline.NEAREST_FRONTIER);
  });

  test("asks for what was chosen, in one stream", async () => {
    const asked: RunRaceRequest[] = [];
    session.dispose();
    session = new RaceSession({
      transport: createRouterTransport((router) => {
        router.service(InferenceService, {
          // biome-ignore lint/correctness/useYield: it refuses.
          async *runRace(request) {
            asked.push(request);
            throw new ConnectError("model is broken", Code.FailedPrecondition);
          },
        });
      }),
      stepsPerSecond: 64,
    });
    session.choose({ maze, lanes, seed: 7n });
    session.play();
    await activity("failed");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      seed: 7n,
      stepsPerSecond: 64,
      shareMs: 16,
      maze: { maze: { case: "mazeId", value: "showcase-01" } },
      lanes: [
        { policy: { policy: { case: "modelId", value: "ppo-memory-1" } }, sampling: { sampling: { case: "greedy" } } },
        { sampling: { sampling: { case: "softmax", value: { temperature: 0.5 } } } },
        { policy: { policy: { case: "baseline", value: Baseline.NEAREST_FRONTIER } } },
      ],
    });
    expect(session.getState().error).toMatchObject({ code: "failed_precondition", retryable: false });
  });

  test("names a drawn maze by its cells", async () => {
    const asked: RunRaceRequest[] = [];
    session.dispose();
    session = new RaceSession({
      transport: createRouterTransport((router) => {
        router.service(InferenceService, {
          // biome-ignore lint/correctness/useYield: it refuses.
          async *runRace(request) {
            asked.push(request);
            throw new ConnectError("no", Code.InvalidArgument);
          },
        });
      }),
      stepsPerSecond: 0,
    });
    session.choose({ maze: { ...maze, mazeId: "" }, lanes, seed: 1n });
    session.play();
    await activity("failed");
    expect(asked[0]?.maze?.maze).toMatchObject({ case: "drawn", value: { rows: maze.rows } });
  });

  test("takes single steps, forward from the server and back in memory", async () => {
    session.step();
    await vi.waitFor(() => expect(shownStep()).toBe(1));
    await activity("paused");
    session.step();
    await vi.waitFor(() => expect(shownStep()).toBe(2));
    await activity("paused");
    session.back();
    expect(shownStep()).toBe(1);
    expect(session.playback.following).toBe(false);
    session.step();
    expect(shownStep()).toBe(2);
    expect(session.playback.liveStep).toBe(2);
  });

  test("goes on live while one looks back, and returns to the newest step", async () => {
    session.setSpeed(100);
    session.play();
    await vi.waitFor(() => expect(session.playback.liveStep).toBeGreaterThan(4));
    session.show(2);
    const behind = session.playback.liveStep;
    await vi.waitFor(() => expect(session.playback.liveStep).toBeGreaterThan(behind));
    expect(shownStep()).toBe(2);
    session.live();
    expect(shownStep()).toBe(session.playback.liveStep);
  });

  test("stops and goes on with the next step", async () => {
    session.setSpeed(100);
    session.play();
    await vi.waitFor(() => expect(session.playback.liveStep).toBeGreaterThan(2));
    session.stop();
    await activity("paused");
    const held = session.playback.liveStep;
    session.setSpeed(0);
    session.play();
    await activity("finished");
    const [first] = session.playback.lanes;
    expect(first?.liveStep).toBeGreaterThan(held);
  });

  test("goes to the step of a link at once and stays there", async () => {
    session.setSpeed(1);
    session.goTo(9);
    await vi.waitFor(() => expect(shownStep()).toBe(9), { timeout: 30_000 });
    await activity("paused");
    expect(session.playback.liveStep).toBe(9);
    expect(session.getState().stepsPerSecond).toBe(1);
    session.setSpeed(0);
    session.play();
    await activity("finished");
  });

  test("stays at the end when a link names a later step than there is", async () => {
    session.goTo(5_000);
    await activity("finished");
    expect(shownStep()).toBe(session.playback.liveStep);
  });

  test("resets to the start, and starts the same race again", async () => {
    session.play();
    await activity("finished");
    const steps = session.playback.liveStep;
    session.reset();
    expect(session.getState().activity).toBe("ready");
    expect(session.playback.liveStep).toBe(0);
    session.play();
    await activity("finished");
    expect(session.playback.liveStep).toBe(steps);
    expect(session.getState().races).toBe(2);
  });

  test("forgets the race that ran when lanes are exchanged", async () => {
    session.play();
    await activity("finished");
    session.choose({ maze, lanes: lanes.slice(0, 2), seed: 7n });
    expect(session.playback.getSnapshot()).toMatchObject({ phase: "ready", liveStep: 0 });
    expect(session.playback.lanes).toHaveLength(2);
  });
});
