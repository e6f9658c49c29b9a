"use client";

import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { useMemo } from "react";
import { drawnEpisode, useMazeCanvas } from "@/components/maze/use-maze-canvas";

type ProbeBoardProps = {
  playback: EpisodePlayback;
  theme: MazeTheme;
  view: MazeView;
  /** Says what is on the board, for people who cannot see it. */
  label: string;
};

/** The probe maze. Everything that moves is drawn by the canvas itself. */
export function ProbeBoard({ playback, theme, view, label }: ProbeBoardProps) {
  const drawn = useMemo(() => drawnEpisode(playback), [playback]);
  const { place, board, actor } = useMazeCanvas(drawn, theme, view);

  return (
    <div ref={place} role="img" aria-label={label} className="absolute inset-0">
      <canvas ref={board} className="absolute inset-0" />
      <canvas ref={actor} className="absolute inset-0" />
    </div>
  );
}
