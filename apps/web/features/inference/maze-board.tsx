"use client";

import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import type { CellAt, HeatScale } from "@rlmaze/maze-canvas/maze-canvas";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef } from "react";
import { cellByArrow } from "@/components/maze/arrow-keys";
import { drawnEpisode, useMazeCanvas } from "@/components/maze/use-maze-canvas";

type MazeBoardProps = {
  playback: EpisodePlayback;
  theme: MazeTheme;
  view: MazeView;
  /** Says what is on the board, for people who cannot see it. */
  label: string;
  /** The cell under the pointer or the keyboard's cursor. */
  onCell: (cell: number | undefined) => void;
  /** The cell that was clicked, or chosen by Enter; undefined lets go of it. */
  onSelect: (cell: number | undefined) => void;
  onHeat: (scale: HeatScale | undefined) => void;
};

/** How often the ends of the heat are read for the legend. */
const HEAT_INTERVAL_MS = 250;

/** The two canvases of the maze. Everything that moves is drawn by the canvas itself; React renders this once. */
export function MazeBoard({ playback, theme, view, label, onCell, onSelect, onHeat }: MazeBoardProps) {
  const drawn = useMemo(() => drawnEpisode(playback), [playback]);
  const { place, board, actor, canvas } = useMazeCanvas(drawn, theme, view);
  const cursor = useRef<number | undefined>(undefined);

  useEffect(() => {
    if (canvas === undefined || view.heat === "off") {
      onHeat(undefined);
      return;
    }
    let known = "";
    const read = () => {
      const scale = canvas.heatScale();
      const key = scale ? `${scale.low} ${scale.high}` : "";
      if (key === known) return;
      known = key;
      onHeat(scale);
    };
    read();
    const timer = setInterval(read, HEAT_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [canvas, view.heat, onHeat]);

  const showCell = (at: CellAt | undefined) => {
    canvas?.setHover(at);
    onCell(at?.cell);
  };

  const onPointer = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = canvas?.cellAt(event.clientX - box.left, event.clientY - box.top);
    cursor.current = at?.cell;
    showCell(at);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const { grid } = playback;
    if (grid === undefined) return;
    if (event.key === "Escape") {
      cursor.current = undefined;
      showCell(undefined);
      onSelect(undefined);
      return;
    }
    if (event.key === "Enter") {
      event.preventDefault();
      const at = cursor.current ?? playback.positionAt(playback.shownStep);
      onSelect(at === view.selected ? undefined : at);
      return;
    }
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const cell = cellByArrow(event.key, cursor.current ?? playback.positionAt(playback.shownStep), grid);
    if (cell === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    cursor.current = cell;
    showCell({ row: Math.floor(cell / grid.cols), col: cell % grid.cols, cell });
  };

  return (
    <div
      ref={place}
      role="application"
      aria-roledescription="maze"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move a cursor over the cells.
      tabIndex={0}
      className="absolute inset-0 touch-pan-y rounded-small focus-visible:outline-offset-[-2px]"
      onPointerMove={onPointer}
      onPointerDown={onPointer}
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const at = canvas?.cellAt(event.clientX - box.left, event.clientY - box.top);
        onSelect(at?.cell === view.selected ? undefined : at?.cell);
      }}
      onPointerLeave={(event) => {
        // A finger that was lifted keeps its read-out; a mouse that went away does not.
        if (event.pointerType === "mouse") showCell(undefined);
      }}
      onKeyDown={onKeyDown}
      onBlur={() => showCell(undefined)}
    >
      <canvas ref={board} className="absolute inset-0" />
      <canvas ref={actor} className="pointer-events-none absolute inset-0" />
    </div>
  );
}
