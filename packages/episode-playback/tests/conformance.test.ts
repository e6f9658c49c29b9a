/// <reference types="node" />
import { readFileSync } from "node:fs";
import type { ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { describe, expect, test } from "vitest";
import { actionProbabilities, greedyAction } from "../src/decision";
import { type ObservationVersion, observe, trailAge } from "../src/observation";
import { playbackOf } from "./scripted-episode";

/** The files that Python writes and Go replays: `ml/conformance/README.md`. */
function lawFile(name: string): Buffer {
  return readFileSync(new URL(`../../../ml/conformance/${name}`, import.meta.url));
}

type Observations = Readonly<Record<ObservationVersion, string>>;

interface EpisodeCase {
  readonly rows: string[];
  readonly actions: string;
  readonly start: Observations;
  readonly steps: readonly (Observations & { readonly position: number })[];
}

interface PolicyMapCase {
  readonly rows: string[];
  readonly actions: string;
  readonly cells: readonly (Observations & { readonly row: number; readonly col: number })[];
}

interface SamplingCase {
  readonly scores: number[];
  readonly kind: "logit" | "q_value";
  readonly temperature: number;
  readonly seed: string;
  readonly step: number;
  readonly action: number;
}

const VERSIONS: readonly ObservationVersion[] = ["plain/1", "trail/1", "memory/1"];

function casesOf<Case>(name: string): readonly Case[] {
  return (JSON.parse(lawFile(name).toString("utf8")) as { cases: Case[] }).cases;
}

function hex(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");
}

function digits(text: string): number[] {
  return [...text].map(Number);
}

describe("the law", () => {
  test("has the table of trail ages, bit for bit, with room for other logarithms", () => {
    const file = lawFile("trail_ages.f32");
    expect(file.length).toBe(4 * 10_001);
    for (let age = 0; age <= 10_000; age++) {
      const exact = file.readFloatLE(4 * age);
      expect(trailAge(age)).toBe(exact);
      const computed = -0.8 + (0.6 * Math.log(1 + age)) / Math.log(10_001);
      for (const units of [-16, 16]) expect(Math.fround(computed + units * 2 ** -53)).toBe(exact);
    }
    expect(trailAge(123_456)).toBe(file.readFloatLE(4 * 10_000));
  });

  test("says what the agent sees after every step", () => {
    const cases = casesOf<EpisodeCase>("episodes.json");
    expect(cases.length).toBeGreaterThan(5);
    for (const { rows, actions, start, steps } of cases) {
      const playback = playbackOf(rows, digits(actions));
      const { grid } = playback;
      if (!grid) throw new Error("no grid");
      [start, ...steps].forEach((expected, step) => {
        if ("position" in expected) expect(playback.positionAt(step)).toBe(expected.position);
        for (const version of VERSIONS) {
          const seen = hex(observe(version, grid, playback, step));
          if (seen !== expected[version]) throw new Error(`${version} differs at step ${step} of ${rows.join("/")}`);
        }
      });
    }
  });

  test("says what it would see if it stood elsewhere", () => {
    const cases = casesOf<PolicyMapCase>("policy_map.json");
    expect(cases.length).toBeGreaterThan(0);
    for (const { rows, actions, cells } of cases) {
      const playback = playbackOf(rows, digits(actions));
      const { grid } = playback;
      if (!grid) throw new Error("no grid");
      for (const expected of cells) {
        const cell = expected.row * grid.cols + expected.col;
        for (const version of VERSIONS) {
          const seen = hex(observe(version, grid, playback, actions.length, cell));
          if (seen !== expected[version]) throw new Error(`${version} differs on ${cell} of ${rows.join("/")}`);
        }
      }
    }
  });

  test("says which action greedy takes, and which one a softmax draws", () => {
    const kinds: Readonly<Record<SamplingCase["kind"], ScoreKind>> = { q_value: 1, logit: 2 };
    let drawn = 0;
    const cases = casesOf<SamplingCase>("sampling.json");
    for (const { scores, kind, temperature, seed, step, action } of cases) {
      if (temperature === 0) {
        expect(greedyAction(scores)).toBe(action);
        continue;
      }
      drawn += 1;
      const chance = unit(BigInt(seed), BigInt(step));
      const probabilities = actionProbabilities(kinds[kind], scores, temperature);
      let sum = 0;
      const first = probabilities.findIndex((p) => {
        sum += p;
        return sum > chance;
      });
      expect(first < 0 ? 3 : first).toBe(action);
    }
    expect(drawn).toBeGreaterThan(100);
    expect(drawn).toBeLessThan(cases.length);
  });
});

/** The law's number `step` of the stream of a seed, 0 to below 1. */
function unit(seed: bigint, step: bigint): number {
  const word = (1n << 64n) - 1n;
  let z = (seed + (step + 1n) * 0x9e3779b97f4a7c15n) & word;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & word;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & word;
  return Number((z ^ (z >> 31n)) >> 11n) * 2 ** -53;
}
