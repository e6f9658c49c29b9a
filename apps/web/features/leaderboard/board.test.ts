import { create } from "@bufbuild/protobuf";
import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { Algorithm, ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fixtureEvaluation } from "@/test/fixture-evaluations";
import { type Board, boardPath, plainBoard, readBoard } from "./board-address";
import { columns } from "./board-columns";
import { boardRows, episodePath } from "./board-rows";

const model = (modelId: string, state = ModelState.READY) =>
  create(ModelSchema, { modelId, state, algorithm: Algorithm.PPO });
const ofModel = (modelId: string, ...figures: [number, number, number]) =>
  fixtureEvaluation({ policy: { case: "modelId", value: modelId } }, ...figures);

const models = [model("a-1"), model("b-1"), model("gone-1", ModelState.BROKEN), model("new-1")];
const evaluations = [ofModel("b-1", 1000, 0.7, 34), ofModel("a-1", 990, 0.72, 36)];
const names = (board: Partial<Board>) =>
  boardRows(models, evaluations, { ...plainBoard, ...board })
    .filter(({ policy }) => "modelId" in policy)
    .map(({ name }) => name);

describe("the rows of a leaderboard", () => {
  test("are all models that can run and all baselines, and who was not evaluated comes last", () => {
    const rows = boardRows(models, evaluations, plainBoard);
    expect(rows).toHaveLength(3 + 7);
    expect(rows.map(({ evaluation }) => evaluation !== undefined)).toEqual([true, true, ...Array(8).fill(false)]);
    expect(rows.some(({ name }) => name === "gone-1")).toBe(false);
  });

  test("keep a broken model that was evaluated before it broke", () => {
    const kept = boardRows(models, [...evaluations, ofModel("gone-1", 10, 0.1, 190)], plainBoard);
    expect(kept.some(({ name }) => name === "gone-1")).toBe(true);
  });

  test("are sorted by a column, the better first, or the other way round", () => {
    expect(names({ sort: "success" })).toEqual(["b-1", "a-1", "new-1"]);
    expect(names({ sort: "success", reversed: true })).toEqual(["a-1", "b-1", "new-1"]);
    expect(names({ sort: "spl" })).toEqual(["a-1", "b-1", "new-1"]);
    expect(names({ sort: "steps" })).toEqual(["b-1", "a-1", "new-1"]);
    // Both bump alike: the server's order decides.
    expect(names({ sort: "bumps" })).toEqual(["b-1", "a-1", "new-1"]);
  });
});

test("a failure is seen on the inference page, and that of a baseline in a race", () => {
  const failed = { mazeId: "heldout-0007", seed: 6n } as Parameters<typeof episodePath>[1];
  expect(episodePath({ modelId: "a-1" }, failed)).toBe("/?model=a-1&maze=heldout-0007&seed=6&step=0&v=1");
  expect(episodePath({ baseline: Baseline.RANDOM }, failed)).toBe(
    "/race?mode=race&lane=baseline_random&maze=heldout-0007&seed=6&step=0&v=1",
  );
});

describe("the address of a leaderboard", () => {
  test("brings every board back", () => {
    fc.assert(
      fc.property(
        fc.record({
          setId: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/),
          sort: fc.constantFrom(...columns.map(({ key }) => key)),
          reversed: fc.boolean(),
        }),
        (board) => {
          expect(readBoard(new URL(boardPath(board), "http://page").searchParams)).toEqual(board);
        },
      ),
    );
  });

  test("is short where all is as usual, and never fails to be read", () => {
    expect(boardPath(plainBoard)).toBe("/leaderboard");
    expect(readBoard(new URLSearchParams("set=../x&sort=luck&order=up"))).toEqual(plainBoard);
  });
});
