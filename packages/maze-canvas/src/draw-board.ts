import { MOVES } from "@rlmaze/episode-playback/moves";
import { type BoardCells, CORNER } from "./board-cells";
import { figureFace } from "./faces";
import type { HeatRamp } from "./heat-ramp";
import { type MazeLayout, rulerMarks } from "./layout";
import { oklchOf } from "./oklch";
import { DIFFERENCE } from "./policy-difference";
import { IN_REGION } from "./route";
import type { MazeTheme } from "./theme";

/** A 2D context of the page or of a canvas off it. */
export type Context2D = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Smallest cell, in device pixels, whose corners are rounded, that has room for an arrow, for two arrows, and for rails beside its middle. */
const SMALLEST_ROUND = 12;
const SMALLEST_ARROW = 9;
const SMALLEST_TWO_ARROWS = 18;
const SMALLEST_RAILS = 10;

/** Lightness between a dark and a light cell: white and near-black arrows have the same contrast on it. */
const MIDDLE_LIGHTNESS = 0.6;

/** Reach of an arrow from its middle, as a share of the cell; half of it along its direction. */
const ARROW_REACH = 0.14;
const SMALL_ARROW_REACH = 0.1;
/** Where the arrows of two policies stand, from the middle of the cell towards its corners. */
const HALF = 0.22;

/** Draws what stays below the cells: the edge, the wall and the numbers. The context is in device pixels and was cleared. */
export function drawGround(context: Context2D, layout: MazeLayout, theme: MazeTheme): void {
  const line = Math.max(1, Math.round(layout.dpr));
  const x = layout.x - layout.frame;
  const y = layout.y - layout.frame;
  const width = layout.cols * layout.cell + 2 * layout.frame;
  const height = layout.rows * layout.cell + 2 * layout.frame;
  const radius = Math.min(layout.frame, Math.round(8 * layout.dpr));
  // The edge is a larger plate behind the wall: a stroke would lie between pixels.
  context.fillStyle = theme.edge;
  context.beginPath();
  context.roundRect(x - line, y - line, width + 2 * line, height + 2 * line, radius + line);
  context.fill();
  context.fillStyle = theme.wall;
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
  if (layout.rulers) drawRulers(context, layout, theme);
}

/**
 * Paints the cells that `cells.changed` lists. Each is painted over from its ground up and nothing of it lies outside of it, so no other cell
 * has to be touched. Kind after kind, not cell after cell: a change of colour and a stroke cost more than a shape.
 */
export function drawChangedCells(
  context: Context2D,
  cells: BoardCells,
  ramp: HeatRamp | undefined,
  layout: MazeLayout,
  theme: MazeTheme,
): void {
  if (cells.changedCount === 0) return;
  fillCells(context, cells, ramp, layout, theme);
  drawFogDots(context, cells, layout, theme);
  drawDifferences(context, cells, layout, theme);
  drawRoute(context, cells, ramp, layout, theme);
  drawPathActions(context, cells, layout, theme);
  drawArrows(context, cells, ramp, layout, theme);
  drawDifferenceArrows(context, cells, layout, theme);
  drawEnds(context, cells, layout, theme);
  drawNotches(context, cells, layout, theme);
  drawCycle(context, cells, layout, theme);
}

/** Left edge of a cell. */
const leftOf = (layout: MazeLayout, cell: number): number => layout.x + (cell % layout.cols) * layout.cell;
/** Top edge of a cell. */
const topOf = (layout: MazeLayout, cell: number): number => layout.y + Math.floor(cell / layout.cols) * layout.cell;

/** Radii of `roundRect` for every combination of `CORNER` bits, made once a radius: a list for each cell of each frame would be garbage. */
let radiiOf = -1;
let radiiTable: number[][] = [];
function cornerRadii(radius: number): number[][] {
  if (radius !== radiiOf) {
    radiiOf = radius;
    radiiTable = Array.from({ length: 16 }, (_, bits) =>
      [CORNER.topLeft, CORNER.topRight, CORNER.bottomRight, CORNER.bottomLeft].map((bit) => (bits & bit ? radius : 0)),
    );
  }
  return radiiTable;
}

/** Colour of a cell's ground, without marks. */
function groundOf(cells: BoardCells, cell: number, ramp: HeatRamp | undefined, theme: MazeTheme): string {
  if (cells.hidden[cell]) return theme.fog;
  if (cells.wall[cell]) return theme.wall;
  const heat = cells.heat[cell] ?? 0;
  return (ramp && heat > 0 ? ramp.colors[heat - 1] : undefined) ?? theme.path;
}

function fillCells(
  context: Context2D,
  cells: BoardCells,
  ramp: HeatRamp | undefined,
  layout: MazeLayout,
  theme: MazeTheme,
): void {
  const { cell: side } = layout;
  const radii = cornerRadii(side >= SMALLEST_ROUND ? Math.round(side * 0.14) : 0);
  let color = "";
  for (let at = 0; at < cells.changedCount; at++) {
    const cell = cells.changed[at] ?? 0;
    const x = leftOf(layout, cell);
    const y = topOf(layout, cell);
    const corners = cells.hidden[cell] || side < SMALLEST_ROUND ? 0 : (cells.corners[cell] ?? 0);
    if (corners && color !== theme.wall) context.fillStyle = color = theme.wall;
    if (corners) context.fillRect(x, y, side, side);
    const ground = groundOf(cells, cell, ramp, theme);
    if (color !== ground) context.fillStyle = color = ground;
    if (corners) {
      context.beginPath();
      context.roundRect(x, y, side, side, radii[corners]);
      context.fill();
    } else {
      context.fillRect(x, y, side, side);
    }
  }
}

function drawFogDots(context: Context2D, cells: BoardCells, layout: MazeLayout, theme: MazeTheme): void {
  const dot = Math.max(1, Math.round(layout.cell * 0.1));
  const inset = Math.floor((layout.cell - dot) / 2);
  context.fillStyle = theme.fogDot;
  for (let at = 0; at < cells.changedCount; at++) {
    const cell = cells.changed[at] ?? 0;
    if (cells.hidden[cell]) context.fillRect(leftOf(layout, cell) + inset, topOf(layout, cell) + inset, dot, dot);
  }
}

function drawDifferences(context: Context2D, cells: BoardCells, layout: MazeLayout, theme: MazeTheme): void {
  const { cell: side } = layout;
  const gap = side >= SMALLEST_ROUND ? Math.max(1, Math.round(side * 0.06)) : 0;
  const line = Math.max(1, Math.round(side * 0.1));
  for (let at = 0; at < cells.changedCount; at++) {
    const cell = cells.changed[at] ?? 0;
    const category = cells.hidden[cell] ? 0 : (cells.difference[cell] ?? 0);
    if (category === DIFFERENCE.none) continue;
    const left = leftOf(layout, cell) + gap;
    const top = topOf(layout, cell) + gap;
    const size = side - 2 * gap;
    context.fillStyle = theme.difference[category - 1] ?? theme.path;
    if (category === DIFFERENCE.bothRight) {
      context.fillRect(left, top, size, size);
    } else if (category === DIFFERENCE.neitherRight) {
      context.fillRect(left, top, size, line);
      context.fillRect(left, top + size - line, size, line);
      context.fillRect(left, top + line, line, size - 2 * line);
      context.fillRect(left + size - line, top + line, line, size - 2 * line);
    } else {
      const isFirst = category === DIFFERENCE.firstRight;
      context.beginPath();
      context.moveTo(left + size, top);
      context.lineTo(left, top + size);
      context.lineTo(isFirst ? left : left + size, isFirst ? top : top + size);
      context.closePath();
      context.fill();
    }
  }
}

/** A way as wide as half a cell between two rails: the trail runs between them without hiding it. */
function drawRoute(
  context: Context2D,
  cells: BoardCells,
  ramp: HeatRamp | undefined,
  layout: MazeLayout,
  theme: MazeTheme,
): void {
  const { cell: side } = layout;
  const hasRails = side >= SMALLEST_RAILS;
  const rail = Math.max(1.25 * layout.dpr, side * 0.05);
  const width = hasRails ? Math.round(side * 0.54) : Math.max(1, side * 0.34);
  context.lineCap = "butt";
  context.lineJoin = "round";
  for (let at = 0; at < cells.changedCount; at++) {
    const cell = cells.changed[at] ?? 0;
    const sides = cells.hidden[cell] ? 0 : (cells.route[cell] ?? 0);
    if (sides === 0) continue;
    const x = leftOf(layout, cell);
    const y = topOf(layout, cell);
    context.strokeStyle = theme.route;
    context.lineWidth = width;
    strokeThrough(context, x, y, side, sides);
    if (!hasRails) continue;
    context.strokeStyle = groundOf(cells, cell, ramp, theme);
    context.lineWidth = width - 2 * rail;
    strokeThrough(context, x, y, side, sides);
  }
}

/** Strokes from one side of a cell through its middle to the other, or from its middle to its only side. */
function strokeThrough(context: Context2D, left: number, top: number, side: number, sides: number): void {
  const x = left + side / 2;
  const y = top + side / 2;
  context.beginPath();
  let isFirst = true;
  for (let action = 0; action < 4; action++) {
    if (!(sides & (1 << action))) continue;
    const [down, right] = MOVES[action] ?? [0, 0];
    const endX = x + (right * side) / 2;
    const endY = y + (down * side) / 2;
    if (isFirst) {
      context.moveTo(endX, endY);
      context.lineTo(x, y);
      isFirst = false;
    } else {
      context.lineTo(endX, endY);
    }
  }
  context.stroke();
}

function drawPathActions(context: Context2D, cells: BoardCells, layout: MazeLayout, theme: MazeTheme): void {
  const { cell: side } = layout;
  if (side < SMALLEST_ARROW) return;
  const base = side * 0.11;
  const tip = side * 0.46;
  const foot = side * 0.33;
  context.fillStyle = theme.route;
  context.beginPath();
  let any = false;
  for (let at = 0; at < cells.changedCount; at++) {
    const cell = cells.changed[at] ?? 0;
    const bits = cells.hidden[cell] || cells.wall[cell] ? 0 : (cells.pathActions[cell] ?? 0);
    if (bits === 0) continue;
    any = true;
    const x = leftOf(layout, cell) + side / 2;
    const y = topOf(layout, cell) + side / 2;
    for (let action = 0; action < 4; action++) {
      if (!(bits & (1 << action))) continue;
      const [down, right] = MOVES[action] ?? [0, 0];
      context.moveTo(x + right * tip, y + down * tip);
      context.lineTo(x + right * foot + down * base, y + down * foot + right * base);
      context.lineTo(x + right * foot - down * base, y + down * foot - right * base);
      context.closePath();
    }
  }
  if (any) context.fill();
}

function drawArrows(
  context: Context2D,
  cells: BoardCells,
  ramp: HeatRamp | undefined,
  layout: MazeLayout,
  theme: MazeTheme,
): void {
  if (layout.cell < SMALLEST_ARROW) return;
  setArrowPen(context, layout);
  for (const isLight of TONES) {
    let any = false;
    for (let at = 0; at < cells.changedCount; at++) {
      const cell = cells.changed[at] ?? 0;
      const action = cells.arrow[cell] ?? -1;
      if (action < 0 || cells.hidden[cell] || cells.wall[cell]) continue;
      const heat = cells.heat[cell] ?? 0;
      const isDarkCell =
        ramp && heat > 0 ? ramp.lightnessAt((heat - 1) / 255) < MIDDLE_LIGHTNESS : theme.name === "dark";
      if (isDarkCell !== isLight) continue;
      if (!any) context.beginPath();
      any = true;
      traceArrow(context, layout, cell, action, 0, ARROW_REACH);
    }
    if (!any) continue;
    context.strokeStyle = isLight ? theme.arrowLight : theme.arrowDark;
    context.stroke();
  }
}

const TONES = [true, false] as const;

/** Each policy's arrow in its half of the cell. */
function drawDifferenceArrows(context: Context2D, cells: BoardCells, layout: MazeLayout, theme: MazeTheme): void {
  if (layout.cell < SMALLEST_TWO_ARROWS) return;
  setArrowPen(context, layout);
  for (const isLight of TONES) {
    let any = false;
    for (let at = 0; at < cells.changedCount; at++) {
      const cell = cells.changed[at] ?? 0;
      const category = cells.hidden[cell] ? 0 : (cells.difference[cell] ?? 0);
      if (category === DIFFERENCE.none) continue;
      const fill = theme.difference[category - 1] ?? theme.path;
      for (const isFirst of TONES) {
        const isFilled =
          category === DIFFERENCE.bothRight || category === (isFirst ? DIFFERENCE.firstRight : DIFFERENCE.secondRight);
        if (isDark(isFilled ? fill : theme.path) !== isLight) continue;
        if (!any) context.beginPath();
        any = true;
        const action = (isFirst ? cells.differenceFirst[cell] : cells.differenceSecond[cell]) ?? -1;
        traceArrow(context, layout, cell, action, isFirst ? -HALF : HALF, SMALL_ARROW_REACH);
      }
    }
    if (!any) continue;
    context.strokeStyle = isLight ? theme.arrowLight : theme.arrowDark;
    context.stroke();
  }
}

const darkness = new Map<string, boolean>();
function isDark(color: string): boolean {
  let dark = darkness.get(color);
  if (dark === undefined) {
    dark = oklchOf(color).l < MIDDLE_LIGHTNESS;
    darkness.set(color, dark);
  }
  return dark;
}

/** Line of the arrows. */
export function setArrowPen(context: Context2D, layout: MazeLayout): void {
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = arrowWidth(layout);
}

/** Width of an arrow's line. */
export function arrowWidth(layout: MazeLayout): number {
  return Math.max(layout.dpr, layout.cell * 0.05);
}

/** Whether the cells have room for arrows. */
export function hasArrows(layout: MazeLayout): boolean {
  return layout.cell >= SMALLEST_ARROW;
}

/** Adds the chevron of one cell to the path, `shift` and `reach` as shares of the cell; many are stroked at once. */
export function traceArrow(
  context: Context2D,
  layout: MazeLayout,
  cell: number,
  action: number,
  shift = 0,
  reach = ARROW_REACH,
): void {
  const [dy, dx] = MOVES[action] ?? [0, 0];
  const arm = layout.cell * reach;
  const x = leftOf(layout, cell) + (0.5 + shift) * layout.cell;
  const y = topOf(layout, cell) + (0.5 + shift) * layout.cell;
  // Along the direction the chevron reaches half as far as across it.
  context.moveTo(x - (dx * arm) / 2 - dy * arm, y - (dy * arm) / 2 - dx * arm);
  context.lineTo(x + (dx * arm) / 2, y + (dy * arm) / 2);
  context.lineTo(x - (dx * arm) / 2 + dy * arm, y - (dy * arm) / 2 + dx * arm);
}

function drawEnds(context: Context2D, cells: BoardCells, layout: MazeLayout, theme: MazeTheme): void {
  for (let at = 0; at < cells.changedCount; at++) {
    const cell = cells.changed[at] ?? 0;
    if (cells.hidden[cell]) continue;
    if (cell === cells.start) drawStart(context, cell, layout, theme);
    if (cell === cells.goal) drawGoal(context, cell, layout, theme);
  }
}

/** Draws the ring of a start. */
export function drawStart(context: Context2D, cell: number, layout: MazeLayout, theme: MazeTheme): void {
  const x = leftOf(layout, cell) + layout.cell / 2;
  const y = topOf(layout, cell) + layout.cell / 2;
  const width = Math.min(layout.cell * 0.2, Math.max(1.5, layout.cell * 0.09));
  const radius = Math.min(layout.cell / 2 - width, Math.max(2, layout.cell * 0.26));
  context.strokeStyle = theme.casing;
  context.lineWidth = width * 2;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
  context.strokeStyle = theme.start;
  context.lineWidth = width;
  context.stroke();
}

/** Draws the diamond of a goal. */
export function drawGoal(context: Context2D, cell: number, layout: MazeLayout, theme: MazeTheme): void {
  const x = leftOf(layout, cell) + layout.cell / 2;
  const y = topOf(layout, cell) + layout.cell / 2;
  const line = Math.max(1.5, layout.cell * 0.09);
  // The corners of its casing reach 0.7 of the line beyond it, and nothing may leave the cell.
  const reach = Math.min(layout.cell / 2 - line * 0.71, Math.max(3, layout.cell * 0.36));
  context.beginPath();
  context.moveTo(x, y - reach);
  context.lineTo(x + reach, y);
  context.lineTo(x, y + reach);
  context.lineTo(x - reach, y);
  context.closePath();
  context.lineJoin = "round";
  context.strokeStyle = theme.goalCasing;
  context.lineWidth = line;
  context.stroke();
  context.fillStyle = theme.goal;
  context.fill();
  context.fillStyle = theme.goalCasing;
  context.beginPath();
  context.arc(x, y, Math.max(1, layout.cell * 0.08), 0, 2 * Math.PI);
  context.fill();
}

/** A notch in the upper right corner, parted from the cell by a line of the casing. */
function drawNotches(context: Context2D, cells: BoardCells, layout: MazeLayout, theme: MazeTheme): void {
  const size = Math.max(3, layout.cell * 0.3);
  if (traceNotches(context, cells, layout, size + 1.4 * Math.max(1, layout.dpr))) {
    context.fillStyle = theme.casing;
    context.fill();
    traceNotches(context, cells, layout, size);
    context.fillStyle = theme.worse;
    context.fill();
  }
}

/** Begins a path of all notches; returns whether there are any. */
function traceNotches(context: Context2D, cells: BoardCells, layout: MazeLayout, reach: number): boolean {
  let any = false;
  for (let at = 0; at < cells.changedCount; at++) {
    const cell = cells.changed[at] ?? 0;
    if (!cells.worse[cell] || cells.hidden[cell]) continue;
    if (!any) context.beginPath();
    any = true;
    const right = leftOf(layout, cell) + layout.cell;
    const top = topOf(layout, cell);
    context.moveTo(right - reach, top);
    context.lineTo(right, top);
    context.lineTo(right, top + reach);
    context.closePath();
  }
  return any;
}

/** Two dashes along every side where a cycle's region ends. */
function drawCycle(context: Context2D, cells: BoardCells, layout: MazeLayout, theme: MazeTheme): void {
  const { cell: side } = layout;
  const line = Math.max(1, Math.round(Math.max(1.5 * layout.dpr, side * 0.07)));
  const dash = Math.round(side * 0.32);
  const casing = Math.max(1, Math.round(layout.dpr * 0.75));
  for (let at = 0; at < cells.changedCount; at++) {
    const cell = cells.changed[at] ?? 0;
    const sides = cells.hidden[cell] ? 0 : (cells.cycle[cell] ?? 0);
    if (!(sides & IN_REGION)) continue;
    const left = leftOf(layout, cell);
    const top = topOf(layout, cell);
    for (let action = 0; action < 4; action++) {
      if (!(sides & (1 << action))) continue;
      for (let piece = 0; piece < 2; piece++) {
        const along = Math.round(side * (piece === 0 ? 0.25 : 0.75) - dash / 2);
        // UP and DOWN lie across, LEFT and RIGHT stand; DOWN and RIGHT are at the far side.
        const across = action === 1 || action === 3 ? side - line - casing : casing;
        const x = action < 2 ? left + along : left + across;
        const y = action < 2 ? top + across : top + along;
        const width = action < 2 ? dash : line;
        const height = action < 2 ? line : dash;
        context.fillStyle = theme.casing;
        context.fillRect(x - casing, y - casing, width + 2 * casing, height + 2 * casing);
        context.fillStyle = theme.cycle;
        context.fillRect(x, y, width, height);
      }
    }
  }
}

function drawRulers(context: Context2D, layout: MazeLayout, theme: MazeTheme): void {
  const gap = layout.frame + 8 * layout.dpr;
  const cssCell = layout.cell / layout.dpr;
  context.fillStyle = theme.ruler;
  context.font = `${Math.round(10 * layout.dpr)}px ${figureFace()}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const row of rulerMarks(layout.rows, cssCell)) {
    context.fillText(String(row), layout.x - gap, layout.y + (row + 0.5) * layout.cell);
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const col of rulerMarks(layout.cols, cssCell)) {
    context.fillText(
      String(col),
      layout.x + (col + 0.5) * layout.cell,
      layout.y + layout.rows * layout.cell + gap - 2 * layout.dpr,
    );
  }
}
