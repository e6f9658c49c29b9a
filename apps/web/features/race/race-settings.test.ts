import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { describe, expect, test } from "vitest";
import { encodeMoment, type MomentLane } from "@/lib/moment-link";
import { openedLink, settingsWith } from "./opened-link";
import { defaultRaceSettings, parseRaceSettings, type RaceSettings, writeRaceSettings } from "./race-settings";

const lanes: MomentLane[] = [
  { policy: { modelId: "ppo-memory-1" }, sampling: { temperature: 0.5 } },
  { policy: { baseline: Baseline.SHORTEST_PATH }, sampling: "greedy" },
];

describe("what a browser keeps of a race", () => {
  test("is read back as it was", () => {
    const settings: RaceSettings = {
      lanes,
      mazeId: "heldout-0007",
      setId: "heldout",
      seed: "18446744073709551615",
      speed: 0,
      layout: "together",
      measure: "reward",
      trail: false,
    };
    expect(parseRaceSettings(writeRaceSettings(settings))).toEqual(settings);
    expect(parseRaceSettings(writeRaceSettings(defaultRaceSettings))).toEqual(defaultRaceSettings);
  });

  test.each([
    null,
    "",
    "{",
    "null",
    "[]",
    '{"lanes": 3}',
    '{"lanes": []}',
    '{"lanes": [null]}',
    '{"lanes": [{"policy": "Nobody !"}]}',
    '{"lanes": [{"policy": "a"},{"policy": "a"},{"policy": "a"},{"policy": "a"},{"policy": "a"}]}',
    '{"mazeId": "../..", "setId": 7, "seed": "-1", "speed": 2000, "layout": 1, "measure": "x", "trail": "no"}',
  ])("falls back to the defaults for %s", (text) => {
    expect(parseRaceSettings(text)).toEqual(defaultRaceSettings);
  });

  test("takes no temperature out of range", () => {
    const text = JSON.stringify({ lanes: [{ policy: "a", sampling: { temperature: 50 } }] });
    expect(parseRaceSettings(text).lanes).toEqual([{ policy: { modelId: "a" }, sampling: "greedy" }]);
  });
});

describe("the link to a race", () => {
  const moment = { mode: "race", lanes, maze: { mazeId: "heldout-0007" }, seed: 9n, step: 12 } as const;

  test("takes the place of what was kept, but not of how it is looked at", () => {
    const link = openedLink(`?${encodeMoment(moment)}`);
    expect(link.moment).toEqual(moment);
    const settings = settingsWith('{"layout": "together", "mazeId": "showcase-02"}', link);
    expect(settings).toMatchObject({ layout: "together", mazeId: "heldout-0007", seed: "9", lanes });
  });

  test("is nothing on the plain page", () => {
    expect(openedLink("")).toEqual({});
    expect(openedLink("?utm_source=mail")).toEqual({});
  });

  test("of another view, or broken, is a problem in one sentence", () => {
    const watch = { ...moment, mode: "watch", lanes: lanes.slice(0, 1) } as const;
    expect(openedLink(`?${encodeMoment(watch)}`).problem).toContain("another view");
    expect(openedLink("?mode=race&lane=a&maze=b&seed=1&step=2").problem).toContain("incomplete");
  });
});
