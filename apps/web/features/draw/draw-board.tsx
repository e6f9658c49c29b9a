"use client";

import type { EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import type { MazeCanvas } from "@rlmaze/maze-canvas/maze-canvas";
import type { MazeTheme } from "@rlmaze/maze-canvas/theme";
import type { MazeView } from "@rlmaze/maze-canvas/view";
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { cellByArrow } from "@/components/maze/arrow-keys";
import { drawnEpisode, useMazeCanvas } from "@/components/maze/use-maze-canvas";
import { drawMarks } from "./draw-marks";
import { type DrawTool, editNames } from "./draw-tool";
import { isPaintable, lineOfCells, paint, place } from "./drawing";
import type { DrawingEditor } from "./drawing-editor";
import { TwoFingerPan } from "./two-finger-pan";

type DrawBoardProps = {
  editor: DrawingEditor;
  /** Holds the drawing as a grid, and the agent while one runs. */
  playback: EpisodePlayback;
  theme: MazeTheme;
  view: MazeView;
  tool: DrawTool;
  /** Says what is on the board, for people who cannot see it. */
  label: string;
  /** Cells that the server found fault with. */
  faulty: readonly number[];
  /** Told what the keyboard did, for the live line. */
  onSay: (sentence: string) => void;
};

/** A drag under way: what it does, and the cell that it reached. */
interface Stroke {
  readonly pointerId: number;
  readonly tool: DrawTool;
  cell: number;
}

/** The maze as a surface to draw on, by mouse, pen, finger and keyboard. */
export function DrawBoard({ editor, playback, theme, view, tool, label, faulty, onSay }: DrawBoardProps) {
  const ids = useId();
  const marks = useRef<HTMLCanvasElement>(null);
  const [cursor, setCursor] = useState<number>();
  const stroke = useRef<Stroke | undefined>(undefined);
  const pan = useRef(new TwoFingerPan());
  const drawn = useMemo(() => drawnEpisode(playback), [playback]);
  const {
    place: box,
    board,
    actor,
    canvas,
  } = useMazeCanvas(drawn, theme, view, (resized) => {
    if (box.current !== null) redrawMarks(marks.current, box.current, resized, editor, faulty);
  });

  // The marks follow the drawing, not React: one edit may come with every move of the pointer.
  // biome-ignore lint/correctness/useExhaustiveDependencies: theme and faults change how the marks look.
  useEffect(() => {
    if (canvas === undefined || box.current === null) return;
    const { current: element } = box;
    const redraw = () => redrawMarks(marks.current, element, canvas, editor, faulty);
    redraw();
    return editor.subscribe(redraw);
  }, [box, canvas, editor, theme, faulty]);

  const preview = useCallback(
    (cell: number | undefined, as: DrawTool) => {
      if (cell === undefined) {
        canvas?.setView({ preview: undefined });
        return;
      }
      const { drawing } = editor;
      const other = as === "start" ? drawing.goal : drawing.start;
      const allowed = as === "start" || as === "goal" ? cell !== other : isPaintable(drawing, cell);
      canvas?.setView({ preview: { cells: [cell], as, allowed } });
    },
    [canvas, editor],
  );

  const cellAt = (event: { clientX: number; clientY: number }): number | undefined => {
    const frame = box.current?.getBoundingClientRect();
    return frame && canvas?.cellAt(event.clientX - frame.left, event.clientY - frame.top)?.cell;
  };

  const drawTo = (from: number, to: number, as: DrawTool) => {
    const edit = editNames[as];
    if (as === "wall" || as === "path") {
      editor.change(edit, (drawing) => paint(drawing, lineOfCells(drawing.cols, from, to), as));
      return;
    }
    // A mark that is dragged over walls opens the last one only: each place counts from the beginning of the drag.
    const { strokeFrom } = editor;
    const other = as === "start" ? strokeFrom.goal : strokeFrom.start;
    if (to !== other) editor.change(edit, () => place(strokeFrom, as, to));
  };

  const onPointerDown = (event: PointerEvent) => {
    if (event.pointerType === "touch") {
      pan.current.down(event);
      if (pan.current.active) {
        // The first finger began to draw before the second came.
        stroke.current = undefined;
        editor.cancelStroke();
        return;
      }
    }
    if (event.button !== 0 && event.button !== 2) return;
    const cell = cellAt(event);
    if (cell === undefined || stroke.current !== undefined) return;
    event.preventDefault();
    box.current?.focus({ preventScroll: true });
    const { drawing } = editor;
    const against = event.button === 2 || event.shiftKey;
    const opposite = tool === "path" ? "wall" : "path";
    const chosen = against ? opposite : tool;
    // Start and goal are taken up wherever they are pressed, whatever the tool.
    const as = cell === drawing.start ? "start" : cell === drawing.goal ? "goal" : chosen;
    event.currentTarget.setPointerCapture(event.pointerId);
    stroke.current = { pointerId: event.pointerId, tool: as, cell };
    setCursor(undefined);
    canvas?.setHover(undefined);
    editor.beginStroke(editNames[as]);
    drawTo(cell, cell, as);
    preview(cell, as);
  };

  const onPointerMove = (event: PointerEvent) => {
    if (pan.current.active) {
      pan.current.move(event, box.current?.closest("[data-scroller]"));
      return;
    }
    const { current } = stroke;
    if (current === undefined) {
      if (event.pointerType !== "mouse" && event.pointerType !== "pen") return;
      const cell = cellAt(event);
      const { drawing } = editor;
      preview(cell, cell === drawing.start ? "start" : cell === drawing.goal ? "goal" : tool);
      return;
    }
    if (event.pointerId !== current.pointerId) return;
    // A quick hand passes several cells between two events; the browser kept the points between.
    const points = event.nativeEvent.getCoalescedEvents?.() ?? [];
    for (const point of points.length > 0 ? points : [event.nativeEvent]) {
      const cell = cellAt(point);
      if (cell === undefined || cell === current.cell) continue;
      drawTo(current.cell, cell, current.tool);
      current.cell = cell;
    }
    preview(current.cell, current.tool);
  };

  const endStroke = (event: PointerEvent, kept: boolean) => {
    pan.current.up(event);
    if (event.pointerId !== stroke.current?.pointerId) return;
    stroke.current = undefined;
    if (kept) editor.endStroke();
    else editor.cancelStroke();
    if (event.pointerType !== "mouse") preview(undefined, tool);
  };

  const sayCell = (cell: number, change = "") => {
    const { drawing, facts } = editor.getState();
    const where = `Row ${Math.floor(cell / drawing.cols)}, column ${cell % drawing.cols}`;
    const what =
      cell === drawing.start ? "start" : cell === drawing.goal ? "goal" : drawing.wall[cell] ? "wall" : "path";
    const verdict = facts.solvable ? `Solvable in ${facts.shortestPath} steps.` : "Not solvable.";
    const lost = !drawing.wall[cell] && facts.unreachable.includes(cell) ? ", cannot be reached" : "";
    onSay(change === "" ? `${where}: ${what}${lost}.` : `${where}: ${change}${what}. ${verdict}`);
  };

  const moveCursor = (cell: number) => {
    const { cols } = editor.drawing;
    setCursor(cell);
    canvas?.setView({ preview: undefined });
    canvas?.setHover({ row: Math.floor(cell / cols), col: cell % cols, cell });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && stroke.current !== undefined) {
      stroke.current = undefined;
      editor.cancelStroke();
      return;
    }
    const { drawing } = editor;
    const at = cursor !== undefined && cursor < drawing.wall.length ? cursor : drawing.start;
    const handled = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    const next = cellByArrow(event.key, at, drawing);
    if (next !== undefined) {
      handled();
      if (cursor === undefined) {
        // The first arrow shows where the cursor is.
        moveCursor(at);
        sayCell(at);
        return;
      }
      moveCursor(next);
      if (event.shiftKey && (tool === "wall" || tool === "path")) {
        drawTo(at, next, tool);
        sayCell(next, "now ");
      } else sayCell(next);
      return;
    }
    switch (event.key) {
      case "Home":
      case "End": {
        handled();
        const row = Math.floor(at / drawing.cols);
        const next = row * drawing.cols + (event.key === "Home" ? 0 : drawing.cols - 1);
        moveCursor(next);
        sayCell(next);
        break;
      }
      case " ":
        handled();
        moveCursor(at);
        if (isPaintable(drawing, at)) {
          const as = drawing.wall[at] ? "path" : "wall";
          editor.change(editNames[as], (before) => paint(before, [at], as));
          sayCell(at, "now ");
        } else onSay("Start and goal stay open. Move them with S and G.");
        break;
      case "s":
      case "S":
      case "g":
      case "G": {
        handled();
        moveCursor(at);
        const mark = event.key.toLowerCase() === "s" ? "start" : "goal";
        editor.change(editNames[mark], (before) => place(before, mark, at));
        sayCell(at, "now ");
        break;
      }
      default:
    }
  };

  return (
    <div
      ref={box}
      role="application"
      aria-roledescription="drawing board"
      aria-label={label}
      aria-describedby={`${ids}-keys`}
      data-cursor={cursor}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move a cursor over the cells.
      tabIndex={0}
      className="absolute inset-0 cursor-crosshair touch-none select-none rounded-small focus-visible:outline-offset-[-2px]"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={(event) => endStroke(event, true)}
      onPointerCancel={(event) => endStroke(event, false)}
      onPointerLeave={() => {
        if (stroke.current === undefined) preview(undefined, tool);
      }}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={onKeyDown}
      onBlur={() => {
        setCursor(undefined);
        canvas?.setHover(undefined);
      }}
    >
      <canvas ref={board} className="absolute inset-0" />
      <canvas ref={marks} className="pointer-events-none absolute inset-0 size-full" />
      <canvas ref={actor} className="pointer-events-none absolute inset-0" />
      <p id={`${ids}-keys`} className="sr-only">
        Arrow keys move a cursor, space turns wall into path and back, S puts the start and G the goal. Shift with an
        arrow draws along the way.
      </p>
    </div>
  );
}

/** Draws what lies over the board: what cannot be reached, what stands in the way, what the server found. */
function redrawMarks(
  element: HTMLCanvasElement | null,
  box: HTMLElement,
  canvas: MazeCanvas,
  editor: DrawingEditor,
  faulty: readonly number[],
): void {
  const context = element?.getContext("2d");
  if (!element || !context) return;
  const dpr = window.devicePixelRatio || 1;
  const width = Math.floor(box.clientWidth * dpr);
  const height = Math.floor(box.clientHeight * dpr);
  // A new size clears a canvas, and costs; the same size is cleared.
  if (element.width !== width || element.height !== height) {
    element.width = width;
    element.height = height;
  }
  context.setTransform(dpr, 0, 0, dpr, 0, 0);
  context.clearRect(0, 0, box.clientWidth, box.clientHeight);
  const { drawing, facts } = editor.getState();
  const boxes = (cells: readonly number[]) => cells.flatMap((cell) => canvas.cellBox(cell) ?? []);
  const colors = getComputedStyle(box);
  const color = (name: string) => colors.getPropertyValue(name).trim();
  drawMarks(
    context,
    {
      unreachable: boxes(facts.unreachable.filter((cell) => cell !== drawing.goal)),
      missing: boxes(facts.missing),
      faulty: boxes(faulty.filter((cell) => cell < drawing.wall.length)),
    },
    { unreachable: color("--danger"), missing: color("--warn"), faulty: color("--danger") },
  );
}
