import { create } from "@bufbuild/protobuf";
import { MazeSchema } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { describe, expect, test } from "vitest";
import { captionOf, successText } from "./caption";
import { actingModel, canRun, choiceKey, choiceOf } from "./choice";
import { defaultSettings } from "./settings";

const maze = create(MazeSchema, { mazeId: "showcase-01", setId: "showcase" });
const active = create(ModelSchema, {
  modelId: "ppo-memory-1",
  title: "PPO with memory",
  active: true,
  state: ModelState.READY,
  observation: "memory/1",
});
const broken = create(ModelSchema, { modelId: "ppo-trail-2", state: ModelState.BROKEN });

describe("a choice", () => {
  test("leaves the seed to the client when none is given, and keeps all 64 bits of one that is", () => {
    expect(choiceOf(defaultSettings, maze)).not.toHaveProperty("seed");
    expect(choiceOf({ ...defaultSettings, seed: "18446744073709551615" }, maze).seed).toBe(18446744073709551615n);
  });

  test("is another one when the temperature changes, but only where sampling uses it", () => {
    const warm = { ...defaultSettings, temperature: 2 };
    expect(choiceKey(warm, maze)).toBe(choiceKey(defaultSettings, maze));
    expect(choiceKey({ ...warm, sampling: "softmax" }, maze)).not.toBe(
      choiceKey({ ...defaultSettings, sampling: "softmax" }, maze),
    );
  });

  test("falls to the active model when none is named", () => {
    expect(actingModel(defaultSettings, [broken, active])).toBe(active);
    expect(actingModel({ ...defaultSettings, modelId: "ppo-trail-2" }, [broken, active])).toBe(broken);
    expect(actingModel(defaultSettings, [broken])).toBeUndefined();
  });

  test("can run only with a model that is not broken", () => {
    expect([canRun(active), canRun(broken), canRun(undefined)]).toEqual([true, false, false]);
  });
});

describe("the caption", () => {
  test("says who acts, what it sees and whether the maze is new to it", () => {
    expect(captionOf(active, maze)).toBe(
      "PPO with memory sees 25 cells, its own trail and known dead ends. It has never seen this maze.",
    );
    expect(captionOf(undefined, create(MazeSchema, { setId: "training" }))).toContain("It was trained on this maze.");
  });

  test("shows no success where none was measured", () => expect(successText(broken)).toBe(""));
});
