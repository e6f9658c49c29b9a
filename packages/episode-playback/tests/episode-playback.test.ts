import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Action,
  Baseline,
  Outcome,
  PolicyMapSchema,
  ScoreKind,
  type Step,
  StepSchema,
} from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  EpisodeFinishedSchema,
  type EpisodeStarted,
  EpisodeStartedSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createEpisodePlayback, type EpisodePlayback } from "../src/episode-playback";
import { PolicyMapHistory } from "../src/policy-map";

const MAZE = ["S.#.", "..#.", "#..G"];
const DELTAS: readonly (readonly [number, number])[] = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
];

function started(firstStep = 1, episodeId = "one"): EpisodeStarted {
  return create(EpisodeStartedSchema, {
    episodeId,
    firstStep,
    maxSteps: 24,
    seed: 7n,
    observation: "memory/1",
    scoreKind: ScoreKind.LOGIT,
    policy: { policy: { case: "modelId", value: "ppo-memory-1" } },
    maze: { mazeId: "m", rows: MAZE, shortestPath: 5 },
  });
}

/** Plays actions (0–3) by the law: a wall or the border keeps the agent where it is. */
function play(actions: readonly number[], serverTime = 1000): Step[] {
  let row = 0;
  let col = 0;
  let bumps = 0;
  return actions.map((action, at) => {
    const [down, right] = DELTAS[action] ?? [0, 0];
    const mark = MAZE[row + down]?.[col + right];
    const hitWall = mark === undefined || mark === "#";
    if (hitWall) bumps += 1;
    else {
      row += down;
      col += right;
    }
    const reachedGoal = mark === "G";
    return create(StepSchema, {
      index: at + 1,
      action: action + 1,
      position: { row, col },
      hitWall,
      reachedGoal,
      reward: (reachedGoal ? 99 : hitWall ? -6 : -1) / 100,
      cumulativeReward: (-(at + 1) - 5 * bumps) / 100,
      serverTs: timestampFromMs(serverTime + at),
      scores: { kind: ScoreKind.LOGIT, values: [0, 1, 2, 3], probabilities: [0.25, 0.25, 0.25, 0.25], stateValue: 0.5 },
    });
  });
}

/** What a playback shows of the maze, for comparisons. */
function shown(playback: EpisodePlayback): unknown {
  playback.flush();
  const { version, delay, liveStep, following, mode, ...snapshot } = playback.getSnapshot();
  return { ...snapshot, visits: [...playback.visits], lastVisit: [...playback.lastVisit] };
}

function begun(actions: readonly number[]): EpisodePlayback {
  const playback = createEpisodePlayback();
  playback.onStarted(started());
  playback.onSteps(play(actions), 2000);
  return playback;
}

const actionList = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 600 });

afterEach(() => {
  vi.useRealTimers();
});

describe("what is remembered of an episode", () => {
  test("is each step as it was told", () => {
    const playback = begun([3, 3, 1, 1, 3]);
    expect(playback.liveStep).toBe(5);
    expect([0, 1, 2, 3, 4, 5].map((step) => playback.positionAt(step))).toEqual([0, 1, 1, 5, 9, 10]);
    expect(playback.row(2)).toMatchObject({
      step: 2,
      row: 0,
      col: 1,
      action: Action.RIGHT,
      hitWall: true,
      reward: -0.06,
    });
    expect(playback.row(5).scores).toMatchObject({ kind: ScoreKind.LOGIT, stateValue: 0.5 });
    expect(playback.row(5).scores?.entropy).toBeCloseTo(Math.log(4), 12);
    expect([...playback.cumulativeRewards]).toEqual([-0.01, -0.07, -0.08, -0.09, -0.1]);
    expect(() => playback.row(6)).toThrow(RangeError);
    expect(() => playback.row(0)).toThrow(RangeError);
  });

  test("counts visits, the start and the cell of a bump included", () => {
    const playback = begun([3, 3, 2]);
    expect(playback.visits[0]).toBe(2);
    expect(playback.visits[1]).toBe(2);
    expect(playback.lastVisit[1]).toBe(2);
    expect(playback.lastVisit[5]).toBe(-1);
    expect(shown(playback)).toMatchObject({ visitedCells: 2, bumps: 1, openCells: 9, row: 0, col: 0 });
  });

  test("takes every step once, however often it comes", () => {
    fc.assert(
      fc.property(actionList, fc.array(fc.tuple(fc.nat(600), fc.nat(600)), { maxLength: 10 }), (actions, slices) => {
        const steps = play(actions);
        const playback = createEpisodePlayback();
        playback.onStarted(started());
        for (const [from, count] of slices) playback.onSteps(steps.slice(from, from + count), 2000);
        playback.onSteps(steps, 2000);
        expect(playback.liveStep).toBe(actions.length);
        expect(shown(playback)).toEqual(shown(begun(actions)));
      }),
      { numRuns: 50 },
    );
  });

  test("stays when a stream resumes, and goes when another episode starts", () => {
    const playback = begun([3, 1]);
    playback.onStarted(started(3));
    expect(playback.liveStep).toBe(2);
    const { visits } = playback;
    playback.onStarted(started(1, "two"));
    expect(playback.liveStep).toBe(0);
    expect(playback.visits).toBe(visits);
    expect(() => playback.onStarted(started(9, "three"))).toThrow("not here");
  });

  test("of a baseline has no scores and no model", () => {
    const playback = createEpisodePlayback();
    playback.onStarted(
      create(EpisodeStartedSchema, {
        episodeId: "one",
        firstStep: 1,
        policy: { policy: { case: "baseline", value: Baseline.RANDOM } },
        maze: { mazeId: "m", rows: MAZE },
      }),
    );
    const [step] = play([1]);
    playback.onSteps([create(StepSchema, { index: 1, action: step?.action ?? 1, position: { row: 1, col: 0 } })], 0);
    expect(playback.row(1).scores).toBeUndefined();
    expect(playback.getSnapshot().modelId).toBe("");
    expect(playback.row(1).serverTime).toBeNaN();
  });

  test("ends with the result", () => {
    const playback = begun([3, 1, 1, 3, 3]);
    playback.onFinished(
      create(EpisodeFinishedSchema, {
        outcome: Outcome.REACHED_GOAL,
        steps: 5,
        totalReward: 0.95,
        spl: 1,
        logged: true,
      }),
    );
    expect(playback.getSnapshot()).toMatchObject({
      phase: "finished",
      result: { outcome: Outcome.REACHED_GOAL, spl: 1 },
    });
    expect(playback.row(5).reachedGoal).toBe(true);
  });
});

describe("looking back", () => {
  test("shows at any step what was shown when it was live", () => {
    fc.assert(
      fc.property(actionList, fc.array(fc.nat(600), { minLength: 1, maxLength: 8 }), (actions, visited) => {
        const playback = begun(actions);
        for (const wish of visited) {
          const step = Math.min(wish, actions.length);
          playback.show(step);
          expect(playback.shownStep).toBe(step);
          expect(shown(playback)).toEqual(shown(begun(actions.slice(0, step))));
        }
      }),
      { numRuns: 50 },
    );
  });

  test("stays where it is while steps arrive, until it follows again", () => {
    const playback = begun([3, 1, 1]);
    playback.show(1);
    playback.onSteps(play([3, 1, 1, 3]), 0);
    expect(playback).toMatchObject({ shownStep: 1, liveStep: 4, following: false });
    playback.follow();
    expect(playback).toMatchObject({ shownStep: 4, following: true });
    playback.show(2);
    playback.show(99);
    expect(playback).toMatchObject({ shownStep: 4, following: true });
  });

  test("brings the policy map of that time", () => {
    const playback = begun([3, 1, 1]);
    for (const atStep of [0, 2, 3])
      playback.setPolicyMap(
        create(PolicyMapSchema, { atStep, cells: [0], values: [1, 2, 3, 4], stateValues: [atStep] }),
      );
    expect(playback.policyMap?.atStep).toBe(3);
    playback.show(1);
    expect(playback.policyMap?.atStep).toBe(0);
    playback.show(2);
    expect(playback.policyMap?.stateValues[0]).toBe(2);
  });
});

describe("time", () => {
  const FRAME_MS = 16;

  /** Draws so many frames, as an animation loop does. */
  function draw(playback: EpisodePlayback, frames: number): void {
    for (let frame = 0; frame < frames; frame++) {
      vi.advanceTimersByTime(FRAME_MS);
      playback.advance(performance.now());
    }
  }

  test("is one moment for position, visits, log and panels, also between two steps", () => {
    vi.useFakeTimers();
    const playback = createEpisodePlayback();
    playback.onStarted(started());
    draw(playback, 1);
    playback.onSteps(play([3, 1, 1]), 0);
    for (let frame = 0; frame < 40; frame++) {
      draw(playback, 1);
      const { shownStep } = playback;
      expect(shownStep).toBe(Math.floor(playback.moment));
      expect([...playback.visits]).toEqual(
        [...begun([3, 1, 1].slice(0, Math.max(1, shownStep))).visits].map((count, cell) =>
          shownStep === 0 ? Number(cell === 0) : count,
        ),
      );
      playback.flush();
      expect(playback.getSnapshot().shownStep).toBe(shownStep);
    }
    expect(playback).toMatchObject({ shownStep: 3, moment: 3, mode: "live" });
  });

  test("goes on live while a viewer stays behind, replays at any speed, and is live again", () => {
    vi.useFakeTimers();
    const actions = Array.from({ length: 60 }, (_, at) => (at * 7) % 4);
    const steps = play(actions);
    const playback = createEpisodePlayback();
    playback.onStarted(started());
    playback.onSteps(steps.slice(0, 30), 2000);
    draw(playback, 60);
    playback.show(4);
    playback.onSteps(steps.slice(30, 45), 2000);
    draw(playback, 60);
    expect(playback).toMatchObject({ shownStep: 4, liveStep: 45, mode: "still", following: false });
    playback.replay(20);
    draw(playback, 32);
    expect(playback.shownStep).toBeGreaterThan(12);
    expect(playback.shownStep).toBeLessThan(16);
    const { moment } = playback;
    playback.replay(100);
    expect(playback.moment).toBe(moment);
    expect(playback).toMatchObject({ mode: "replay", replaySpeed: 100 });
    playback.onSteps(steps.slice(45), 2000);
    draw(playback, 60);
    expect(playback).toMatchObject({ shownStep: 60, mode: "live", following: true });
    expect(shown(playback)).toEqual(shown(begun(actions)));
  });

  test("is stepped both ways and held", () => {
    const playback = begun([3, 1, 1, 3]);
    playback.stepBy(-1);
    expect(playback).toMatchObject({ shownStep: 3, mode: "still" });
    playback.stepBy(-2);
    expect(playback.getSnapshot().shownStep).toBe(1);
    playback.replay(5);
    playback.hold();
    expect(playback).toMatchObject({ shownStep: 1, mode: "still" });
    playback.stepBy(1);
    playback.stepBy(1);
    playback.stepBy(1);
    expect(playback).toMatchObject({ shownStep: 4, mode: "live" });
    playback.stepBy(-99);
    expect(playback.shownStep).toBe(0);
  });

  test("is live for readers even where no frame is drawn, as in a hidden tab", () => {
    vi.useFakeTimers();
    const playback = createEpisodePlayback();
    playback.onStarted(started());
    draw(playback, 1);
    playback.onSteps(play([3, 1, 1]), 0);
    expect(playback.shownStep).toBe(0);
    vi.advanceTimersByTime(1000);
    playback.onSteps(play([3, 1, 1, 3]), 0);
    expect(playback.shownStep).toBe(4);
  });

  test("can be moved to any step of a long episode, and costs the way there", () => {
    const actions = Array.from({ length: 20_000 }, (_, at) => (at * 7 + (at >> 3)) % 4);
    const playback = begun(actions);
    for (const step of [20_000, 19_999, 9_000, 8_999, 3, 12_345, 0, 20_000]) {
      playback.show(step);
      const positions = Array.from({ length: step + 1 }, (_, at) => playback.positionAt(at));
      for (const cell of new Set(positions)) {
        expect(playback.visits[cell]).toBe(positions.filter((position) => position === cell).length);
        expect(playback.lastVisit[cell]).toBe(positions.lastIndexOf(cell));
        expect(playback.lastVisitAt(cell, step)).toBe(positions.lastIndexOf(cell));
      }
      expect(playback.getSnapshot().visitedCells).toBe(new Set(positions).size);
    }
  });

  test("asks for the last visit of any cell at any step", () => {
    fc.assert(
      fc.property(actionList, fc.nat(600), fc.nat(11), (actions, wish, cell) => {
        const playback = begun(actions);
        const step = Math.min(wish, actions.length);
        const positions = Array.from({ length: step + 1 }, (_, at) => playback.positionAt(at));
        expect(playback.lastVisitAt(cell, step)).toBe(positions.lastIndexOf(cell));
      }),
      { numRuns: 100 },
    );
  });
});

describe("events", () => {
  test("are found in both directions and by kind", () => {
    // Bumps at 2 and 3 (which is a loop), then on to the goal.
    const playback = begun([3, 3, 3, 1, 1, 3, 3]);
    playback.onFinished(create(EpisodeFinishedSchema, { outcome: Outcome.REACHED_GOAL, steps: 7 }));
    expect(playback.events.list()).toEqual([
      { kind: "goal_seen", step: 1 },
      { kind: "bump", step: 2 },
      { kind: "bump", step: 3 },
      { kind: "loop", step: 3 },
      { kind: "reached_goal", step: 7 },
    ]);
    playback.show(0);
    expect(playback.showNext()).toEqual({ kind: "goal_seen", step: 1 });
    expect(playback.showNext(["loop"])).toEqual({ kind: "loop", step: 3 });
    expect(playback.getSnapshot()).toMatchObject({ shownStep: 3, mode: "still", loop: { period: 1, cells: [1] } });
    expect(playback.events.at(3)).toEqual(["bump", "worse", "loop"]);
    expect(playback.showPrevious()).toEqual({ kind: "bump", step: 2 });
    expect(playback.showPrevious(["reached_goal"])).toBeUndefined();
    expect(playback.shownStep).toBe(2);
    expect(playback.events.count("bump", 2)).toBe(1);
    expect(playback.getSnapshot()).toMatchObject({ worseSteps: 1, regret: { steps: 1, spl: 5 / 6 } });
    playback.reset();
    expect(playback.events.list()).toEqual([]);
  });

  test("tell that an episode was cut off", () => {
    const playback = begun([0, 0]);
    playback.onFinished(create(EpisodeFinishedSchema, { outcome: Outcome.STEP_LIMIT, steps: 2 }));
    expect(playback.events.next(1, ["step_limit"])).toEqual({ kind: "step_limit", step: 2 });
  });

  test("jump to the nearest one, whatever was asked", () => {
    fc.assert(
      fc.property(actionList, fc.nat(600), (actions, wish) => {
        const playback = begun(actions);
        const all = playback.events.list();
        expect(playback.events.next(wish)?.step).toBe(all.find((event) => event.step > wish)?.step);
        expect(playback.events.previous(wish)?.step).toBe(all.findLast((event) => event.step < wish)?.step);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a policy map", () => {
  test("of a long episode takes bounded memory and still covers its past", () => {
    const history = new PolicyMapHistory();
    const cells = 10_000;
    const map = (atStep: number): Parameters<PolicyMapHistory["keep"]>[0] => ({
      atStep,
      kind: ScoreKind.LOGIT,
      values: new Float32Array(4 * cells),
      stateValues: new Float32Array(cells),
      bestActions: new Int8Array(cells),
      low: 0,
      high: 0,
    });
    let kept = 0;
    for (let step = 0; step <= 1000; step++) history.keep(map(step));
    for (let step = 0; step <= 1000; step++) if (history.at(step)?.atStep === step) kept += 1;
    expect(kept).toBeLessThanOrEqual(80);
    expect(history.at(1000)?.atStep).toBe(1000);
    expect(history.at(3)?.atStep).toBe(0);
    for (const step of [100, 500, 900]) expect(step - (history.at(step)?.atStep ?? 0)).toBeLessThan(40);
  });

  test("is spread over the grid, with the first of equal scores as the best", () => {
    const playback = begun([3]);
    playback.setPolicyMap(
      create(PolicyMapSchema, {
        atStep: 1,
        kind: ScoreKind.Q_VALUE,
        cells: [0, 5],
        values: [0, 0, 0, 0, -1, 2, 2, 1],
        stateValues: [-0.5, 0.75],
      }),
    );
    const map = playback.policyMap;
    expect(map).toMatchObject({ kind: ScoreKind.Q_VALUE, low: -0.5, high: 0.75 });
    expect([map?.bestActions[0], map?.bestActions[5], map?.bestActions[2]]).toEqual([0, 1, -1]);
    expect(map?.stateValues[2]).toBeNaN();
    expect([...(map?.values.subarray(20, 24) ?? [])]).toEqual([-1, 2, 2, 1]);
  });
});

test("the value of the goal's cell does not stretch the range of a policy map", () => {
  const playback = begun([3]);
  playback.setPolicyMap(
    create(PolicyMapSchema, {
      atStep: 1,
      cells: [0, 5, 11],
      values: new Array(12).fill(0),
      stateValues: [0.2, 0.6, 2.1],
    }),
  );
  expect(playback.grid?.goal).toBe(11);
  expect(playback.policyMap?.stateValues[11]).toBeCloseTo(2.1);
  expect(playback.policyMap?.high).toBeCloseTo(0.6);
});

describe("snapshots", () => {
  test("are replaced eight times a second at most, whatever arrives", () => {
    vi.useFakeTimers();
    const playback = createEpisodePlayback();
    playback.onStarted(started());
    const steps = play(Array.from({ length: 1000 }, (_, at) => at % 4));
    let calls = 0;
    playback.subscribe(() => {
      calls += 1;
    });
    for (const step of steps) {
      playback.onSteps([step], 0);
      vi.advanceTimersByTime(1);
    }
    expect(calls).toBeGreaterThanOrEqual(7);
    expect(calls).toBeLessThanOrEqual(8);
    vi.advanceTimersByTime(125);
    expect(playback.getSnapshot().liveStep).toBe(1000);
  });

  test("are the same object until something changed, and none is made without a reason", () => {
    vi.useFakeTimers();
    const playback = begun([3]);
    playback.flush();
    const before = playback.getSnapshot();
    vi.advanceTimersByTime(10_000);
    expect(playback.getSnapshot()).toBe(before);
  });

  test("show the delay by the server's clock", () => {
    const playback = createEpisodePlayback();
    playback.onStarted(started());
    playback.setClockOffset(-500);
    playback.onSteps(play([3, 1, 1], 1000), 1540);
    playback.flush();
    expect(playback.getSnapshot().delay).toEqual({ lastMs: 38, p50Ms: 39, p95Ms: 40 });
  });

  test("know an empty playback, a maze, and a reset", () => {
    const playback = createEpisodePlayback();
    expect(playback.getSnapshot().phase).toBe("empty");
    playback.showMaze({ mazeId: "m", rows: MAZE, shortestPath: 5, maxSteps: 24 });
    expect(playback.getSnapshot()).toMatchObject({ phase: "ready", mazeId: "m", maxSteps: 24, row: 0, col: 0 });
    playback.onStarted(started());
    playback.onSteps(play([3]), 0);
    playback.reset();
    expect(playback.getSnapshot()).toMatchObject({ phase: "ready", liveStep: 0, maxSteps: 24, visitedCells: 1 });
  });

  test("stop with dispose", () => {
    vi.useFakeTimers();
    const playback = begun([3]);
    playback.flush();
    playback.onSteps(play([3, 1]), 0);
    const before = playback.getSnapshot();
    playback.dispose();
    vi.advanceTimersByTime(1000);
    expect(playback.getSnapshot()).toBe(before);
  });
});
