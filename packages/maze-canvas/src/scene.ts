import { goalDistances } from "@rlmaze/episode-playback/distances";
import type { MazeGrid } from "@rlmaze/episode-playback/maze-grid";
import { VIEW_REACH } from "@rlmaze/episode-playback/moves";
import { AgentSprites } from "./agent-sprites";
import { BoardCells } from "./board-cells";
import {
  agentReach,
  drawHover,
  drawPreview,
  drawSelected,
  drawTrail,
  drawTrailArrows,
  drawWindow,
  laneRadius,
  laneShift,
} from "./draw-actor";
import { type Context2D, drawChangedCells, drawGround } from "./draw-board";
import { EpisodeMarks } from "./episode-marks";
import { type HeatRamp, type HeatScale, heatAt, heatRamp, RAMP_COLORS, visitsScale } from "./heat-ramp";
import { layoutMaze, type MazeLayout } from "./layout";
import { MovingAgent, TRAIL_STEPS } from "./moving-agent";
import { pathActions } from "./path-actions";
import { DIFFERENCE } from "./policy-difference";
import { markOutline, markRoute } from "./route";
import type { MazeTheme } from "./theme";
import { type AgentSteps, type BoardSource, type Lane, type MazeView, MOST_LANES } from "./view";

/** Room for a scene, in CSS pixels, and device pixels a CSS pixel. */
export interface Place {
  readonly width: number;
  readonly height: number;
  readonly dpr: number;
}

/**
 * One maze with everything that is on it, drawn on any two contexts: the board, of which only changed cells are painted again, and the
 * actors, of which only the part is cleared that was drawn on. It keeps no time and owns no canvas. In steady state it allocates nothing.
 */
export class MazeScene {
  #source: BoardSource;
  #theme: MazeTheme;
  #view: MazeView;
  #ramps: Readonly<Record<"visits" | "value", HeatRamp>>;
  #place: Place = { width: 0, height: 0, dpr: 1 };
  #grid: MazeGrid | undefined;
  #layout: MazeLayout | undefined;
  #cells = new BoardCells(0);
  #marks: EpisodeMarks | undefined;
  #pathActions: Uint8Array = new Uint8Array(0);
  #agents: readonly MovingAgent[];
  #lanes: readonly Lane[] | undefined;
  #hover: number | undefined;
  #episodeId = "";

  /** Whether the board's canvas is empty, its picture may be another, the actors' may. */
  #isBare = true;
  #boardIsStale = true;
  #actorIsStale = true;
  /** What the board was drawn for last. */
  #boardRevision = -1;
  #boardStep = -1;
  #routeStep = -1;
  #arrowsOf: BoardSource["policyMap"];

  /** Values that this episode's maps reached so far: the scale only widens, so that colours keep their meaning while one watches. */
  #valueRange: { low: number; high: number } | undefined;
  #scale: HeatScale | undefined;
  /** Levels of the visits' ramp by count, for the scale's upper end. */
  #visitLevels = new Int16Array(0);
  /** Cells of the trail, each once, and the frame in which a cell was put there. */
  #trailCells = new Int32Array(TRAIL_STEPS + 1);
  #trailStamps = new Int32Array(0);
  #stamp = 0;
  #sprites: AgentSprites | undefined;
  /** Part of the actors' canvas that is drawn on, in device pixels; everything where `right` is not finite. */
  #drawn = { left: 0, top: 0, right: Number.POSITIVE_INFINITY, bottom: Number.POSITIVE_INFINITY };

  constructor(source: BoardSource, theme: MazeTheme, view: MazeView, lanes?: readonly Lane[]) {
    this.#source = source;
    this.#theme = theme;
    this.#view = view;
    this.#ramps = rampsOf(theme);
    this.#lanes = lanes;
    this.#agents = agentsOf(source, lanes);
  }

  /** Where the maze lies; undefined without a maze or without room. */
  get layout(): MazeLayout | undefined {
    this.#followGrid();
    return this.#layout;
  }

  get view(): MazeView {
    return this.#view;
  }

  /** Scale of the heat that is drawn now; undefined when there is none. */
  get heatScale(): HeatScale | undefined {
    this.#followGrid();
    this.#measureHeat();
    return this.#scale;
  }

  /** Lays the maze out anew; both canvases are empty now. */
  setPlace(place: Place): void {
    this.#place = place;
    this.#layOut();
  }

  setTheme(theme: MazeTheme): void {
    this.#theme = theme;
    this.#ramps = rampsOf(theme);
    this.#sprites = undefined;
    this.#isBare = true;
    this.#actorIsStale = true;
  }

  setView(view: Partial<MazeView>): void {
    const rulers = this.#view.rulers;
    this.#view = { ...this.#view, ...view };
    if (rulers !== this.#view.rulers) this.#layOut();
    this.#boardIsStale = this.#actorIsStale = true;
    this.#routeStep = -1;
    this.#arrowsOf = undefined;
    this.#fillViewLayers();
  }

  /** Draws another source, and other agents. An agent whose steps were there before keeps its pace. */
  setSource(source: BoardSource, lanes: readonly Lane[] | undefined): void {
    const known = new Map(this.#agents.map((agent) => [agent.steps, agent]));
    this.#source = source;
    this.#lanes = lanes;
    this.#agents = agentsOf(source, lanes, known);
    this.#arrowsOf = undefined;
    this.#routeStep = -1;
    this.#actorIsStale = this.#boardIsStale = true;
  }

  setHover(cell: number | undefined): void {
    if (cell === this.#hover) return;
    this.#hover = cell;
    this.#actorIsStale = true;
  }

  /** Takes the moment of everything that moves, so many milliseconds after the last one. */
  advance(elapsedMs: number): void {
    this.#followGrid();
    const { episodeId } = this.#source.getSnapshot();
    if (episodeId !== this.#episodeId) this.#valueRange = undefined;
    this.#episodeId = episodeId;
    for (const agent of this.#agents) if (agent.advance(elapsedMs, this.#view)) this.#actorIsStale = true;
  }

  /** Brings the board's context up to date; returns whether anything was painted. */
  drawBoard(context: Context2D): boolean {
    const { grid, revision } = this.#source;
    const step = this.#source.shownStep;
    if (!this.#isBare && !this.#boardIsStale && revision === this.#boardRevision && step === this.#boardStep)
      return false;
    this.#boardIsStale = false;
    this.#boardRevision = revision;
    this.#boardStep = step;
    // The arrows on the trail follow the policy map, which comes with the board.
    this.#actorIsStale = true;
    const layout = this.#layout;
    if (this.#isBare) {
      this.#isBare = false;
      context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      this.#cells.forget();
      if (grid && layout) drawGround(context, layout, this.#theme);
    }
    if (!grid || !layout) return true;
    this.#fillCells(grid, step);
    this.#cells.collectChanged();
    const ramp = this.#scale && this.#ramps[this.#scale.mode];
    drawChangedCells(context, this.#cells, ramp, layout, this.#theme);
    return this.#cells.changedCount > 0;
  }

  /** Brings the actors' context up to date; returns whether anything was drawn. Comes after `drawBoard`. */
  drawActors(context: Context2D): boolean {
    if (!this.#actorIsStale) return false;
    this.#actorIsStale = false;
    this.#clearDrawn(context);
    const { grid } = this.#source;
    const layout = this.#layout;
    if (!grid || !layout) return true;
    const isShown = this.#view.agent !== false;
    if (isShown) for (const agent of this.#agents) agent.locate(grid.cols);
    if (isShown && this.#lanes) this.#drawLanes(context, layout);
    else if (isShown) this.#drawAgent(context, grid, layout);
    const { preview, selected } = this.#view;
    if (preview) {
      drawPreview(context, preview, layout, this.#theme);
      for (const cell of preview.cells) this.#coverCell(cell, layout);
    }
    if (selected !== undefined && selected < grid.wall.length) {
      drawSelected(context, selected, layout, this.#theme);
      this.#coverCell(selected, layout);
    }
    if (this.#hover !== undefined && this.#hover < grid.wall.length) {
      drawHover(context, this.#hover, layout, this.#theme);
      this.#coverCell(this.#hover, layout);
    }
    return true;
  }

  #layOut(): void {
    const { grid } = this.#source;
    this.#layout = grid && layoutMaze(this.#place, grid, this.#view.rulers);
    this.#sprites = undefined;
    this.#isBare = this.#actorIsStale = true;
    this.#drawn.right = Number.POSITIVE_INFINITY;
    if (grid !== this.#grid) this.#takeGrid(grid);
  }

  /** Notices another maze. One of the same size, as it is drawn by hand, keeps the picture: only what differs is painted. */
  #followGrid(): void {
    const { grid } = this.#source;
    if (grid === this.#grid) return;
    const isSameSize = grid && this.#layout && grid.rows === this.#grid?.rows && grid.cols === this.#grid.cols;
    if (isSameSize) this.#takeGrid(grid);
    else this.#layOut();
  }

  #takeGrid(grid: MazeGrid | undefined): void {
    this.#grid = grid;
    this.#valueRange = undefined;
    this.#hover = undefined;
    this.#routeStep = -1;
    this.#arrowsOf = undefined;
    this.#boardIsStale = this.#actorIsStale = true;
    if (!grid) return;
    const count = grid.wall.length;
    if (this.#cells.wall.length !== count) {
      this.#cells = new BoardCells(count);
      this.#trailStamps = new Int32Array(count);
      this.#isBare = true;
    }
    this.#cells.setGrid(grid);
    this.#marks = new EpisodeMarks(grid, goalDistances(grid));
    this.#pathActions = pathActions(grid);
    this.#fillViewLayers();
  }

  /** Fills the layers that change with maze and view only. */
  #fillViewLayers(): void {
    const grid = this.#grid;
    if (!grid) return;
    const cells = this.#cells;
    const { difference, cycle, pathActions: showsPathActions, shortestPath } = this.#view;
    if (showsPathActions) cells.pathActions.set(this.#pathActions);
    else cells.pathActions.fill(0);
    markOutline(grid, cycle ?? [], cells.cycle);
    if (!shortestPath || shortestPath === "off") cells.route.fill(0);
    else if (shortestPath === "start") markRoute(grid, this.#pathActions, grid.start, cells.route);
    cells.difference.fill(DIFFERENCE.none);
    cells.differenceFirst.fill(-1);
    cells.differenceSecond.fill(-1);
    if (!difference || difference.categories.length !== cells.difference.length) return;
    for (let cell = 0; cell < cells.difference.length; cell++) {
      const category = difference.categories[cell] ?? DIFFERENCE.none;
      if (category === DIFFERENCE.none) continue;
      cells.difference[cell] = category;
      cells.differenceFirst[cell] = difference.first[cell] ?? -1;
      cells.differenceSecond[cell] = difference.second[cell] ?? -1;
    }
  }

  /** Fills the layers that change with the shown step. */
  #fillCells(grid: MazeGrid, step: number): void {
    this.#measureHeat();
    this.#fillHeat();
    this.#fillArrows(grid);
    this.#fillMarks(grid, step);
    if (this.#view.shortestPath === "shown" && this.#routeStep !== step) {
      this.#routeStep = step;
      markRoute(grid, this.#pathActions, this.#source.positionAt(step), this.#cells.route);
    }
  }

  #fillHeat(): void {
    const scale = this.#scale;
    this.#cells.heatIsValue = scale?.mode === "value";
    if (!scale) this.#cells.heat.fill(0);
    else if (scale.mode === "visits") this.#fillVisits();
    else this.#fillValues(scale);
  }

  #fillVisits(): void {
    const { visits } = this.#source;
    const { heat } = this.#cells;
    const levels = this.#visitLevels;
    for (let cell = 0; cell < heat.length; cell++) {
      const count = visits[cell] ?? 0;
      heat[cell] = count > 0 ? (levels[count] ?? RAMP_COLORS) : 0;
    }
  }

  #fillValues(scale: HeatScale): void {
    const values = this.#source.policyMap?.stateValues;
    const { heat, wall } = this.#cells;
    for (let cell = 0; cell < heat.length; cell++) {
      const value = values?.[cell] ?? Number.NaN;
      heat[cell] = wall[cell] || Number.isNaN(value) ? 0 : levelOf(heatAt(scale, value));
    }
  }

  #fillArrows(grid: MazeGrid): void {
    const { arrow } = this.#cells;
    const map = this.#view.arrows && !this.#view.difference ? this.#source.policyMap : undefined;
    if (!map) {
      arrow.fill(-1);
      this.#arrowsOf = undefined;
    } else if (map !== this.#arrowsOf) {
      arrow.set(map.bestActions);
      arrow[grid.start] = -1;
      arrow[grid.goal] = -1;
      this.#arrowsOf = map;
    }
  }

  #fillMarks(grid: MazeGrid, step: number): void {
    const { hidden, worse } = this.#cells;
    const { fog, worseSteps } = this.#view;
    const marks = this.#marks;
    const wantsMarks = fog === "unseen" || worseSteps;
    if (marks && wantsMarks) marks.follow(this.#source, this.#source.shownStep, this.#source.getSnapshot().episodeId);
    if (marks && worseSteps) {
      for (let cell = 0; cell < worse.length; cell++) worse[cell] = (marks.firstWorse[cell] ?? 0) <= step ? 1 : 0;
    } else {
      worse.fill(0);
    }
    if (marks && fog === "unseen") {
      for (let cell = 0; cell < hidden.length; cell++) hidden[cell] = (marks.firstSeen[cell] ?? 0) > step ? 1 : 0;
    } else if (fog === "window") {
      hidden.fill(1);
      const at = this.#source.positionAt(step);
      const row = Math.floor(at / grid.cols);
      const col = at % grid.cols;
      for (let r = Math.max(0, row - VIEW_REACH); r <= Math.min(grid.rows - 1, row + VIEW_REACH); r++) {
        const from = r * grid.cols;
        hidden.fill(0, from + Math.max(0, col - VIEW_REACH), from + Math.min(grid.cols, col + VIEW_REACH + 1));
      }
    } else {
      hidden.fill(0);
    }
  }

  #measureHeat(): void {
    const { policyMap, visits, grid } = this.#source;
    if (this.#view.heat === "off" || this.#view.difference || !grid) {
      this.#scale = undefined;
    } else if (this.#view.heat === "visits") {
      const scale = visitsScale(visits);
      if (this.#scale?.mode === "visits" && this.#scale.high === scale.high) return;
      this.#scale = scale;
      this.#visitLevels = new Int16Array(scale.high + 1);
      for (let count = 1; count <= scale.high; count++) this.#visitLevels[count] = levelOf(heatAt(scale, count));
    } else if (policyMap) {
      const low = Math.min(this.#valueRange?.low ?? policyMap.low, policyMap.low);
      const high = Math.max(this.#valueRange?.high ?? policyMap.high, policyMap.high);
      if (this.#scale?.mode === "value" && this.#valueRange?.low === low && this.#valueRange.high === high) return;
      this.#valueRange = { low, high };
      this.#scale = { mode: "value", low, high, log: false };
    } else {
      this.#scale = undefined;
    }
  }

  #drawAgent(context: Context2D, grid: MazeGrid, layout: MazeLayout): void {
    const agent = this.#agents[0];
    if (!agent) return;
    const theme = this.#theme;
    const { trail, arrows, fog, window } = this.#view;
    if (window || (fog && fog !== "off")) {
      drawWindow(context, agent, VIEW_REACH, layout, theme);
      this.#cover(
        agent.row - VIEW_REACH,
        agent.col - VIEW_REACH,
        agent.row + VIEW_REACH,
        agent.col + VIEW_REACH,
        0,
        layout,
      );
    }
    if (trail) {
      drawTrail(context, agent, layout, theme, theme.trail);
      this.#coverTrail(agent, 0, layout);
      const map = arrows && !this.#view.difference && agent.trailLength > 1 ? this.#source.policyMap : undefined;
      if (map) {
        const count = this.#collectTrailCells(agent, grid);
        drawTrailArrows(context, this.#trailCells, count, map.bestActions, layout, theme);
      }
    }
    const onGoal = Number.isInteger(agent.drawnStep) && this.#source.positionAt(agent.drawnStep) === grid.goal;
    this.#sprites ??= new AgentSprites(layout, theme);
    const x = layout.x + (agent.col + 0.5) * layout.cell;
    const y = layout.y + (agent.row + 0.5) * layout.cell;
    this.#sprites.drawAgent(context, x, y, onGoal);
    this.#cover(agent.row, agent.col, agent.row, agent.col, Math.max(0, agentReach(layout) - layout.cell / 2), layout);
  }

  #drawLanes(context: Context2D, layout: MazeLayout): void {
    const lanes = this.#lanes ?? [];
    const count = Math.min(MOST_LANES, lanes.length);
    // A lane that is alone on its board has no other to make way for.
    const shown = lanes.reduce((sum, lane) => sum + (lane.hidden ? 0 : 1), 0);
    const shiftOf = (lane: number) => (shown === 1 ? laneShift(0, 1) : laneShift(lane, count));
    const reach = laneRadius(layout) * 1.5 + 4 * layout.dpr;
    this.#sprites ??= new AgentSprites(layout, this.#theme);
    if (this.#view.trail) {
      // The first lane lies on top, as its agent does.
      for (let lane = count - 1; lane >= 0; lane--) {
        const agent = this.#agents[lane];
        if (!agent || lanes[lane]?.hidden) continue;
        const color = this.#theme.lanes[lane] ?? this.#theme.trail;
        drawTrail(context, agent, layout, this.#theme, color, shiftOf(lane));
        this.#coverTrail(agent, 0, layout);
      }
    }
    for (let lane = count - 1; lane >= 0; lane--) {
      const agent = this.#agents[lane];
      if (!agent || lanes[lane]?.hidden) continue;
      const shift = shiftOf(lane);
      // On whole pixels: the shift would put a sign at rest between them, and its number would be blurred.
      const x = Math.round(layout.x + (agent.col + shift.col) * layout.cell) + layout.cell / 2;
      const y = Math.round(layout.y + (agent.row + shift.row) * layout.cell) + layout.cell / 2;
      this.#sprites.drawLane(context, x, y, lane);
      this.#cover(agent.row, agent.col, agent.row, agent.col, reach, layout);
    }
  }

  /** Cells that the trail covers and that have an arrow: each once, without start, goal and hidden ones. */
  #collectTrailCells(agent: MovingAgent, grid: MazeGrid): number {
    const last = Math.floor(agent.drawnStep);
    this.#stamp += 1;
    let count = 0;
    for (let step = Math.max(0, last - TRAIL_STEPS); step <= last; step++) {
      const cell = agent.steps.positionAt(step);
      if (this.#trailStamps[cell] === this.#stamp || cell === grid.start || cell === grid.goal) continue;
      if (this.#cells.hidden[cell]) continue;
      this.#trailStamps[cell] = this.#stamp;
      this.#trailCells[count++] = cell;
    }
    return count;
  }

  #clearDrawn(context: Context2D): void {
    const { left, top, right, bottom } = this.#drawn;
    if (Number.isFinite(right)) context.clearRect(left, top, right - left, bottom - top);
    else context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    this.#drawn.left = this.#drawn.top = 0;
    this.#drawn.right = this.#drawn.bottom = 0;
  }

  #coverTrail(agent: MovingAgent, margin: number, layout: MazeLayout): void {
    for (let at = 0; at < agent.trailLength; at++) {
      const row = agent.trailRows[at] ?? 0;
      const col = agent.trailCols[at] ?? 0;
      this.#cover(row, col, row, col, margin, layout);
    }
  }

  #coverCell(cell: number, layout: MazeLayout): void {
    const row = Math.floor(cell / layout.cols);
    const col = cell % layout.cols;
    this.#cover(row, col, row, col, 0, layout);
  }

  /** Takes cells, with so many pixels around them, into the part that is drawn on. */
  #cover(top: number, left: number, bottom: number, right: number, margin: number, layout: MazeLayout): void {
    // Casings and brackets reach a little out of their cells.
    const air = margin + 6 * layout.dpr;
    const drawn = this.#drawn;
    const isFirst = drawn.right <= drawn.left;
    const x0 = Math.max(0, Math.floor(layout.x + left * layout.cell - air));
    const y0 = Math.max(0, Math.floor(layout.y + top * layout.cell - air));
    const x1 = Math.ceil(layout.x + (right + 1) * layout.cell + air);
    const y1 = Math.ceil(layout.y + (bottom + 1) * layout.cell + air);
    drawn.left = isFirst ? x0 : Math.min(drawn.left, x0);
    drawn.top = isFirst ? y0 : Math.min(drawn.top, y0);
    drawn.right = isFirst ? x1 : Math.max(drawn.right, x1);
    drawn.bottom = isFirst ? y1 : Math.max(drawn.bottom, y1);
  }
}

function rampsOf(theme: MazeTheme): Readonly<Record<"visits" | "value", HeatRamp>> {
  return { visits: heatRamp(theme.visits), value: heatRamp(theme.value) };
}

function agentsOf(
  source: BoardSource,
  lanes: readonly Lane[] | undefined,
  known?: ReadonlyMap<AgentSteps, MovingAgent>,
): readonly MovingAgent[] {
  const steps = lanes ? lanes.slice(0, MOST_LANES).map((lane) => lane.steps) : [source];
  return steps.map((of) => known?.get(of) ?? new MovingAgent(of));
}

/** Colour of the ramp from 1, where 0 is plain path. */
function levelOf(share: number): number {
  return 1 + Math.round(Math.min(1, Math.max(0, share)) * (RAMP_COLORS - 1));
}
