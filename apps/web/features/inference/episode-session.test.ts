import { Code, ConnectError, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import { Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fixtureRoutes } from "@/test/fixture-routes";
import { fixtureMaze } from "@/test/fixture-world";
import { type EpisodeChoice, EpisodeSession } from "./episode-session";

const maze = fixtureMaze("showcase-01", 10, 10_005, "showcase");
const choice: EpisodeChoice = { maze, modelId: "", seed: 7n, sampling: { sampling: { case: "greedy", value: {} } } };
const fast = { backoffFirstMs: 1, backoffMaxMs: 2, firstMessageMs: 2_000, silenceMs: 5_000 };

/** Lets the frames of a drawing loop pass until the playback follows the stream again. */
async function untilLive(): Promise<void> {
  let time = 0;
  await vi.waitFor(
    () => {
      time += 50;
      session.playback.advance(time);
      expect(session.playback.mode).toBe("live");
    },
    { timeout: 5_000, interval: 1 },
  );
}

let session: EpisodeSession;
afterEach(() => session.dispose());

function newSession(stepsPerSecond: number, interceptors: Interceptor[] = []): EpisodeSession {
  session = new EpisodeSession({
    transport: createRouterTransport(fixtureRoutes(), { transport: { interceptors } }),
    stepsPerSecond,
    timing: fast,
  });
  session.choose(choice);
  return session;
}

const activity = (wanted: string) =>
  vi.waitFor(() => expect(session.getState().activity).toBe(wanted), { timeout: 5_000 });
const atStep = (step: number) =>
  vi.waitFor(() => expect(session.playback.liveStep).toBeGreaterThanOrEqual(step), { timeout: 5_000 });
const actions = () => Array.from({ length: session.playback.liveStep }, (_, at) => session.playback.row(at + 1).action);

/** Cuts each of the first streams after a message, as a lost connection does. */
function cutting(times: number): { interceptor: Interceptor; streams: () => number } {
  let streams = 0;
  return {
    streams: () => streams,
    interceptor: (next) => async (request) => {
      const response = await next(request);
      if (!response.stream) return response;
      streams += 1;
      if (streams > times) return response;
      const { message } = response;
      async function* cut() {
        let messages = 0;
        for await (const each of message) {
          yield each;
          messages += 1;
          if (messages === 3) throw new ConnectError("cut", Code.Unavailable);
        }
      }
      return { ...response, message: cut() };
    },
  };
}

describe("a session", () => {
  test("shows the chosen maze at step 0 before anything runs", () => {
    newSession(0);
    expect(session.getState().activity).toBe("ready");
    expect(session.playback.getSnapshot()).toMatchObject({
      phase: "ready",
      mazeId: "showcase-01",
      liveStep: 0,
      maxSteps: 200,
    });
  });

  test("plays an episode to its end and knows the result", async () => {
    newSession(0);
    session.play();
    await activity("finished");
    expect(session.playback.getSnapshot().result).toMatchObject({
      outcome: Outcome.REACHED_GOAL,
      steps: session.playback.liveStep,
    });
  });

  test("stops, keeps its place and goes on with the next step", async () => {
    newSession(200);
    session.play();
    await atStep(3);
    session.stop();
    await activity("paused");
    const stopped = session.playback.liveStep;
    session.play();
    await activity("finished");
    expect(session.playback.liveStep).toBeGreaterThan(stopped);
    expect(session.playback.row(stopped + 1).step).toBe(stopped + 1);
  });

  test("takes single steps and stays stopped all along", async () => {
    newSession(0);
    const seen = new Set<string>();
    session.subscribe(() => seen.add(session.getState().activity));
    session.step();
    await atStep(1);
    await vi.waitFor(() => expect(session.getState().connection).toMatchObject({ reason: { kind: "step_budget" } }));
    session.step();
    await atStep(2);
    expect(session.playback.liveStep).toBe(2);
    expect(seen).not.toContain("running");
  });

  test("resets to step 0 and plays the same episode again, with the run before kept for comparison", async () => {
    newSession(0);
    session.play();
    await activity("finished");
    const before = actions();
    session.reset();
    expect(session.playback.liveStep).toBe(0);
    expect(session.getState().lastRewards).toHaveLength(before.length);
    session.play();
    await activity("finished");
    expect(actions()).toEqual(before);
    expect(session.getState().episodes).toBe(2);
  });

  test("changes speed while it runs and loses no step", async () => {
    newSession(20);
    session.play();
    await atStep(2);
    session.setSpeed(0);
    await activity("finished");
    expect(Array.from({ length: session.playback.liveStep }, (_, at) => session.playback.row(at + 1).step)).toEqual(
      Array.from({ length: session.playback.liveStep }, (_, at) => at + 1),
    );
  });

  test("reconnects by itself after each cut and comes to the same episode as without", async () => {
    newSession(0);
    session.play();
    await activity("finished");
    const uncut = actions();
    session.dispose();

    const { interceptor, streams } = cutting(3);
    newSession(60, [interceptor]);
    const kinds: string[] = [];
    session.subscribe(() => kinds.push(session.getState().connection.kind));
    session.play();
    await activity("finished");
    expect(streams()).toBe(4);
    expect(kinds).toContain("reconnecting");
    expect(actions()).toEqual(uncut);
  });

  test("says what the server refused", async () => {
    newSession(0);
    session.choose({ ...choice, modelId: "ppo-trail-2" });
    session.play();
    await activity("failed");
    expect(session.getState().error).toMatchObject({ code: "failed_precondition", retryable: false });
  });

  test("forgets the run before when another maze is chosen", async () => {
    newSession(0);
    session.play();
    await activity("finished");
    session.choose({ ...choice, maze: fixtureMaze("showcase-02", 10, 10_006, "showcase") });
    expect(session.getState()).toMatchObject({ activity: "ready", lastRewards: new Float64Array(0) });
    expect(session.playback.getSnapshot().mazeId).toBe("showcase-02");
  });

  test("closes its stream while the tab is hidden and goes on when it is back", async () => {
    newSession(200);
    session.play();
    await atStep(2);
    session.setHidden(true);
    await activity("paused");
    session.setHidden(false);
    await activity("finished");
  });

  test("does not start by itself on return when a person had stopped it", async () => {
    newSession(200);
    session.play();
    await atStep(2);
    session.stop();
    session.setHidden(true);
    session.setHidden(false);
    expect(session.getState().activity).toBe("paused");
  });

  test("fetches the policy map of the shown step when the stream did not bring it", async () => {
    newSession(0);
    await session.fetchPolicyMap();
    expect(session.playback.policyMap).toBeUndefined();
    session.setWithPolicyMap(true);
    await session.fetchPolicyMap();
    expect(session.playback.policyMap?.atStep).toBe(0);
  });

  test("goes on arriving while an earlier step is looked at", async () => {
    newSession(200);
    session.play();
    await atStep(4);
    session.show(2);
    expect(session.playback.shownStep).toBe(2);
    await activity("finished");
    expect(session.playback.shownStep).toBe(2);
    expect(session.playback.liveStep).toBeGreaterThan(4);
    session.step();
    expect(session.playback.shownStep).toBe(3);
    session.live();
    expect(session.playback).toMatchObject({ following: true, shownStep: session.playback.liveStep });
  });

  test("plays from memory to the newest step, and then goes on with the stream", async () => {
    newSession(0);
    session.choose({ ...choice });
    session.open(6);
    await atStep(6);
    await vi.waitFor(() => expect(session.getState().connection.kind).toBe("disconnected"));
    expect(session.playback.liveStep).toBe(6);
    session.show(1);
    session.play();
    expect(session.playback.mode).toBe("replay");
    expect(session.getState().activity).toBe("paused");
    await untilLive();
    await activity("finished");
  });

  test("stops a play from memory where it is, and leaves the stream alone", async () => {
    newSession(0);
    session.play();
    await activity("finished");
    session.setSpeed(1);
    session.show(1);
    session.play();
    session.stop();
    expect(session.playback).toMatchObject({ mode: "still", shownStep: 1 });
    expect(session.getState().activity).toBe("finished");
  });

  test("opens the moment of a link: it is there at once, and paused", async () => {
    newSession(1);
    session.open(9);
    await atStep(9);
    expect(session.getState().activity).toBe("paused");
    expect(session.playback).toMatchObject({ shownStep: 9, liveStep: 9, following: true });
    expect(session.getState().stepsPerSecond).toBe(1);
  });
});
