import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distancesFrom, goalDistances, optimalActions, shortestPathCells } from "../src/distances";
import { Exploration } from "../src/exploration";
import { type MazeGrid, mazeGrid } from "../src/maze-grid";
import { neighbour, viewCells } from "../src/moves";
import { observe } from "../src/observation";
import { regretAt, regretOfMove } from "../src/regret";
import { anyActions, anyMaze, playbackOf } from "./scripted-episode";

function gridOf(rows: string[]): MazeGrid {
  return mazeGrid({ mazeId: "m", rows, shortestPath: 0 });
}

/** The law's own words, done anew for one moment: what has been seen, and what of it leads nowhere. */
function lawfully(grid: MazeGrid, positions: readonly number[], agent: number): { seen: number[]; dead: number[] } {
  const seen = new Set(positions.flatMap((cell) => viewCells(grid, cell)).filter((cell) => cell >= 0));
  const left = new Set([...seen].filter((cell) => grid.wall[cell] === 0));
  const removed = new Set<number>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const cell of left) {
      if (cell === agent || cell === grid.goal) continue;
      const counting = [0, 1, 2, 3]
        .map((action) => neighbour(grid, cell, action))
        .filter((next) => next >= 0 && (!seen.has(next) || left.has(next)));
      if (counting.length > 1) continue;
      left.delete(cell);
      removed.add(cell);
      changed = true;
    }
  }
  return { seen: [...seen], dead: [...removed] };
}

const masked = (mask: Uint8Array): number[] => [...mask.keys()].filter((cell) => mask[cell] === 1);
const ascending = (cells: readonly number[]): number[] => [...cells].sort((a, b) => a - b);

describe("what the agent has seen and knows to lead nowhere", () => {
  test("is what the law says, at any step, wherever the agent is taken to stand", () => {
    fc.assert(
      fc.property(
        anyMaze,
        anyActions(80),
        fc.array(fc.tuple(fc.nat(80), fc.nat(80)), { maxLength: 6 }),
        (rows, actions, asked) => {
          const playback = playbackOf(rows, actions);
          const grid = gridOf(rows);
          const open = [...grid.wall.keys()].filter((cell) => grid.wall[cell] === 0);
          for (const [wish, elsewhere] of [[actions.length, -1] as const, ...asked]) {
            const step = Math.min(wish, actions.length);
            const positions = Array.from({ length: step + 1 }, (_, at) => playback.positionAt(at));
            const here = playback.positionAt(step);
            for (const agent of [here, open[elsewhere % open.length] ?? here]) {
              const law = lawfully(grid, positions, agent);
              expect(masked(playback.exploration.seenCells(step))).toEqual(ascending(law.seen));
              expect(masked(playback.exploration.deadCells(step, agent))).toEqual(ascending(law.dead));
              const isDead = playback.exploration.deadAt(step, agent);
              expect(open.filter(isDead)).toEqual(ascending(law.dead));
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("tells when the goal was first in view", () => {
    const exploration = new Exploration();
    const grid = gridOf(["S.......G"]);
    exploration.begin(grid);
    expect(exploration.goalSeenAt).toBeUndefined();
    for (let step = 1; step <= 8; step++) exploration.look(step, step);
    expect(exploration.goalSeenAt).toBe(6);
    expect(exploration.isSeen(8, 5)).toBe(false);
    expect(exploration.isSeen(8, 6)).toBe(true);
  });

  test("starts anew with another episode", () => {
    const exploration = new Exploration();
    exploration.begin(gridOf(["S.......G"]));
    for (let step = 1; step <= 8; step++) exploration.look(step, step);
    exploration.begin(gridOf(["S........", "........G"]));
    expect(exploration.goalSeenAt).toBeUndefined();
    expect(masked(exploration.seenCells(99))).toEqual([0, 1, 2, 9, 10, 11]);
  });
});

describe("observations", () => {
  test("of a past step are those of when it was live", () => {
    fc.assert(
      fc.property(anyMaze, anyActions(60), fc.nat(60), (rows, actions, wish) => {
        const step = Math.min(wish, actions.length);
        const grid = gridOf(rows);
        const whole = playbackOf(rows, actions);
        const then = playbackOf(rows, actions.slice(0, Math.max(1, step)));
        for (const version of ["plain/1", "trail/1", "memory/1"] as const) {
          if (step > 0) expect(observe(version, grid, whole, step)).toEqual(observe(version, grid, then, step));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("distances", () => {
  test("are those of a relaxation that goes on until nothing changes", () => {
    fc.assert(
      fc.property(anyMaze, (rows) => {
        const grid = gridOf(rows);
        const slow = grid.wall.length + 1;
        const found = Array.from(grid.wall, (_, cell) => (cell === grid.goal ? 0 : slow));
        for (let round = 0; round < grid.wall.length; round++) {
          for (let cell = 0; cell < found.length; cell++) {
            if (grid.wall[cell] === 1) continue;
            for (const action of [0, 1, 2, 3]) {
              const next = neighbour(grid, cell, action);
              if (next >= 0 && grid.wall[next] === 0)
                found[cell] = Math.min(found[cell] ?? slow, (found[next] ?? slow) + 1);
            }
          }
        }
        expect([...goalDistances(grid)]).toEqual(found.map((far) => (far === slow ? -1 : far)));
      }),
      { numRuns: 200 },
    );
  });

  test("are computed once a grid", () => {
    const grid = gridOf(["S..", "..G"]);
    expect(goalDistances(grid)).toBe(goalDistances(grid));
    expect([...distancesFrom(grid, grid.start)]).toEqual([0, 1, 2, 1, 2, 3]);
  });

  test("name the path that the shortest-path baseline walks, and every action that is as good", () => {
    const grid = gridOf(["S..", "..G"]);
    expect(optimalActions(grid, 0)).toEqual([1, 3]);
    expect(shortestPathCells(grid)).toEqual([0, 3, 4, 5]);
    expect(shortestPathCells(grid, 2)).toEqual([2, 5]);
    expect(optimalActions(grid, grid.goal)).toEqual([]);
    expect(shortestPathCells(gridOf(["S#G"]))).toEqual([]);
  });

  test("fall by one a cell along every shortest path", () => {
    fc.assert(
      fc.property(anyMaze, (rows) => {
        const grid = gridOf(rows);
        const distances = goalDistances(grid);
        for (let cell = 0; cell < grid.wall.length; cell++) {
          const path = shortestPathCells(grid, cell);
          const far = distances[cell] ?? -1;
          expect(path.length).toBe(far < 0 ? 0 : far + 1);
          expect(path.map((on) => distances[on])).toEqual(path.map((_, at) => far - at));
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("regret", () => {
  test("is the sum of what each move lost, never falls, and leaves the SPL that can still be reached", () => {
    fc.assert(
      fc.property(anyMaze, anyActions(60), (rows, actions) => {
        const grid = gridOf(rows);
        const shortest = goalDistances(grid)[grid.start] ?? -1;
        fc.pre(shortest >= 0);
        const playback = playbackOf(rows, actions);
        let lost = 0;
        const worse: number[] = [];
        for (let step = 1; step <= actions.length; step++) {
          const [from, to] = [playback.positionAt(step - 1), playback.positionAt(step)];
          const move = regretOfMove(grid, from, to);
          if (playback.row(step).hitWall) expect(move).toBe(1);
          else if (from !== grid.goal) {
            const wasOptimal = optimalActions(grid, from).includes(actions[step - 1] ?? 0);
            expect(move).toBe(wasOptimal ? 0 : 2);
          }
          if (move > 0) worse.push(step);
          lost += move;
          const regret = playback.regretAt(step);
          expect(regret.steps).toBe(lost);
          expect(regret.spl).toBeCloseTo(shortest / (shortest + lost), 12);
        }
        expect([...playback.events.steps("worse")]).toEqual(worse);
      }),
      { numRuns: 200 },
    );
  });

  test("at the goal gives the SPL of the contract, and none where the goal can't be reached", () => {
    const grid = gridOf(["S..G"]);
    expect(regretAt(grid, 5, grid.goal)).toEqual({ steps: 2, distance: 0, spl: 3 / 5 });
    expect(regretAt(gridOf(["S#G"]), 1, 0).steps).toBeNaN();
  });
});
