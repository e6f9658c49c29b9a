"use client";

import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import type { CellAt } from "@rlmaze/maze-canvas/maze-canvas";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { type KeyboardEvent, type MouseEvent, type PointerEvent, useMemo } from "react";
import { cellByArrow } from "@/components/maze/arrow-keys";
import { drawnEpisode, useMazeCanvas } from "@/components/maze/use-maze-canvas";

type DifferenceBoardProps = {
  playback: EpisodePlayback;
  theme: MazeTheme;
  view: MazeView;
  /** Says what is on the board, for people who cannot see it. */
  label: string;
  selected: number | undefined;
  onSelect: (cell: number | undefined) => void;
};

/** The maze with the difference map on it. A click, or the arrow keys, select a cell. */
export function DifferenceBoard({ playback, theme, view, label, selected, onSelect }: DifferenceBoardProps) {
  const drawn = useMemo(() => drawnEpisode(playback), [playback]);
  const { place, board, actor, canvas } = useMazeCanvas(drawn, theme, view);

  const cellAt = (event: MouseEvent | PointerEvent): CellAt | undefined => {
    const box = event.currentTarget.getBoundingClientRect();
    return canvas?.cellAt(event.clientX - box.left, event.clientY - box.top);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const { grid } = playback;
    if (grid === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const cell = cellByArrow(event.key, selected ?? playback.positionAt(playback.shownStep), grid);
    if (cell === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onSelect(cell);
  };

  return (
    <div
      ref={place}
      role="application"
      aria-roledescription="maze"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the selection over the cells.
      tabIndex={0}
      className="absolute inset-0 cursor-pointer touch-pan-y rounded-small focus-visible:outline-offset-[-2px]"
      onPointerMove={(event) => canvas?.setHover(cellAt(event))}
      onPointerLeave={() => canvas?.setHover(undefined)}
      onClick={(event) => {
        const at = cellAt(event);
        onSelect(at === undefined || at.cell === selected ? undefined : at.cell);
      }}
      onKeyDown={onKeyDown}
    >
      <canvas ref={board} className="absolute inset-0" />
      <canvas ref={actor} className="pointer-events-none absolute inset-0" />
    </div>
  );
}
