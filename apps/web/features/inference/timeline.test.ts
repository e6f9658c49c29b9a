import { EPISODE_EVENT_KINDS } from "@rlmaze/episode-playback/events";
import { describe, expect, test } from "vitest";
import { trackEnd } from "./playback-panel";
import { eventName, timelineTicks } from "./timeline";

describe("the ticks of a timeline", () => {
  test("stand where their steps are, what weighs more last", () => {
    expect(
      timelineTicks(
        [
          { step: 10, kind: "goal_seen" },
          { step: 10, kind: "worse" },
          { step: 20, kind: "bump" },
        ],
        40,
      ),
    ).toEqual([
      { step: 10, kind: "worse", share: 0.25 },
      { step: 20, kind: "bump", share: 0.5 },
      { step: 10, kind: "goal_seen", share: 0.25 },
    ]);
  });

  test("are thinned where thousands would be one blot", () => {
    const bumps = Array.from({ length: 5_000 }, (_, at) => ({ step: at + 1, kind: "bump" as const }));
    expect(timelineTicks(bumps, 5_000).length).toBeLessThan(170);
  });
});

test("every kind of event has a name", () => {
  expect(new Set(EPISODE_EVENT_KINDS.map(eventName)).size).toBe(EPISODE_EVENT_KINDS.length);
});

test("the track of an open episode grows in few and large steps to the limit", () => {
  const ends = Array.from({ length: 201 }, (_, live) => trackEnd(live, 200));
  expect([...new Set(ends)]).toEqual([50, 100, 200]);
  for (const [live, end] of ends.entries()) expect(end).toBeGreaterThanOrEqual(live);
  expect(trackEnd(0, 0)).toBe(1);
});
