import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Baseline } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { type LoggedEpisode, LoggedEpisodeSchema } from "@rlmaze/api/rlmaze/inference/v1/logged_episode_pb";
import { describe, expect, test } from "vitest";
import { decodeMoment } from "@/lib/moment-link";
import { replayLink } from "./replay-link";

const model = { policy: { case: "modelId", value: "ppo-memory-1" } } as const;

type Fields = Exclude<MessageInitShape<typeof LoggedEpisodeSchema>, LoggedEpisode>;

function linkOf(more: Fields): URL | undefined {
  const link = replayLink(create(LoggedEpisodeSchema, { policy: model, mazeId: "heldout-0007", seed: 7n, ...more }));
  return link === undefined ? undefined : new URL(link, "http://page.example");
}

describe("the link to an episode's replay", () => {
  test("opens Watch at the start, and plays", () => {
    const link = linkOf({ sampling: { sampling: { case: "softmax", value: { temperature: 0.5 } } } });
    expect(link?.pathname).toBe("/");
    expect(link?.searchParams.has("play")).toBe(true);
    expect(decodeMoment(link?.searchParams as URLSearchParams)).toEqual({
      moment: {
        mode: "watch",
        lanes: [{ policy: { modelId: "ppo-memory-1" }, sampling: { temperature: 0.5 } }],
        maze: { mazeId: "heldout-0007" },
        seed: 7n,
        step: 0,
      },
    });
  });

  test("opens a race of one lane for a baseline, which Watch does not run", () => {
    const link = linkOf({ policy: { policy: { case: "baseline", value: Baseline.RANDOM } }, seed: 2n ** 64n - 1n });
    expect(link?.pathname).toBe("/race");
    expect(decodeMoment(link?.searchParams as URLSearchParams).moment).toMatchObject({
      mode: "race",
      lanes: [{ policy: { baseline: Baseline.RANDOM }, sampling: "greedy" }],
      seed: 2n ** 64n - 1n,
    });
  });

  test("carries a drawn maze, and is not there for one that no link can hold", () => {
    const rows = ["S....", "####.", "G....", "####.", "....."];
    const link = linkOf({ mazeId: "", drawnRows: rows });
    expect(decodeMoment(link?.searchParams as URLSearchParams).moment?.maze).toEqual({ rows });
    expect(linkOf({ mazeId: "", drawnRows: ["S..", "##.", "G.."] })).toBeUndefined();
    expect(linkOf({ mazeId: "", drawnRows: [] })).toBeUndefined();
    expect(linkOf({ policy: { policy: { case: "modelId", value: "" } } })).toBeUndefined();
  });
});
