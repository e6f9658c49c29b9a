// @vitest-environment jsdom
import { Code, ConnectError, type ConnectRouter, createRouterTransport } from "@connectrpc/connect";
import { InferenceService } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { observe } from "@rlmaze/episode-playback/observation";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fixtureRoutes } from "@/test/fixture-routes";
import { fixtureMaze } from "@/test/fixture-world";
import { type DifferenceChoice, DifferenceSession } from "./difference-session";

const maze = fixtureMaze("showcase-01", 10, 10_005, "showcase");
const choice: DifferenceChoice = {
  maze,
  a: "ppo-memory-1",
  b: { modelId: "dqn-memory-1", observation: "memory/1" },
  seed: 7n,
  sampling: "greedy",
};

let session: DifferenceSession | undefined;
afterEach(() => session?.dispose());

function opened(change?: (router: ConnectRouter) => void): DifferenceSession {
  session = new DifferenceSession({
    transport: createRouterTransport((router) => {
      fixtureRoutes()(router);
      change?.(router);
    }),
    restMs: 0,
  });
  return session;
}

const mapsAt = (open: DifferenceSession, step: number) =>
  vi.waitFor(
    () => {
      expect(open.getState().maps?.atStep).toBe(step);
      expect(open.getState().stale).toBe(false);
    },
    { timeout: 30_000 },
  );

describe("a difference session", () => {
  test("walks the way of the first model and asks both about the wanted moment", async () => {
    const open = opened();
    open.choose(choice, 5);
    await mapsAt(open, 5);
    expect(open.getState().phase).toBe("ready");
    expect(open.playback.shownStep).toBe(5);
    expect(open.playback.liveStep).toBeGreaterThan(5);
    const { maps } = open.getState();
    const openCells = maze.rows.join("").replaceAll("#", "").length;
    for (const map of [maps?.a, maps?.b]) {
      expect(map?.bestActions.filter((action) => action >= 0)).toHaveLength(openCells);
    }
  });

  test("asks the second model with the way of the first one behind it", async () => {
    const asked: number[][] = [];
    const open = opened((router) => {
      router.rpc(InferenceService.method.scoreObservations, (request) => {
        asked.push(...request.observations.map((one) => one.values));
        return {
          scores: request.observations.map(() => ({ kind: 2, values: [1, 0, 0, 0], probabilities: [1, 0, 0, 0] })),
        };
      });
    });
    open.choose(choice, 6);
    await mapsAt(open, 6);
    const { grid } = open.playback;
    if (grid === undefined) throw new Error("no maze");
    const cells = [...grid.wall.keys()].filter((cell) => grid.wall[cell] === 0);
    expect(asked).toEqual(cells.map((cell) => Array.from(observe("memory/1", grid, open.playback, 6, cell))));
  });

  test("asks in batches that the contract allows", async () => {
    const large = fixtureMaze("large20-01", 20, 20_005, "large20");
    const sizes: number[] = [];
    const open = opened((router) => {
      router.rpc(InferenceService.method.scoreObservations, (request) => {
        sizes.push(request.observations.length);
        return { scores: request.observations.map(() => ({ kind: 2, values: [1, 0, 0, 0] })) };
      });
    });
    open.choose({ ...choice, maze: large }, 0);
    await mapsAt(open, 0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(large.rows.join("").replaceAll("#", "").length);
  });

  test("keeps the moment when the second model is exchanged, and walks anew for another first one", async () => {
    const open = opened();
    open.choose(choice, 4);
    await mapsAt(open, 4);
    const { episodeId } = open.playback.getSnapshot();
    open.choose({ ...choice, b: { modelId: "ppo-plain-1", observation: "plain/1" } }, 0);
    await mapsAt(open, 4);
    expect(open.playback.getSnapshot().episodeId).toBe(episodeId);
    open.choose({ ...choice, a: "dqn-memory-1" }, 2);
    await mapsAt(open, 2);
    expect(open.playback.getSnapshot().episodeId).not.toBe(episodeId);
  });

  test("takes the same choice twice without starting over", async () => {
    const open = opened();
    open.choose(choice, 8);
    open.choose({ ...choice }, 0);
    await mapsAt(open, 8);
  });

  test("shows other moments, and remembers those it has seen", async () => {
    let asked = 0;
    const open = opened((router) => {
      router.rpc(InferenceService.method.scoreObservations, (request) => {
        asked += 1;
        return { scores: request.observations.map(() => ({ kind: 2, values: [1, 0, 0, 0] })) };
      });
    });
    open.choose(choice, 0);
    await mapsAt(open, 0);
    open.show(3);
    expect(open.getState().stale).toBe(true);
    expect(open.getState().maps?.atStep).toBe(0);
    await mapsAt(open, 3);
    const before = asked;
    open.show(0);
    expect(open.getState()).toMatchObject({ stale: false, maps: { atStep: 0 } });
    expect(asked).toBe(before);
  });

  test("shows the end when a link names a later step than there is", async () => {
    const open = opened();
    open.choose(choice, 9_999);
    await vi.waitFor(() => expect(open.getState().maps).toBeDefined(), { timeout: 30_000 });
    expect(open.playback.shownStep).toBe(open.playback.liveStep);
  });

  test("asks again while the server does not answer, and keeps what is shown", async () => {
    let away = false;
    const open = opened((router) => {
      router.rpc(InferenceService.method.scoreObservations, (request) => {
        if (away) throw new ConnectError("away", Code.Unavailable);
        return { scores: request.observations.map(() => ({ kind: 2, values: [1, 0, 0, 0] })) };
      });
    });
    open.choose(choice, 1);
    await mapsAt(open, 1);
    away = true;
    open.show(2);
    await vi.waitFor(() => expect(open.getState().attempts).toBeGreaterThan(0));
    expect(open.getState()).toMatchObject({ phase: "ready", stale: true, maps: { atStep: 1 } });
    away = false;
    open.retryNow();
    await mapsAt(open, 2);
    expect(open.getState()).toMatchObject({ attempts: 0, error: undefined });
  });

  test("says why the server refused, and can be asked again", async () => {
    const open = opened();
    open.choose({ ...choice, a: "ppo-trail-2" }, 0);
    await vi.waitFor(() => expect(open.getState().phase).toBe("failed"), { timeout: 30_000 });
    expect(open.getState().error?.retryable).toBe(false);
    open.choose(choice, 0);
    await mapsAt(open, 0);
  });
});
