import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { score } from "./command-score";

const watch = ["Watch", "Go to", "One agent, step by step"];
const model = ["Choose a model › ppo-memory-1", "Model", "PPO"];

describe("how well a command fits what is typed", () => {
  test("is best for the beginning of its title, then of a word, then for anything it is about", () => {
    const [title, word, about, apart] = ["wat", "ppo", "step by", "agent go"].map((search, at) =>
      score("", search, at === 1 ? model : watch),
    );
    expect(title).toBeGreaterThan(word ?? 0);
    expect(word).toBeGreaterThan(about ?? 0);
    expect(about).toBeGreaterThan(apart ?? 0);
    expect(apart).toBeGreaterThan(0);
  });

  test("is nothing where a typed word occurs nowhere", () => {
    expect(score("", "watch kettle", watch)).toBe(0);
  });

  test("depends on neither case nor spaces around", () => {
    fc.assert(
      fc.property(fc.constantFrom("watch", "step", "go to", "xyz", ""), (search) => {
        expect(score("", ` ${search.toUpperCase()} `, watch)).toBe(score("", search, watch));
      }),
    );
  });
});
