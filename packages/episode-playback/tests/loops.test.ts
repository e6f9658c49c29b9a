import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LONGEST_PERIOD, type Loop, LoopLog, staysForever } from "../src/loops";
import { Walk } from "../src/walk";
import { anyActions, anyMaze, playbackOf } from "./scripted-episode";

/** The law in its plainest words, over a whole walk. */
function slowLoops(cells: readonly number[]): (Loop | undefined)[] {
  const holds = (step: number, period: number): boolean => {
    if (2 * period > step) return false;
    for (let at = step - period; at <= step; at++) if (cells[at] !== cells[at - period]) return false;
    return true;
  };
  const loops: (Loop | undefined)[] = [];
  let going: { period: number; since: number; namedAt: number } | undefined;
  for (let step = 0; step < cells.length; step++) {
    if (going && cells[step] !== cells[step - going.period]) going = undefined;
    for (let period = 1; !going && 2 * period <= step; period++) {
      if (!holds(step, period)) continue;
      let since = step;
      while (since > period && cells[since - 1] === cells[since - 1 - period]) since--;
      going = { period, since: since - period, namedAt: step };
    }
    loops.push(
      going && {
        ...going,
        cells: cells.slice(going.since, going.since + going.period),
        rounds: Math.floor((step - going.since) / going.period),
      },
    );
  }
  return loops;
}

function logOf(cells: readonly number[]): { log: LoopLog; namings: number[] } {
  const walk = new Walk();
  const log = new LoopLog(walk);
  const namings: number[] = [];
  cells.forEach((cell, step) => {
    if (step === 0) walk.begin(cell, 64);
    else walk.append(cell);
    if (step > 0 && log.look()) namings.push(step);
  });
  return { log, namings };
}

describe("loops", () => {
  test("are named exactly when a cycle was walked twice, and for as long as it goes on", () => {
    const walks = fc.oneof(
      fc.array(fc.nat(2), { minLength: 1, maxLength: 60, size: "max" }),
      fc.array(fc.nat(5), { minLength: 1, maxLength: 60, size: "max" }),
      // Cycles of cycles, with something before and behind.
      fc
        .tuple(
          fc.array(fc.nat(4), { maxLength: 6 }),
          fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }),
          fc.integer({ min: 1, max: 6 }),
          fc.array(fc.nat(4), { maxLength: 12 }),
        )
        .map(([before, cycle, rounds, behind]) => [
          9,
          ...before,
          ...Array.from({ length: rounds }, () => cycle).flat(),
          ...behind,
        ]),
    );
    fc.assert(
      fc.property(walks, (cells) => {
        const expected = slowLoops(cells);
        const { log, namings } = logOf(cells);
        expect(cells.map((_, step) => log.at(step))).toEqual(expected);
        expect(namings).toEqual(cells.flatMap((_, step) => (expected[step]?.namedAt === step ? [step] : [])));
      }),
      { numRuns: 800 },
    );
  });

  test("are named with their cells, period and beginning", () => {
    const { log } = logOf([7, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 5]);
    expect(log.at(8)).toBeUndefined();
    expect(log.at(9)).toEqual({ cells: [1, 2, 3, 2], period: 4, since: 1, namedAt: 9, rounds: 2 });
    expect(log.at(10)?.rounds).toBe(2);
    expect(log.at(11)).toBeUndefined();
  });

  test("of one cell are bumps into the same wall", () => {
    const { log } = logOf([0, 1, 1, 1, 2]);
    expect(log.at(2)).toBeUndefined();
    expect(log.at(3)).toEqual({ cells: [1], period: 1, since: 1, namedAt: 3, rounds: 2 });
  });

  test("longer than the longest are not looked for, and the longest is found", () => {
    for (const [period, found] of [
      [LONGEST_PERIOD, true],
      [LONGEST_PERIOD + 1, false],
    ] as const) {
      const walk = new Walk();
      const log = new LoopLog(walk);
      walk.begin(0, period);
      for (let step = 1; step <= 2 * period; step++) {
        walk.append(step % period);
        log.look();
      }
      expect(log.at(2 * period) !== undefined).toBe(found);
    }
  });

  test("are not found where there are none: twenty thousand steps on two cells that never walk a cycle twice", () => {
    // The Thue–Morse sequence holds no word of the form axaxa (Thue, 1912). It is also the walk that costs the most looks.
    const cells = Array.from({ length: 20_000 }, (_, step) => onesOf(step) % 2);
    expect(logOf(cells).namings).toEqual([]);
  });
});

describe("an agent that can't leave a loop", () => {
  const corridor = ["S...G"];

  test("is told by equal observations of two rounds", () => {
    const playback = playbackOf(corridor, [3, 2, 3, 2, 3, 2]);
    const { grid } = playback;
    const loop = playback.loopAt(6);
    if (!grid || !loop) throw new Error("no loop");
    expect(loop).toMatchObject({ cells: [0, 1], period: 2, since: 0 });
    for (const version of ["plain/1", "trail/1", "memory/1"] as const) {
      expect(staysForever(version, grid, playback, loop, 6)).toBe(true);
    }
  });

  test("is not told while a cell outside of the loop grows older in view", () => {
    const playback = playbackOf(corridor, [3, 3, 2, 2, 3, 2, 3, 2, 3, 2]);
    const { grid } = playback;
    const loop = playback.loopAt(10);
    if (!grid || !loop) throw new Error("no loop");
    expect(staysForever("plain/1", grid, playback, loop, 10)).toBe(true);
    expect(staysForever("trail/1", grid, playback, loop, 10)).toBe(false);
  });

  test("sees the same in every later round, whatever the maze", () => {
    fc.assert(
      fc.property(anyMaze, anyActions(6), fc.constantFrom("trail/1", "memory/1", "plain/1"), (rows, cycle, version) => {
        const rounds = 12;
        const playback = playbackOf(rows, Array.from({ length: rounds }, () => cycle).flat());
        const { grid } = playback;
        const period = cycle.length;
        const end = rounds * period;
        if (!grid) return;
        // Once it is so, it stays so.
        let before = false;
        for (let step = 2 * period; step <= end; step += period) {
          const now = staysForever(version, grid, playback, { period }, step);
          if (before) expect(now).toBe(true);
          before = now;
        }
      }),
      { numRuns: 100 },
    );
  });
});

function onesOf(value: number): number {
  let ones = 0;
  for (let left = value; left > 0; left >>>= 1) ones += left & 1;
  return ones;
}
