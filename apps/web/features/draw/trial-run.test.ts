// @vitest-environment jsdom
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { InferenceService, type RunEpisodeRequest } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MomentLane } from "@/lib/moment-link";
import { fixtureRoutes } from "@/test/fixture-routes";
import { drawingOf, rowsOf } from "./drawing";
import { drawingFacts } from "./drawing-facts";
import { TrialRun } from "./trial-run";

const rows = ["S....", "####.", ".....", ".####", "....G"];
const drawing = drawingOf(rows);
const active: MomentLane = { policy: { modelId: "" }, sampling: "greedy" };

let trial: TrialRun;
beforeEach(() => {
  trial = new TrialRun({ transport: createRouterTransport(fixtureRoutes()) });
  trial.show(drawing, drawingFacts(drawing));
});
afterEach(() => trial.dispose());

const activity = (wanted: string) =>
  vi.waitFor(() => expect(trial.getState().activity).toBe(wanted), { timeout: 30_000 });

describe("a trial of a drawing", () => {
  it("runs to the end and names the model that was active", async () => {
    trial.start(drawing, { lane: active, stepsPerSecond: 0 });
    await activity("finished");
    expect(trial.getState().lane).toEqual({ policy: { modelId: "ppo-memory-1" }, sampling: "greedy" });
    const { result, phase } = trial.playback.getSnapshot();
    expect(phase).toBe("finished");
    expect(result?.steps).toBe(trial.playback.liveStep);
  });

  it("stops at the step of a link and goes on from there to the end", async () => {
    trial.start(drawing, { lane: active, seed: 7n, stepsPerSecond: 0, toStep: 3 });
    await activity("paused");
    expect(trial.playback.getSnapshot()).toMatchObject({ shownStep: 3, seed: 7n });
    trial.resume(0);
    await activity("finished");
    expect(trial.playback.liveStep).toBeGreaterThan(3);
  });

  it("ends when the drawing changes, and nothing of it arrives any more", async () => {
    trial.start(drawing, { lane: active, stepsPerSecond: 20 });
    await vi.waitFor(() => expect(trial.playback.liveStep).toBeGreaterThan(0), { timeout: 30_000 });
    const other = drawingOf([...rows].reverse());
    trial.show(other, drawingFacts(other));
    expect(trial.getState()).toMatchObject({ activity: "drawing", lane: undefined });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(trial.playback.liveStep).toBe(0);
    expect(trial.playback.grid?.start).toBe(other.start);
  });

  it("asks for the rows, the policy and the temperature, and keeps what the server says against them", async () => {
    const asked: RunEpisodeRequest[] = [];
    trial.dispose();
    trial = new TrialRun({
      transport: createRouterTransport((router) => {
        router.service(InferenceService, {
          // biome-ignore lint/correctness/useYield: it refuses.
          async *runEpisode(request) {
            asked.push(request);
            throw new ConnectError("maze.drawn.rows: no way to the goal", Code.InvalidArgument);
          },
        });
      }),
    });
    trial.show(drawing, drawingFacts(drawing));
    trial.start(drawing, {
      lane: { policy: { modelId: "dqn-memory-1" }, sampling: { temperature: 0.5 } },
      seed: 9n,
      stepsPerSecond: 64,
    });
    await activity("failed");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      seed: 9n,
      stepsPerSecond: 64,
      policy: { policy: { case: "modelId", value: "dqn-memory-1" } },
      sampling: { sampling: { case: "softmax", value: { temperature: 0.5 } } },
    });
    expect(asked[0]?.maze?.maze.case === "drawn" && asked[0].maze.maze.value.rows).toEqual(rowsOf(drawing));
    expect(trial.getState().error?.hint).toContain("no way to the goal");
  });
});
