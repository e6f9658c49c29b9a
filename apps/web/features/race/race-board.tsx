"use client";

import type { RacePlayback } from "@rlmaze/episode-playback/race-playback";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { useMemo } from "react";
import { drawnRace, useMazeCanvas } from "@/components/maze/use-maze-canvas";

type RaceBoardProps = {
  race: RacePlayback;
  /** The lanes that are drawn: one of them, or all. */
  lane: number | "all";
  theme: MazeTheme;
  view: MazeView;
  /** Says what is on the board, for people who cannot see it. */
  label: string;
};

/** One board of a race. All boards follow the race's clock; a lane keeps its sign wherever it is drawn. */
export function RaceBoard({ race, lane, theme, view, label }: RaceBoardProps) {
  const { lanes } = race;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a race has new lanes when another one starts.
  const drawn = useMemo(() => drawnRace(race, lane), [race, lanes, lane]);
  const { place, board, actor } = useMazeCanvas(drawn, theme, view);

  return (
    <div ref={place} role="img" aria-label={label} className="absolute inset-0">
      <canvas ref={board} className="absolute inset-0" />
      <canvas ref={actor} className="absolute inset-0" />
    </div>
  );
}
