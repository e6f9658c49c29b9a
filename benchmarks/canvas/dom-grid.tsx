import { memo, useLayoutEffect, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import type { Course } from "./course";
import type { Contestant } from "./page";

/** What one cell shows. All are primitives, so that `memo` compares them by value. */
interface CellLook {
  readonly ground: string;
  /** Lanes that stand there, as bits. */
  readonly agents: number;
  /** Whether the trail of the last 36 steps covers it. */
  readonly trail: boolean;
}

/** The whole state; a step replaces the looks of the cells that it changes and shares all others. */
type Looks = readonly CellLook[];

const TRAIL = 36;
const WALL = "#07080c";
const PATH = "#272e3d";
const AGENTS = ["#ff5c8a", "#7bd9e3", "#df7e86", "#6a55c6"];
/** Heat of visits, from one to 64 and more, as the canvas has it. */
const HEAT = ["#272e3d", "#2f3f6b", "#2b5a7d", "#24738a", "#1d8a95", "#179c9f", "#12aea8"];

const heatOf = (visits: number): string => HEAT[Math.min(HEAT.length - 1, Math.ceil(Math.log2(visits + 1)))] ?? PATH;

const Cell = memo(function Cell({ ground, agents, trail }: CellLook) {
  return (
    <div className="cell" style={{ background: ground }}>
      {trail ? <i className="trail" /> : null}
      {agents > 0 ? <b className="agent" style={{ background: AGENTS[Math.log2(agents & -agents)] ?? "" }} /> : null}
    </div>
  );
});

const Row = memo(function Row({ looks, from, count }: { looks: Looks; from: number; count: number }) {
  return looks.slice(from, from + count).map((look, at) => <Cell key={from + at} {...look} />);
}, sameRow);

function sameRow(before: { looks: Looks; from: number; count: number }, after: { looks: Looks }): boolean {
  if (before.looks === after.looks) return true;
  for (let at = before.from; at < before.from + before.count; at++)
    if (before.looks[at] !== after.looks[at]) return false;
  return true;
}

/** The grid: one element a cell, keyed and memoised; by rows that are memoised too, where it says so. */
function Grid({
  first,
  size,
  byRows,
  onReady,
}: {
  first: Looks;
  size: number;
  byRows: boolean;
  onReady: (set: (looks: Looks) => void) => void;
}) {
  const [looks, setLooks] = useState(first);
  useLayoutEffect(() => onReady(setLooks), [onReady]);
  return (
    <div className="grid" style={{ gridTemplateColumns: `repeat(${size}, 20px)` }}>
      {byRows
        ? Array.from({ length: size }, (_, row) => <Row key={row} looks={looks} from={row * size} count={size} />)
        : looks.map((look, cell) => <Cell key={cell} {...look} />)}
    </div>
  );
}

const CSS = `.grid{display:grid;grid-auto-rows:20px;contain:strict;width:640px;height:640px}
.cell{position:relative;contain:strict}
.trail{position:absolute;inset:8px;background:#ff5c8a}
.agent{position:absolute;inset:4px;border-radius:50%;border:2px solid #fff}`;

/** Starts the peer: a React state that is set once for every step. */
export function startDomGrid(courses: readonly Course[], place: HTMLElement, byRows: boolean): Contestant {
  const style = document.createElement("style");
  // A maze of 50 × 50 gets cells of the size that fits.
  const [course] = courses;
  if (!course) throw new Error("no lane");
  const { size, wall } = course;
  const side = Math.floor(640 / size);
  style.textContent = CSS.replaceAll("20px", `${side}px`)
    .replace("inset:8px", `inset:${Math.round(side * 0.4)}px`)
    .replace("inset:4px", `inset:${Math.round(side * 0.2)}px`);
  document.head.append(style);
  const isRace = courses.length > 1;
  let looks: Looks = Array.from(wall, (is) => ({ ground: is ? WALL : PATH, agents: 0, trail: false }));
  let setLooks: (looks: Looks) => void = () => {};
  const onReady = (set: (looks: Looks) => void): void => {
    setLooks = set;
  };
  flushSync(() => {
    createRoot(place).render(<Grid first={looks} size={size} byRows={byRows} onReady={onReady} />);
  });
  const visits = new Uint32Array(wall.length);
  /** Steps of any trail that cover a cell. */
  const covered = new Uint16Array(wall.length);
  const standing = courses.map(() => course.start);
  return {
    step: (lane, at) => {
      const steps = courses[lane]?.steps ?? [];
      const cell = steps[at]?.cell ?? 0;
      const left = standing[lane] ?? 0;
      const dropped = at >= TRAIL ? (steps[at - TRAIL]?.cell ?? 0) : -1;
      standing[lane] = cell;
      visits[cell] = (visits[cell] ?? 0) + 1;
      covered[cell] = (covered[cell] ?? 0) + 1;
      if (dropped >= 0) covered[dropped] = (covered[dropped] ?? 0) - 1;
      const next = looks.slice();
      for (const changed of [cell, left, dropped]) {
        if (changed < 0) continue;
        let agents = 0;
        standing.forEach((stands, of) => {
          if (stands === changed) agents |= 1 << of;
        });
        const ground = isRace ? PATH : heatOf(visits[changed] ?? 0);
        next[changed] = { ground, agents, trail: (covered[changed] ?? 0) > 0 };
      }
      looks = next;
      setLooks(looks);
    },
  };
}
