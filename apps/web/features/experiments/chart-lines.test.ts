import { create } from "@bufbuild/protobuf";
import {
  type MetricHistory,
  MetricHistorySchema,
  type Run,
  RunSchema,
  RunState,
} from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { TrainingCheckpointSchema } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { describe, expect, test } from "vitest";
import { chartLines, runGroups } from "./chart-lines";
import { nearestCheckpoint, probeCells } from "./checkpoints";
import { plainComparison } from "./compare-address";
import { figureRows } from "./figure-rows";
import { runLine, stepsOf, tookMs } from "./run-words";

const run = (runId: string, params: Record<string, string> = {}): Run =>
  create(RunSchema, { runId, name: runId, params });
const history = (runId: string, key: string, ys: number[]): MetricHistory =>
  create(MetricHistorySchema, {
    runId,
    key,
    steps: ys.map((_, at) => BigInt(100 * (at + 1))),
    values: ys,
    elapsedS: ys.map((_, at) => at + 1),
    points: BigInt(ys.length),
  });

const seeds = [
  run("one", { name: "quick", algorithm: "PPO", seed: "1" }),
  run("two", { name: "quick", algorithm: "PPO", seed: "2" }),
  run("other", { name: "quick", algorithm: "DQN", seed: "1" }),
];
const curves = [
  history("one", "reward", [0, 1, 2]),
  history("two", "reward", [2, 3, 4]),
  history("other", "reward", [9, 9, 9]),
];

describe("the lines of a chart", () => {
  test("are one a run, told apart by number and colour, and by dashes from the fifth on", () => {
    const many = Array.from({ length: 8 }, (_, at) => run(`run-${at}`));
    const looks = runGroups(many, false).map(({ look }) => look);
    expect(looks.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(new Set(looks.map(({ color }) => color)).size).toBe(8);
    expect(looks.map(({ dash }) => dash !== undefined)).toEqual([false, false, false, false, true, true, true, true]);
  });

  test("are the mean of the runs that differ in their seed only, with a band", () => {
    const groups = runGroups(seeds, true);
    expect(groups.map(({ name, look }) => [name, look.number])).toEqual([
      ["quick, 2 seeds", 1],
      ["other", 3],
    ]);
    const [mean, alone] = chartLines(groups, curves, "reward", plainComparison);
    expect(mean).toMatchObject({ id: "one", xs: [100, 200, 300], ys: [1, 2, 3], lows: [0, 1, 2], highs: [2, 3, 4] });
    expect(alone?.lows).toBeUndefined();
  });

  test("leave hidden runs out, of a mean too", () => {
    const groups = runGroups(seeds, true);
    const lines = chartLines(groups, curves, "reward", { ...plainComparison, hidden: ["two", "other"] });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ id: "one", ys: [0, 1, 2] });
    expect(lines[0]?.lows).toBeUndefined();
  });

  test("keep the raw values faintly behind the smoothed ones", () => {
    const groups = runGroups(seeds, false);
    const lines = chartLines(groups, curves, "reward", { ...plainComparison, smoothing: 0.5 });
    expect(lines.map(({ id, faint }) => [id, faint === true])).toEqual([
      ["one raw", true],
      ["one", false],
      ["two raw", true],
      ["two", false],
      ["other raw", true],
      ["other", false],
    ]);
    expect(lines[4]?.ys).toEqual([9, 9, 9]);
    expect(Array.from(lines[5]?.ys ?? [])).toEqual([9, 9, 9]);
  });

  test("mark the points of checkpoints, and none where a run has no such figure", () => {
    const groups = runGroups(seeds, false);
    const [line, ...others] = chartLines(
      groups,
      [history("one", "validation_spl", [0.2, 0.6])],
      "validation_spl",
      plainComparison,
    );
    expect(line?.marks).toEqual([
      { x: 100, y: 0.2 },
      { x: 200, y: 0.6 },
    ]);
    expect(others).toEqual([]);
    expect(chartLines(groups, curves, "loss", plainComparison)).toEqual([]);
  });
});

describe("a checkpoint", () => {
  const at = (timesteps: bigint) => create(TrainingCheckpointSchema, { timesteps });

  test("is the nearest one, the earlier of two", () => {
    const all = [at(100n), at(200n), at(400n)];
    expect(nearestCheckpoint(all, 0)?.timesteps).toBe(100n);
    expect(nearestCheckpoint(all, 150)?.timesteps).toBe(100n);
    expect(nearestCheckpoint(all, 301)?.timesteps).toBe(400n);
    expect(nearestCheckpoint([], 1)).toBeUndefined();
  });

  test("was played: walls stop the agent, unknown actions end the way", () => {
    const rows = ["S.#", "#.G", "###"];
    const way = (...actions: number[]) =>
      probeCells(rows, { actions: Uint8Array.from(actions) }).map(({ row, col }) => `${row}${col}`);
    expect(way(3, 1, 3)).toEqual(["00", "01", "11", "12"]);
    expect(way(1, 2, 0)).toEqual(["00", "00", "00", "00"]);
    expect(way(3, 9, 3)).toEqual(["00", "01"]);
    expect(probeCells(["..."], { actions: new Uint8Array([3]) })).toEqual([]);
  });
});

describe("a run in words", () => {
  const metrics = (values: Record<string, number | undefined>) =>
    Object.entries(values).map(([key, value]) => ({ key, step: 10n, ...(value === undefined ? {} : { value }) }));

  test("has a best figure where more than one run has it and they differ; less loss is better", () => {
    const runs = [
      create(RunSchema, { metrics: metrics({ loss: 0.5, reward: 1, mine: 3 }) }),
      create(RunSchema, { metrics: metrics({ loss: 0.1, reward: 1, mine: 4, held_out_spl: undefined }) }),
    ];
    expect(figureRows(runs)).toEqual([
      { key: "reward", values: [1, 1], best: undefined },
      { key: "loss", values: [0.5, 0.1], best: 0.1 },
      { key: "held_out_spl", values: [undefined, undefined], best: undefined },
      { key: "mine", values: [3, 4], best: undefined },
    ]);
  });

  test("says what it is, how far it is and how long it took", () => {
    const given = create(RunSchema, {
      params: { algorithm: "ppo", observation: "memory/1" },
      tags: { "rlmaze.seed": "7" },
      sweep: "rates",
      state: RunState.RUNNING,
      startedAt: { seconds: 100n },
      metrics: [{ key: "reward", step: 500n }],
    });
    expect(runLine(given)).toBe("PPO · memory/1 · seed 7 · rates");
    expect(stepsOf(given)).toBe(500);
    expect(tookMs(given, 130_000)).toBe(30_000);
    expect(tookMs({ ...given, state: RunState.FAILED }, 130_000)).toBeUndefined();
    expect(stepsOf({ metrics: [] })).toBeUndefined();
  });
});
