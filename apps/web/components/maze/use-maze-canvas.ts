"use client";

import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import type { RacePlayback } from "@rlmaze/episode-playback/race-playback";
import { createMazeCanvas, type MazeCanvas, type MazeCanvasOptions } from "@rlmaze/maze-canvas/maze-canvas";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { type RefObject, useEffect, useRef, useState } from "react";

/** What is drawn: an episode, or lanes of a race on the race's clock. It must stay the same object for as long as the same is drawn. */
export type Drawn = Pick<MazeCanvasOptions, "playback" | "clock" | "lanes">;

interface MazeCanvasPlace {
  /** The element that the canvases fill. */
  readonly place: RefObject<HTMLDivElement | null>;
  readonly board: RefObject<HTMLCanvasElement | null>;
  readonly actor: RefObject<HTMLCanvasElement | null>;
  /** Undefined before the first effect, and without something to draw. */
  readonly canvas: MazeCanvas | undefined;
}

/** An episode as something to draw. */
export function drawnEpisode(playback: EpisodePlayback): Drawn {
  return { playback };
}

/** One lane of a race, or all; undefined for a lane that is not there. A lane keeps its sign wherever it is drawn. */
export function drawnRace(race: RacePlayback, lane: number | "all"): Drawn | undefined {
  const { lanes } = race;
  const playback = lanes[lane === "all" ? 0 : lane];
  if (playback === undefined) return undefined;
  return { playback, clock: race, lanes: lanes.map((steps, at) => ({ steps, hidden: lane !== "all" && at !== lane })) };
}

/**
 * Keeps a maze canvas in two canvas elements, as large as the place around them, for as long as they are mounted.
 *
 * @param onResize - Called after the canvas took a new size; its identity does not matter.
 */
export function useMazeCanvas(
  drawn: Drawn | undefined,
  theme: MazeTheme,
  view: MazeView,
  onResize?: (canvas: MazeCanvas) => void,
): MazeCanvasPlace {
  const place = useRef<HTMLDivElement>(null);
  const board = useRef<HTMLCanvasElement>(null);
  const actor = useRef<HTMLCanvasElement>(null);
  const [canvas, setCanvas] = useState<MazeCanvas>();
  const first = useRef({ view, theme });
  const resized = useRef(onResize);
  resized.current = onResize;

  useEffect(() => {
    const { current: box } = place;
    if (drawn === undefined || box === null || board.current === null || actor.current === null) return;
    const made = createMazeCanvas({ board: board.current, actor: actor.current, ...drawn, ...first.current });
    // Hidden behind another tab of the phone it has no size; the old drawing waits there.
    const resize = () => {
      if (box.clientWidth > 0 && box.clientHeight > 0) made.resize(box.clientWidth, box.clientHeight);
    };
    resize();
    made.start();
    const observer = new ResizeObserver(() => {
      resize();
      resized.current?.(made);
    });
    observer.observe(box);
    setCanvas(made);
    return () => {
      observer.disconnect();
      made.dispose();
      setCanvas(undefined);
    };
  }, [drawn]);

  useEffect(() => canvas?.setView(view), [canvas, view]);
  useEffect(() => canvas?.setTheme(theme), [canvas, theme]);

  return { place, board, actor, canvas };
}
