import { bench, describe } from "vitest";
import { createEpisodePlayback } from "../src/episode-playback";
import { observe } from "../src/observation";
import { playbackOf, playIn, startedIn } from "../tests/scripted-episode";

/** 100 × 100 cells, the largest maze there is: its episodes have 20,000 steps. */
const ROWS = Array.from({ length: 100 }, (_, row) =>
  Array.from({ length: 100 }, (_, col) => {
    if (row === 0 && col === 0) return "S";
    if (row === 99 && col === 99) return "G";
    return row % 2 === 1 && col % 7 !== row % 7 ? "#" : ".";
  }).join(""),
);
const STEPS = 20_000;

let state = 1;
function random(below: number): number {
  state = (state * 1103515245 + 12345) & 0x7fffffff;
  return Math.floor((state / 0x80000000) * below);
}

const walks = {
  "at random": Array.from({ length: STEPS }, () => random(4)),
  "in a loop of two cells": Array.from({ length: STEPS }, (_, at) => (at % 2 === 0 ? 3 : 2)),
  "up and down a corridor": Array.from({ length: STEPS }, (_, at) => (Math.floor(at / 60) % 2 === 0 ? 3 : 2)),
};

describe.each(Object.entries(walks))("20,000 steps %s", (_, actions) => {
  const steps = playIn(ROWS, actions);
  const whole = playbackOf(ROWS, actions);
  const { grid } = whole;
  if (!grid) throw new Error("no grid");

  bench("arrive", () => {
    const playback = createEpisodePlayback();
    playback.onStarted(startedIn(ROWS));
    playback.onSteps(steps, 0);
    playback.dispose();
  });

  bench("jump to any step, snapshot included", () => whole.show(random(STEPS)));

  bench("step back and forth, snapshot included", () => {
    whole.stepBy(-1);
    whole.stepBy(1);
  });

  bench("observe any step, memory/1", () => void observe("memory/1", grid, whole, random(STEPS)));
});
