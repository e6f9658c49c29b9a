import { describe, expect, test } from "vitest";
import { listPath, plainList, readList } from "./episode-address";

const read = (query: string) => readList(new URLSearchParams(query));

describe("the address of the episodes", () => {
  test.each([
    ["/episodes", plainList],
    ["/episodes?policy=ppo-memory-1", { ...plainList, policy: "ppo-memory-1" }],
    [
      "/episodes?policy=baseline_wall-follower&in=heldout-0007&outcome=limit",
      { ...plainList, policy: "baseline_wall-follower", mazeId: "heldout-0007", outcome: "limit" },
    ],
    ["/episodes?view=failures", { ...plainList, view: "failures" }],
    [
      "/episodes?in=heldout-0007&view=failures&days=31",
      { ...plainList, mazeId: "heldout-0007", view: "failures", days: 31 },
    ],
  ] as const)("%s is read and written alike", (path, list) => {
    expect(listPath(list)).toBe(path);
    expect(read(path.split("?")[1] ?? "")).toEqual(list);
  });

  test.each(["policy=../x", "policy=baseline_", "in=A%20b", "outcome=won", "view=all", "days=3", "model=ppo-memory-1"])(
    "what cannot be read is left out: %s",
    (query) => {
      expect(read(query)).toEqual(plainList);
    },
  );
});
