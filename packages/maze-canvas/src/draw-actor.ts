import { type Context2D, drawGoal, drawStart, hasArrows, setArrowPen, traceArrow } from "./draw-board";
import { figureFace } from "./faces";
import type { MazeLayout } from "./layout";
import type { MovingAgent } from "./moving-agent";
import { TRAIL_STEPS } from "./moving-agent";
import { hexOf, mixOklch, oklchOf } from "./oklch";
import type { MazeTheme } from "./theme";
import type { DrawPreview } from "./view";

/** Share of the trail's colour at its oldest end; below it, the trail was lost in the colour-blind simulation. */
const FADED = 0.45;

/** Shift of an agent and its trail from the middle of the cell, in cells. */
export interface Shift {
  readonly col: number;
  readonly row: number;
}

const CENTRED: Shift = { col: 0, row: 0 };

/**
 * Shifts of two, three and four lanes. No two have the same row or column shift, so that trails that share a corridor run side by side in
 * either direction; four stand like queens on a chessboard, which also keeps the agents of one cell as far apart as can be.
 */
const SHIFTS: readonly (readonly Shift[])[] = [
  [CENTRED],
  [
    { col: -0.15, row: -0.15 },
    { col: 0.15, row: 0.15 },
  ],
  [
    { col: -0.22, row: 0 },
    { col: 0, row: 0.22 },
    { col: 0.22, row: -0.22 },
  ],
  [
    { col: -0.27, row: -0.09 },
    { col: -0.09, row: 0.27 },
    { col: 0.09, row: -0.27 },
    { col: 0.27, row: 0.09 },
  ],
];

/** Shift of a lane among so many. */
export function laneShift(lane: number, lanes: number): Shift {
  return SHIFTS[lanes - 1]?.[lane] ?? CENTRED;
}

/** Places of a trail that share a colour: a stroke for each of 36 costs more than all the rest of a frame, and nine shades fade as well. */
const BAND = 4;

/** Colours of a trail from its newest band to its oldest, made once a colour. */
const trailColors = new Map<string, readonly string[]>();
function fading(color: string, casing: string): readonly string[] {
  const key = color + casing;
  let colors = trailColors.get(key);
  if (!colors) {
    const from = oklchOf(casing);
    const to = oklchOf(color);
    // Hue of the trail itself at every age: between grey and pink there is no other hue to pass.
    colors = Array.from({ length: Math.ceil((TRAIL_STEPS + 2) / BAND) }, (_, band) =>
      hexOf(mixOklch({ ...from, h: to.h }, to, 1 - (1 - FADED) * Math.min(1, (band * BAND) / TRAIL_STEPS))),
    );
    trailColors.set(key, colors);
  }
  return colors;
}

/** Draws the trail of one agent on its casing. `color` is the theme's trail or the lane's; `shift` is a lane's, who share the corridor. */
export function drawTrail(
  context: Context2D,
  agent: MovingAgent,
  layout: MazeLayout,
  theme: MazeTheme,
  color: string,
  shift?: Shift,
): void {
  const { trailLength: length, trailRows: rows, trailCols: cols } = agent;
  if (length < 2) return;
  const { cell } = layout;
  const left = layout.x + (0.5 + (shift?.col ?? 0)) * cell;
  const top = layout.y + (0.5 + (shift?.row ?? 0)) * cell;
  // Thin on large cells, where it would hide the heat, and never a hairline on small ones.
  const width = shift ? cell * 0.05 + layout.dpr : cell * 0.08 + 1.4 * layout.dpr;
  context.lineCap = "butt";
  context.lineJoin = "round";

  context.strokeStyle = theme.casing;
  context.lineWidth = shift ? width + Math.max(layout.dpr, cell * 0.05) : width * 2;
  context.beginPath();
  for (let at = 0; at < length; at++) {
    const x = left + (cols[at] ?? 0) * cell;
    const y = top + (rows[at] ?? 0) * cell;
    if (at === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.stroke();

  // Bands meet in the middle of a segment, so that corners are joined and colours are opaque. The newest band is the last to be drawn.
  const colors = fading(color, theme.casing);
  context.lineWidth = width;
  const oldest = Math.floor((length - 1) / BAND);
  for (let band = oldest; band >= 0; band--) {
    const to = length - 1 - band * BAND;
    const from = Math.max(0, to - BAND + 1);
    context.strokeStyle = colors[band] ?? color;
    context.beginPath();
    for (let at = from; at <= to; at++) {
      const x = left + (cols[at] ?? 0) * cell;
      const y = top + (rows[at] ?? 0) * cell;
      if (at > from) context.lineTo(x, y);
      else if (at > 0) {
        context.moveTo((left + (cols[at - 1] ?? 0) * cell + x) / 2, (top + (rows[at - 1] ?? 0) * cell + y) / 2);
        context.lineTo(x, y);
      } else context.moveTo(x, y);
    }
    if (to < length - 1) {
      const x = left + (cols[to] ?? 0) * cell;
      const y = top + (rows[to] ?? 0) * cell;
      context.lineTo((x + left + (cols[to + 1] ?? 0) * cell) / 2, (y + top + (rows[to + 1] ?? 0) * cell) / 2);
    }
    context.stroke();
  }
}

/** Draws the best actions of some cells over the trail, which would cover them. */
export function drawTrailArrows(
  context: Context2D,
  cells: Int32Array,
  count: number,
  actions: Int8Array,
  layout: MazeLayout,
  theme: MazeTheme,
): void {
  if (count === 0 || !hasArrows(layout)) return;
  setArrowPen(context, layout);
  context.beginPath();
  for (let at = 0; at < count; at++) {
    const cell = cells[at] ?? 0;
    traceArrow(context, layout, cell, actions[cell] ?? -1);
  }
  const width = context.lineWidth;
  context.strokeStyle = theme.arrowCasing;
  context.lineWidth = width * 2.6;
  context.stroke();
  context.strokeStyle = theme.arrowOnTrail;
  context.lineWidth = width;
  context.stroke();
}

/** Radius of the single agent, in device pixels. */
export function agentRadius(layout: MazeLayout): number {
  return Math.max(3 * layout.dpr, layout.cell * 0.24);
}

/** How far the agent and its glow reach from its middle, in device pixels. */
export function agentReach(layout: MazeLayout): number {
  return Math.ceil(agentRadius(layout) * GLOW_REACH);
}

/** Reach of the glow, in radii of the agent. */
const GLOW_REACH = 2.6;

/**
 * Draws the single agent: a disc with a white ring in a dark casing, and a glow. On the goal, whose diamond it covers, it wears the goal's
 * colour. `x` and `y` are its middle.
 */
export function drawAgent(
  context: Context2D,
  x: number,
  y: number,
  onGoal: boolean,
  layout: MazeLayout,
  theme: MazeTheme,
): void {
  const radius = agentRadius(layout);
  const ring = Math.max(1.5 * layout.dpr, layout.cell * 0.06);
  const glow = context.createRadialGradient(x, y, radius, x, y, radius * GLOW_REACH);
  glow.addColorStop(0, `${theme.agent}66`);
  glow.addColorStop(1, `${theme.agent}00`);
  context.fillStyle = glow;
  context.beginPath();
  context.arc(x, y, radius * GLOW_REACH, 0, 2 * Math.PI);
  context.fill();
  if (onGoal) fillDisc(context, x, y, theme.goal, radius + 3.2 * ring);
  fillDisc(context, x, y, theme.agentCasing, radius + 2 * ring);
  fillDisc(context, x, y, theme.agentRing, radius + ring);
  fillDisc(context, x, y, theme.agent, radius);
}

function fillDisc(context: Context2D, x: number, y: number, color: string, radius: number): void {
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/** Radius of a lane's sign, in device pixels: large enough to tell its shape on a small cell, where signs of one cell overlap. */
export function laneRadius(layout: MazeLayout): number {
  return Math.max(5.25 * layout.dpr, layout.cell * 0.17);
}

/** Radius from which a sign has room for its number, in CSS pixels. */
const NUMBER_FROM = 7;

/** Draws a lane's sign, its middle at a place: disc, square, triangle or cross, in its lightness, with its number where there is room. */
export function drawLaneSign(
  context: Context2D,
  x: number,
  y: number,
  radius: number,
  lane: number,
  dpr: number,
  theme: MazeTheme,
): void {
  const fill = theme.lanes[lane] ?? theme.agent;
  context.beginPath();
  traceSign(context, x, y, radius, lane);
  context.lineJoin = "round";
  context.strokeStyle = theme.agentCasing;
  context.lineWidth = 4.5 * dpr;
  context.stroke();
  // A ring of paper lightness parts the casing from what lies below it, as the single agent has it.
  context.strokeStyle = theme.agentRing;
  context.lineWidth = 2 * dpr;
  context.stroke();
  context.fillStyle = fill;
  context.fill();
  if (radius < NUMBER_FROM * dpr) return;
  context.fillStyle = oklchOf(fill).l > 0.6 ? "#0a0c11" : "#ffffff";
  context.font = `600 ${Math.round(radius * 1.25)}px ${figureFace()}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  // The middle of a triangle's room is below the middle of its box.
  context.fillText(NUMBERS[lane] ?? "", x, y + (lane === 2 ? radius * 0.2 : radius * 0.06));
}

const NUMBERS = ["1", "2", "3", "4"] as const;

function traceSign(context: Context2D, x: number, y: number, radius: number, lane: number): void {
  if (lane === 1) {
    const half = radius * 0.88;
    context.rect(x - half, y - half, 2 * half, 2 * half);
  } else if (lane === 2) {
    // As wide as the others look, so it reaches a little beyond their radius.
    context.moveTo(x, y - radius * 1.2);
    context.lineTo(x + radius * 1.16, y + radius * 0.9);
    context.lineTo(x - radius * 1.16, y + radius * 0.9);
    context.closePath();
  } else if (lane === 3) {
    const arm = radius * 0.46;
    const end = radius * 1.05;
    context.moveTo(x - arm, y - end);
    context.lineTo(x + arm, y - end);
    context.lineTo(x + arm, y - arm);
    context.lineTo(x + end, y - arm);
    context.lineTo(x + end, y + arm);
    context.lineTo(x + arm, y + arm);
    context.lineTo(x + arm, y + end);
    context.lineTo(x - arm, y + end);
    context.lineTo(x - arm, y + arm);
    context.lineTo(x - end, y + arm);
    context.lineTo(x - end, y - arm);
    context.lineTo(x - arm, y - arm);
    context.closePath();
  } else {
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }
}

/** Outlines the cell under the pointer. */
export function drawHover(context: Context2D, cell: number, layout: MazeLayout, theme: MazeTheme): void {
  const line = Math.max(1, Math.round(1.5 * layout.dpr));
  context.lineJoin = "miter";
  context.strokeStyle = theme.hover;
  context.lineWidth = line;
  context.strokeRect(
    layout.x + (cell % layout.cols) * layout.cell + line / 2,
    layout.y + Math.floor(cell / layout.cols) * layout.cell + line / 2,
    layout.cell - line,
    layout.cell - line,
  );
}

/** Brackets at the corners of the selected cell, just outside of it, on a casing. */
export function drawSelected(context: Context2D, cell: number, layout: MazeLayout, theme: MazeTheme): void {
  const line = Math.max(2, Math.round(2 * layout.dpr));
  const left = layout.x + (cell % layout.cols) * layout.cell - line / 2;
  const top = layout.y + Math.floor(cell / layout.cols) * layout.cell - line / 2;
  const size = layout.cell + line;
  const arm = Math.max(line * 1.5, size * 0.3);
  context.lineCap = "butt";
  context.lineJoin = "miter";
  context.beginPath();
  for (let corner = 0; corner < 4; corner++) {
    const x = corner & 1 ? left + size : left;
    const y = corner & 2 ? top + size : top;
    const inX = corner & 1 ? -arm : arm;
    const inY = corner & 2 ? -arm : arm;
    context.moveTo(x + inX, y);
    context.lineTo(x, y);
    context.lineTo(x, y + inY);
  }
  context.strokeStyle = theme.casing;
  context.lineWidth = line + 2 * Math.round(layout.dpr);
  context.stroke();
  context.strokeStyle = theme.selected;
  context.lineWidth = line;
  context.stroke();
}

/** Outlines the 5 × 5 cells around the agent, as far as they are in the maze. */
export function drawWindow(
  context: Context2D,
  agent: MovingAgent,
  reach: number,
  layout: MazeLayout,
  theme: MazeTheme,
): void {
  const line = Math.max(1, Math.round(1.5 * layout.dpr));
  const left = layout.x + Math.max(0, agent.col - reach) * layout.cell;
  const top = layout.y + Math.max(0, agent.row - reach) * layout.cell;
  const right = layout.x + Math.min(layout.cols, agent.col + reach + 1) * layout.cell;
  const bottom = layout.y + Math.min(layout.rows, agent.row + reach + 1) * layout.cell;
  context.beginPath();
  context.roundRect(left, top, right - left, bottom - top, Math.min(6 * layout.dpr, layout.cell / 3));
  context.strokeStyle = theme.casing;
  context.lineWidth = line + 2 * layout.dpr;
  context.stroke();
  context.strokeStyle = theme.window;
  context.lineWidth = line;
  context.stroke();
}

/** Draws what a person is about to place, as it will look, in a line that says that it is not there yet. */
export function drawPreview(context: Context2D, preview: DrawPreview, layout: MazeLayout, theme: MazeTheme): void {
  const line = Math.max(1, Math.round(1.5 * layout.dpr));
  const isAllowed = preview.allowed !== false;
  context.lineCap = "round";
  for (const cell of preview.cells) {
    const x = layout.x + (cell % layout.cols) * layout.cell;
    const y = layout.y + Math.floor(cell / layout.cols) * layout.cell;
    context.fillStyle = preview.as === "wall" ? theme.wall : theme.path;
    context.fillRect(x, y, layout.cell, layout.cell);
    if (preview.as === "start") drawStart(context, cell, layout, theme);
    if (preview.as === "goal") drawGoal(context, cell, layout, theme);
    context.lineJoin = "miter";
    context.strokeStyle = isAllowed ? theme.selected : theme.refused;
    context.lineWidth = line;
    context.strokeRect(x + line / 2, y + line / 2, layout.cell - line, layout.cell - line);
    if (isAllowed) continue;
    context.beginPath();
    context.moveTo(x + layout.cell * 0.25, y + layout.cell * 0.25);
    context.lineTo(x + layout.cell * 0.75, y + layout.cell * 0.75);
    context.moveTo(x + layout.cell * 0.75, y + layout.cell * 0.25);
    context.lineTo(x + layout.cell * 0.25, y + layout.cell * 0.75);
    context.stroke();
  }
}
