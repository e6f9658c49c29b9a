import { Outcome, type PolicyMap, ScoreKind, type Step } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import type { EpisodeFinished, EpisodeStarted } from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { entropy } from "./entropy";
import type { EpisodePlayback, EpisodeResult, PlaybackSnapshot, StepRow, StepScores } from "./episode-playback";
import { type EpisodeEvent, type EpisodeEventKind, EpisodeEvents } from "./events";
import { Exploration } from "./exploration";
import { type Loop, LoopLog } from "./loops";
import { cellIndex, type MazeGrid, mazeGrid } from "./maze-grid";
import { type PlaybackPolicyMap, PolicyMapHistory, spreadPolicyMap } from "./policy-map";
import { type Regret, regretAt, regretOfMove } from "./regret";
import { SnapshotFeed } from "./snapshot-feed";
import { StepColumns } from "./step-columns";
import { type StreamDelay, streamDelay } from "./stream-delay";
import { ViewerClock, type ViewerMode } from "./viewer-clock";
import { Visits, Walk } from "./walk";

type Facts = Pick<PlaybackSnapshot, "episodeId" | "modelId" | "seed" | "observation" | "scoreKind" | "maxSteps">;

const NO_EPISODE: Facts = {
  episodeId: "",
  modelId: "",
  seed: 0n,
  observation: "",
  scoreKind: ScoreKind.UNSPECIFIED,
  maxSteps: 0,
};
const NO_REGRET: Regret = { steps: Number.NaN, distance: Number.NaN, spl: Number.NaN };
const NO_DELAY: StreamDelay = { lastMs: Number.NaN, p50Ms: Number.NaN, p95Ms: Number.NaN };

/** An episode in columns. `led`: another one decides which moment is shown and when a snapshot is made. */
export class ColumnPlayback implements EpisodePlayback {
  grid: MazeGrid | undefined;
  revision = 0;
  readonly exploration = new Exploration();
  readonly events = new EpisodeEvents();

  readonly #led: boolean;
  readonly #feed: SnapshotFeed<PlaybackSnapshot>;
  readonly #clock = new ViewerClock();
  readonly #walk = new Walk();
  readonly #loops = new LoopLog(this.#walk);
  readonly #policyMaps = new PolicyMapHistory();
  #visits = new Visits(0);
  readonly #columns = new StepColumns();
  #facts: Facts = NO_EPISODE;
  #result: EpisodeResult | undefined;
  #offsetMs = 0;
  /** Delay of the steps up to `liveStep`: sorting hundreds of delays is most of what a snapshot costs. */
  #delay: StreamDelay = NO_DELAY;
  #delayIsStale = false;

  constructor(intervalMs: number, led: boolean) {
    this.#led = led;
    this.#feed = new SnapshotFeed(intervalMs, (version) => this.#makeSnapshot(version));
  }

  get liveStep(): number {
    return this.#columns.length;
  }

  get cumulativeRewards(): Float64Array {
    return this.#columns.cumulativeRewards.subarray(0, this.#columns.length);
  }

  get shownStep(): number {
    return Math.max(0, this.#visits.step);
  }

  get moment(): number {
    return this.#clock.moment;
  }

  get mode(): ViewerMode {
    return this.#clock.mode;
  }

  get following(): boolean {
    return this.#clock.mode === "live";
  }

  get replaySpeed(): number {
    return this.#clock.replaySpeed;
  }

  get visits(): Uint32Array {
    return this.#visits.counts;
  }

  get lastVisit(): Int32Array {
    return this.#visits.last;
  }

  get policyMap(): PlaybackPolicyMap | undefined {
    return this.#policyMaps.at(this.shownStep);
  }

  showMaze(maze: Pick<Maze, "mazeId" | "rows" | "shortestPath" | "maxSteps">): void {
    this.#setGrid(mazeGrid(maze));
    this.#forget({ ...NO_EPISODE, maxSteps: maze.maxSteps });
    this.flush();
  }

  reset(): void {
    this.#forget({ ...NO_EPISODE, maxSteps: this.#facts.maxSteps });
    this.flush();
  }

  onStarted(started: EpisodeStarted): void {
    const goesOn = started.episodeId === this.#facts.episodeId && started.firstStep === this.liveStep + 1;
    if (!goesOn) {
      if (started.firstStep !== 1) {
        throw new RangeError(`steps 1 to ${started.firstStep - 1} of ${started.episodeId} are not here`);
      }
      if (started.maze) {
        const grid = mazeGrid(started.maze);
        // The same maze keeps its arrays: whoever drew it need not draw it anew.
        if (!this.grid || !sameGrid(this.grid, grid)) this.#setGrid(grid);
      }
      if (!this.grid) throw new RangeError("started brought no maze");
      this.#forget(NO_EPISODE);
    }
    const { policy } = started.policy ?? {};
    this.#facts = {
      episodeId: started.episodeId,
      modelId: policy?.case === "modelId" ? policy.value : "",
      seed: started.seed,
      observation: started.observation,
      scoreKind: started.scoreKind,
      maxSteps: started.maxSteps,
    };
    if (started.policyMap) this.#keepPolicyMap(started.policyMap);
    this.#changed();
    this.flush();
  }

  onSteps(steps: readonly Step[], receivedAt: number): void {
    const { grid } = this;
    if (!grid) return;
    for (const step of steps) {
      if (step.index !== this.liveStep + 1) continue;
      this.#columns.append(step, receivedAt);
      this.#learn(grid, step, cellIndex(grid, step.position));
      if (step.policyMap) this.#keepPolicyMap(step.policyMap);
    }
    this.#delayIsStale = true;
    if (!this.#led && this.following && !this.#clock.isDriven) this.#settle();
    this.#changed();
  }

  onFinished(finished: EpisodeFinished): void {
    const { outcome, steps, bumps, totalReward, spl, logged } = finished;
    this.#result = { outcome, steps, bumps, totalReward, spl, logged };
    if (outcome === Outcome.STEP_LIMIT && !this.events.at(steps).includes("step_limit"))
      this.events.add("step_limit", steps);
    this.#changed();
    this.flush();
  }

  setPolicyMap(map: PolicyMap): void {
    this.#keepPolicyMap(map);
    this.#changed();
  }

  setClockOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    this.#delayIsStale = true;
    this.#changed();
  }

  advance(frameTime: number): void {
    const { shownStep, mode } = this;
    this.#clock.advance(frameTime, this.liveStep);
    this.#visits.moveTo(this.#clock.step, this.#walk);
    if (shownStep !== this.shownStep || mode !== this.mode) this.#changed();
  }

  setGlide(glideMs: number): void {
    this.#clock.glideMs = glideMs;
  }

  show(step: number): void {
    const target = Math.min(this.liveStep, Math.max(0, Math.round(step)));
    if (target === this.liveStep) this.#clock.follow(target);
    else this.#clock.stay(target);
    this.#arrive();
  }

  stepBy(steps: number): void {
    this.#clock.stepBy(steps, this.liveStep);
    this.#arrive();
  }

  showNext(kinds?: readonly EpisodeEventKind[]): EpisodeEvent | undefined {
    return this.#showEvent(this.events.next(this.shownStep, kinds));
  }

  showPrevious(kinds?: readonly EpisodeEventKind[]): EpisodeEvent | undefined {
    return this.#showEvent(this.events.previous(this.shownStep, kinds));
  }

  replay(stepsPerSecond: number): void {
    this.#clock.replay(stepsPerSecond, this.liveStep);
    this.#arrive();
  }

  hold(): void {
    this.#clock.stay(this.shownStep);
    this.#arrive();
  }

  follow(): void {
    this.#clock.follow(this.liveStep);
    this.#arrive();
  }

  showMoment(moment: number, mode: ViewerMode): void {
    const { shownStep } = this;
    const cut = Math.min(this.liveStep, moment);
    this.#clock.mode = mode;
    this.#clock.step = Math.floor(cut);
    this.#clock.glide = cut - this.#clock.step;
    this.#visits.moveTo(this.#clock.step, this.#walk);
    if (shownStep !== this.shownStep) this.revision += 1;
  }

  positionAt(step: number): number {
    return this.#walk.cells[step] ?? 0;
  }

  lastVisitAt(cell: number, step: number): number {
    // The shown step is asked for most, and a cell of a long loop has a long chain of visits.
    return step === this.#visits.step ? (this.#visits.last[cell] ?? -1) : this.#walk.lastVisitAt(cell, step);
  }

  regretAt(step: number): Regret {
    return this.grid ? regretAt(this.grid, step, this.positionAt(step)) : NO_REGRET;
  }

  loopAt(step: number): Loop | undefined {
    return this.#loops.at(step);
  }

  row(step: number): StepRow {
    if (!(step >= 1 && step <= this.liveStep)) throw new RangeError(`step ${step} is not within 1 to ${this.liveStep}`);
    const columns = this.#columns;
    const at = step - 1;
    const cols = this.grid?.cols ?? 1;
    const cell = this.positionAt(step);
    return {
      step,
      row: Math.floor(cell / cols),
      col: cell % cols,
      action: columns.action(at),
      hitWall: columns.hitWall(at),
      reachedGoal: columns.reachedGoal(at),
      reward: columns.rewards[at] ?? 0,
      cumulativeReward: columns.cumulativeRewards[at] ?? 0,
      scores: this.#scores(at),
      serverTime: columns.serverTimes[at] ?? Number.NaN,
      receivedAt: columns.receivedAt[at] ?? Number.NaN,
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#feed.subscribe(listener);

  readonly getSnapshot = (): PlaybackSnapshot => this.#feed.get();

  flush(): void {
    this.#feed.flush();
  }

  dispose(): void {
    this.#feed.dispose();
  }

  #changed(): void {
    this.revision += 1;
    if (!this.#led) this.#feed.changed();
  }

  #setGrid(grid: MazeGrid): void {
    this.grid = grid;
    this.#visits = new Visits(grid.wall.length);
  }

  #forget(facts: Facts): void {
    this.#facts = facts;
    this.#columns.clear();
    this.#delayIsStale = true;
    this.#policyMaps.clear();
    this.#loops.clear();
    this.events.clear();
    this.#result = undefined;
    this.#clock.reset();
    this.#visits.clear();
    if (this.grid) {
      this.#walk.begin(this.grid.start, this.grid.wall.length);
      this.exploration.begin(this.grid);
      this.#visits.moveTo(0, this.#walk);
      if (this.exploration.goalSeenAt === 0) this.events.add("goal_seen", 0);
    }
    this.revision += 1;
  }

  /** Takes note of where a step led. */
  #learn(grid: MazeGrid, step: Step, cell: number): void {
    const before = this.positionAt(step.index - 1);
    this.#walk.append(cell);
    this.exploration.look(cell, step.index);
    if (this.exploration.goalSeenAt === step.index) this.events.add("goal_seen", step.index);
    if (step.hitWall) this.events.add("bump", step.index);
    if (regretOfMove(grid, before, cell) > 0) this.events.add("worse", step.index);
    if (this.#loops.look()) this.events.add("loop", step.index);
    if (step.reachedGoal) this.events.add("reached_goal", step.index);
  }

  /** The clock was told where to go. */
  #arrive(): void {
    this.#visits.moveTo(this.#clock.step, this.#walk);
    this.#changed();
    this.flush();
  }

  #settle(): void {
    this.#clock.settle(this.liveStep);
    this.#visits.moveTo(this.#clock.step, this.#walk);
  }

  #showEvent(event: EpisodeEvent | undefined): EpisodeEvent | undefined {
    if (event) {
      this.#clock.stay(event.step);
      this.#arrive();
    }
    return event;
  }

  #keepPolicyMap(map: PolicyMap): void {
    if (this.grid) this.#policyMaps.keep(spreadPolicyMap(map, this.grid.wall.length, this.grid.goal));
  }

  #scores(at: number): StepScores | undefined {
    const columns = this.#columns;
    const kind: ScoreKind = columns.scoreKinds[at] ?? ScoreKind.UNSPECIFIED;
    if (kind === ScoreKind.UNSPECIFIED) return undefined;
    const four = (from: number): [number, number, number, number] => [
      columns.scores[from] ?? 0,
      columns.scores[from + 1] ?? 0,
      columns.scores[from + 2] ?? 0,
      columns.scores[from + 3] ?? 0,
    ];
    const probabilities = four(8 * at + 4);
    return {
      kind,
      values: four(8 * at),
      probabilities,
      stateValue: columns.stateValues[at] ?? 0,
      entropy: entropy(probabilities),
    };
  }

  #measureDelay(): StreamDelay {
    if (this.#delayIsStale) {
      const { receivedAt, serverTimes, length } = this.#columns;
      this.#delay = length > 0 ? streamDelay(receivedAt, serverTimes, length, this.#offsetMs) : NO_DELAY;
      this.#delayIsStale = false;
    }
    return this.#delay;
  }

  #makeSnapshot(version: number): PlaybackSnapshot {
    if (!this.#led && !this.#clock.isDriven) this.#settle();
    const { grid, shownStep, liveStep } = this;
    const columns = this.#columns;
    const cell = this.positionAt(shownStep);
    const cols = grid?.cols ?? 1;
    return {
      version,
      phase: this.#result ? "finished" : this.#facts.episodeId ? "running" : grid ? "ready" : "empty",
      ...this.#facts,
      mazeId: grid?.mazeId ?? "",
      liveStep,
      shownStep,
      following: this.following,
      mode: this.mode,
      shortestPath: grid?.shortestPath ?? 0,
      row: Math.floor(cell / cols),
      col: cell % cols,
      shown: shownStep > 0 ? this.row(shownStep) : undefined,
      bumps: shownStep > 0 ? (columns.bumps[shownStep - 1] ?? 0) : 0,
      visitedCells: this.#visits.cells,
      openCells: grid?.openCells ?? 0,
      regret: this.regretAt(shownStep),
      worseSteps: this.events.count("worse", shownStep),
      loop: this.loopAt(shownStep),
      delay: this.#measureDelay(),
      result: this.#result,
    };
  }
}

function sameGrid(one: MazeGrid, other: MazeGrid): boolean {
  return (
    one.mazeId === other.mazeId &&
    one.cols === other.cols &&
    one.start === other.start &&
    one.goal === other.goal &&
    one.wall.length === other.wall.length &&
    one.wall.every((wall, cell) => wall === other.wall[cell])
  );
}
