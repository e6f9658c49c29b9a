import { describe, expect, test } from "vitest";
import { isSeed } from "@/lib/seed";
import { defaultSettings, parseSettings } from "./settings";

describe("kept settings", () => {
  test("come back as they were kept", () => {
    const kept = {
      ...defaultSettings,
      modelId: "dqn-memory-1",
      seed: "7",
      heat: "value" as const,
      temperature: 0.5,
      autoNext: false,
    };
    expect(parseSettings(JSON.stringify(kept))).toEqual(kept);
  });

  test.each([null, "", "{", "null", "7", "[]", '"text"'])("fall back to the defaults when %j was kept", (text) => {
    expect(parseSettings(text)).toEqual(defaultSettings);
  });

  test("lose only what is out of its range", () => {
    const kept = {
      modelId: "No Such",
      mazeId: "showcase-03",
      defaultSpeed: 5000,
      temperature: -1,
      heat: "rainbow",
      arrows: "yes",
      trail: false,
    };
    expect(parseSettings(JSON.stringify(kept))).toEqual({ ...defaultSettings, mazeId: "showcase-03", trail: false });
  });
});

test("a seed is empty or a whole number of 64 bits", () => {
  expect(["", "0", "18446744073709551615"].every(isSeed)).toBe(true);
  expect(["-1", "1.5", "1e3", "18446744073709551616", "seed", " 1"].some(isSeed)).toBe(false);
});
