import { create } from "@bufbuild/protobuf";
import { Baseline, Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  EpisodeFinishedSchema,
  RaceFinishedSchema,
  type RaceLaneSteps,
  RaceLaneStepsSchema,
  type RaceStarted,
  RaceStartedSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createRacePlayback, type RacePlayback } from "../src/race-playback";
import { playbackOf, playIn } from "./scripted-episode";

const MAZE = ["S....", "####.", "G...."];
/** Steps to the goal by the shortest path: 4 right, 2 down, 4 left. */
const SHORTEST = 10;
const STRAIGHT = [3, 3, 3, 3, 1, 1, 2, 2, 2, 2];
/** Two bumps first. */
const LATE = [0, 0, ...STRAIGHT];
const LOST = [3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2];

function started(lanes: number, firstStep = 1, race = "race"): RaceStarted {
  return create(RaceStartedSchema, {
    maze: { mazeId: "m", rows: MAZE, shortestPath: SHORTEST },
    seed: 7n,
    firstStep,
    maxSteps: 30,
    lanes: Array.from({ length: lanes }, (_, lane) => ({
      episodeId: `${race}-${lane}`,
      observation: lane === 0 ? "memory/1" : "",
      policy:
        lane === 0
          ? { policy: { case: "modelId", value: "ppo-memory-1" } as const }
          : { policy: { case: "baseline", value: Baseline.RANDOM } as const },
    })),
  });
}

/** The ticks of some lanes, as messages of so many ticks. */
function messages(lanes: readonly (readonly number[])[], ticks = 1): RaceLaneSteps[][] {
  const steps = lanes.map((actions) => playIn(MAZE, actions));
  const longest = Math.max(...lanes.map((actions) => actions.length));
  const result: RaceLaneSteps[][] = [];
  for (let from = 0; from < longest; from += ticks) {
    result.push(
      steps.flatMap((all, lane) => {
        const some = all.slice(from, from + ticks);
        if (some.length === 0) return [];
        const isLast = from + some.length === all.length;
        const finished = isLast ? { finished: resultOf(lanes[lane] ?? []) } : {};
        return [create(RaceLaneStepsSchema, { lane, steps: some, ...finished })];
      }),
    );
  }
  return result;
}

function resultOf(actions: readonly number[]) {
  const reached = playIn(MAZE, actions).at(-1)?.reachedGoal ?? false;
  return create(EpisodeFinishedSchema, {
    outcome: reached ? Outcome.REACHED_GOAL : Outcome.STEP_LIMIT,
    steps: actions.length,
    spl: reached ? SHORTEST / actions.length : 0,
  });
}

function raced(...lanes: readonly (readonly number[])[]): RacePlayback {
  const race = createRacePlayback();
  race.onStarted(started(lanes.length));
  for (const message of messages(lanes)) race.onSteps(message, 2000);
  race.onFinished(create(RaceFinishedSchema, { lanes: lanes.map(resultOf) }));
  return race;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a race", () => {
  test("says that a lane is logged when the log answers after the lane's last step, and does not take it back", () => {
    const race = createRacePlayback();
    race.onStarted(started(1));
    for (const message of messages([STRAIGHT])) race.onSteps(message, 2000);
    race.flush();
    expect(race.getSnapshot().lanes[0]?.playback.result?.logged).toBe(false);
    const end = (logged: boolean) =>
      race.onFinished(create(RaceFinishedSchema, { lanes: [{ ...resultOf(STRAIGHT), logged }] }));
    end(true);
    expect(race.getSnapshot().lanes[0]?.playback.result?.logged).toBe(true);
    end(false);
    expect(race.getSnapshot().lanes[0]?.playback.result?.logged).toBe(true);
  });

  test("shows every lane at the same tick, and a lane that ended at its last step", () => {
    const lanes = [STRAIGHT, LATE, LOST];
    const race = raced(...lanes);
    for (const tick of [0, 1, 5, 10, 11, 12, 14]) {
      race.show(tick);
      expect(race.shownStep).toBe(tick);
      race.lanes.forEach((lane, at) => {
        const actions = lanes[at] ?? [];
        const step = Math.min(tick, actions.length);
        expect(lane.shownStep).toBe(step);
        const alone = playbackOf(MAZE, actions);
        alone.show(step);
        expect([...lane.visits]).toEqual([...alone.visits]);
        expect(lane.positionAt(step)).toBe(alone.positionAt(step));
      });
      expect(race.getSnapshot().lanes.map((lane) => lane.playback.shownStep)).toEqual(
        race.lanes.map((lane) => lane.shownStep),
      );
    }
  });

  test("says who leads, by how much, and who has ended, at the shown tick", () => {
    const race = raced(STRAIGHT, LATE, LOST);
    expect(race.getSnapshot()).toMatchObject({
      phase: "finished",
      liveStep: 14,
      shortestPath: SHORTEST,
      lanes: [
        { place: 1, ended: true, reachedGoal: true, gap: 0, baseline: undefined },
        { place: 2, ended: true, reachedGoal: true, gap: 2, baseline: Baseline.RANDOM },
        { place: 3, ended: true, reachedGoal: false, gap: 14 },
      ],
    });
    race.show(10);
    expect(race.getSnapshot().lanes).toMatchObject([
      { place: 1, ended: true, reachedGoal: true },
      { place: 2, ended: false, gap: 2 },
      { place: 3, ended: false, gap: 10 },
    ]);
    race.show(0);
    expect(race.getSnapshot().lanes.map((lane) => lane.place)).toEqual([1, 1, 1]);
  });

  test("shares one clock: lanes glide together and a replay moves all", () => {
    vi.useFakeTimers();
    const race = raced(STRAIGHT, LATE);
    const draw = (frames: number): void => {
      for (let frame = 0; frame < frames; frame++) {
        vi.advanceTimersByTime(16);
        race.advance(performance.now());
        for (const lane of race.lanes) expect(lane.moment).toBe(Math.min(race.moment, lane.liveStep));
      }
    };
    race.show(2);
    race.replay(10);
    draw(32);
    expect(race.mode).toBe("replay");
    expect(race.shownStep).toBeGreaterThan(4);
    race.replay(100);
    draw(60);
    expect(race).toMatchObject({ mode: "live", shownStep: 12, moment: 12 });
    expect(race.lanes[0]?.moment).toBe(10);
    race.stepBy(-1);
    draw(30);
    expect(race.lanes.map((lane) => lane.shownStep)).toEqual([10, 11]);
  });

  test("jumps to the nearest event of any lane", () => {
    const race = raced(STRAIGHT, LATE, LOST);
    race.show(0);
    expect(race.showNext(["bump"])).toEqual({ kind: "bump", step: 1, lane: 1 });
    expect(race.showNext(["loop"])).toEqual({ kind: "loop", step: 2, lane: 1 });
    expect(race.showNext(["loop"])).toEqual({ kind: "loop", step: 4, lane: 2 });
    expect(race.showNext(["reached_goal"])).toEqual({ kind: "reached_goal", step: 10, lane: 0 });
    expect(race.showNext(["reached_goal"])).toEqual({ kind: "reached_goal", step: 12, lane: 1 });
    expect(race.showPrevious(["reached_goal"])).toEqual({ kind: "reached_goal", step: 10, lane: 0 });
    expect(race.showPrevious(["step_limit"])).toBeUndefined();
    expect(race.getSnapshot().shownStep).toBe(10);
  });

  test("is the same however it is cut into messages and streams", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(13), { maxLength: 4 }), (ticks, cuts) => {
        const lanes = [STRAIGHT, LATE, LOST];
        const race = createRacePlayback();
        race.onStarted(started(3));
        for (const message of messages(lanes, ticks)) {
          race.onSteps(message, 2000);
          // A resumed stream starts at the next tick; lanes that ended stand in it too.
          if (cuts.includes(race.liveStep)) race.onStarted(started(3, race.liveStep + 1));
        }
        race.onFinished(create(RaceFinishedSchema, { lanes: lanes.map(resultOf) }));
        const { version, ...snapshot } = race.getSnapshot();
        const { version: _, ...whole } = raced(...lanes).getSnapshot();
        const plain = (lane: (typeof snapshot.lanes)[number]) => ({
          ...lane,
          playback: { ...lane.playback, version: 0, following: true },
        });
        expect(snapshot.lanes.map(plain)).toEqual(whole.lanes.map(plain));
        expect({ ...snapshot, lanes: [] }).toEqual({ ...whole, lanes: [] });
      }),
      { numRuns: 60 },
    );
  });

  test("shows its maze before it starts, is reset, and makes place for another one", () => {
    const race = createRacePlayback();
    expect(race.getSnapshot()).toMatchObject({ phase: "empty", lanes: [] });
    race.showMaze({ mazeId: "m", rows: MAZE, shortestPath: SHORTEST, maxSteps: 30 }, 2);
    expect(race.getSnapshot()).toMatchObject({ phase: "ready", mazeId: "m", maxSteps: 30 });
    const { lanes } = race;
    race.onStarted(started(2));
    expect(race.lanes).toBe(lanes);
    for (const message of messages([STRAIGHT, LATE])) race.onSteps(message, 0);
    expect(race.getSnapshot().lanes.map((lane) => lane.ended)).toEqual([false, false]);
    race.flush();
    expect(race.getSnapshot()).toMatchObject({ phase: "finished", liveStep: 12 });
    race.reset();
    expect(race.getSnapshot()).toMatchObject({ phase: "ready", liveStep: 0, shortestPath: SHORTEST });
    race.onStarted(started(4, 1, "other"));
    expect(race.lanes).toHaveLength(4);
    expect(() => race.onStarted(started(4, 9, "third"))).toThrow("not here");
  });

  test("makes one snapshot for all lanes, eight times a second at most", () => {
    vi.useFakeTimers();
    const race = createRacePlayback();
    race.onStarted(started(2));
    let calls = 0;
    race.subscribe(() => {
      calls += 1;
      const snapshot = race.getSnapshot();
      for (const lane of snapshot.lanes) {
        expect(lane.playback.shownStep).toBe(Math.min(snapshot.shownStep, lane.playback.liveStep));
      }
    });
    const endless = Array.from({ length: 1000 }, (_, at) => (at * 7) % 4);
    for (const message of messages([endless, endless])) {
      race.onSteps(message, 0);
      vi.advanceTimersByTime(1);
    }
    expect(calls).toBeGreaterThanOrEqual(7);
    expect(calls).toBeLessThanOrEqual(9);
    race.dispose();
  });
});
