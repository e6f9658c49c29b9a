import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { describe, expect, test } from "vitest";
import { type Moment, momentPath } from "@/lib/moment-link";
import { openedLink, settingsWith } from "./opened-link";
import { defaultSettings } from "./settings";

const moment: Moment = {
  mode: "watch",
  lanes: [{ policy: { modelId: "dqn-memory-1" }, sampling: { temperature: 0.5 } }],
  maze: { mazeId: "heldout-0007" },
  seed: 7n,
  step: 42,
};
const search = (link: Moment) => momentPath(link).slice(momentPath(link).indexOf("?"));

describe("the address", () => {
  test("is the plain page when it asks for nothing", () => {
    expect(openedLink("")).toEqual({});
    expect(openedLink("?utm_source=mail")).toEqual({});
  });

  test("asks for the moment that it was made from", () => expect(openedLink(search(moment))).toEqual({ moment }));

  test("says what is wrong with it", () => {
    expect(openedLink("?model=x").problem).toContain("incomplete");
    expect(openedLink(search({ ...moment, mode: "draw" })).problem).toContain("another view");
    const baseline = { policy: { baseline: Baseline.RANDOM }, sampling: "greedy" } as const;
    expect(openedLink(search({ ...moment, lanes: [baseline] })).problem).toContain("race");
  });
});

describe("the settings", () => {
  test("are those of the link, and for the rest those that were kept", () => {
    const kept = JSON.stringify({ ...defaultSettings, heat: "off", mazeId: "showcase-02", seed: "1" });
    expect(settingsWith(kept, { moment })).toEqual({
      ...defaultSettings,
      heat: "off",
      modelId: "dqn-memory-1",
      mazeId: "heldout-0007",
      seed: "7",
      sampling: "softmax",
      temperature: 0.5,
    });
  });

  test("stay as they were without a link", () => expect(settingsWith(null, {})).toEqual(defaultSettings));
});
