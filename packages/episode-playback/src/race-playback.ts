import { create } from "@bufbuild/protobuf";
import { type Baseline, Outcome } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  type EpisodeFinished,
  EpisodeStartedSchema,
  type RaceFinished,
  type RaceLaneSteps,
  type RaceStarted,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { createLedPlayback, type LedEpisodePlayback, type PlaybackSnapshot } from "./episode-playback";
import type { EpisodeEvent, EpisodeEventKind } from "./events";
import { SnapshotFeed } from "./snapshot-feed";
import { ViewerClock, type ViewerMode } from "./viewer-clock";

/** Most lanes of a race. */
export const MOST_LANES = 4;

/** What panels show of one lane. */
export interface RaceLaneSnapshot {
  /** Index of the lane, 0–3. */
  readonly lane: number;
  /** Baseline that acts; undefined for a model, which `playback.modelId` names. */
  readonly baseline: Baseline | undefined;
  /** The lane's own moment: the shown tick, or the lane's last step when it ended before. */
  readonly playback: PlaybackSnapshot;
  /** Whether the lane has ended by the shown tick. */
  readonly ended: boolean;
  /** Whether it stands on the goal at the shown tick. */
  readonly reachedGoal: boolean;
  /** Steps lost against the shortest path at the shown tick. */
  readonly gap: number;
  /** Place in the race at the shown tick, from 1; equals share one. */
  readonly place: number;
}

/** What panels show: an immutable value, replaced at most `snapshotHz` times a second. */
export interface RaceSnapshot {
  /** Grows with every snapshot. */
  readonly version: number;
  /** `empty`: nothing to show; `ready`: a maze without a race; `running`: steps may come; `finished`: all lanes have ended. */
  readonly phase: "empty" | "ready" | "running" | "finished";
  readonly mazeId: string;
  readonly seed: bigint;
  /** Last tick that arrived; 0 is the start. */
  readonly liveStep: number;
  readonly shownStep: number;
  readonly following: boolean;
  readonly mode: ViewerMode;
  readonly maxSteps: number;
  readonly shortestPath: number;
  readonly lanes: readonly RaceLaneSnapshot[];
}

/** An event of one lane. */
export interface RaceEvent extends EpisodeEvent {
  readonly lane: number;
}

/** Options of a race playback. */
export interface RacePlaybackOptions {
  /** Snapshots a second, at most. Default 8. */
  readonly snapshotHz?: number;
}

/**
 * The memory of a race: up to four episodes on one clock. It has the methods of a `RaceObserver`, so it can be given to `runRace` as one.
 * A lane shows the race's moment, or its own last step once it has ended, so lanes are always compared at the same tick.
 */
export interface RacePlayback {
  /** The lanes in the order of the request; each can be drawn and read as an `EpisodePlayback`. The same array until another race starts. */
  readonly lanes: readonly LedEpisodePlayback[];
  readonly liveStep: number;
  readonly shownStep: number;
  readonly following: boolean;
  readonly mode: ViewerMode;
  /** The shown tick plus how far the agents are on their way to the next one. */
  readonly moment: number;
  readonly replaySpeed: number;
  /** Grows with every change of any kind but that of `moment` within a step. */
  readonly revision: number;

  /** Shows a maze before any race runs in it, with so many lanes at its start. */
  showMaze(maze: Pick<Maze, "mazeId" | "rows" | "shortestPath" | "maxSteps">, lanes: number): void;
  /** Forgets the race and keeps the maze. */
  reset(): void;
  onStarted(started: RaceStarted): void;
  onSteps(lanes: readonly RaceLaneSteps[], receivedAt: number): void;
  onFinished(finished: RaceFinished): void;
  setClockOffset(offsetMs: number): void;

  /** A frame of the drawing loop; see `EpisodePlayback.advance`, and the same names there for what follows. */
  advance(frameTime: number): void;
  setGlide(glideMs: number): void;
  show(step: number): void;
  stepBy(steps: number): void;
  showNext(kinds?: readonly EpisodeEventKind[]): RaceEvent | undefined;
  showPrevious(kinds?: readonly EpisodeEventKind[]): RaceEvent | undefined;
  replay(stepsPerSecond: number): void;
  hold(): void;
  follow(): void;

  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => RaceSnapshot;
  flush(): void;
  dispose(): void;
}

/** Makes an empty race. */
export function createRacePlayback(options: RacePlaybackOptions = {}): RacePlayback {
  return new LanesPlayback(1000 / (options.snapshotHz ?? 8));
}

type Facts = Pick<RaceSnapshot, "mazeId" | "seed" | "maxSteps" | "shortestPath">;
type ShownMaze = Pick<Maze, "mazeId" | "rows" | "shortestPath" | "maxSteps">;

const NO_RACE: Facts = { mazeId: "", seed: 0n, maxSteps: 0, shortestPath: 0 };

class LanesPlayback implements RacePlayback {
  lanes: readonly LedEpisodePlayback[] = [];
  revision = 0;

  readonly #clock = new ViewerClock();
  readonly #feed: SnapshotFeed<RaceSnapshot>;
  #maze: ShownMaze | undefined;
  #facts: Facts = NO_RACE;
  /** Empty while no race has started. */
  #episodeIds: readonly string[] = [];
  #baselines: readonly (Baseline | undefined)[] = [];
  #results: (EpisodeFinished | undefined)[] = [];
  #offsetMs = 0;

  constructor(intervalMs: number) {
    this.#feed = new SnapshotFeed(intervalMs, (version) => this.#makeSnapshot(version));
  }

  get liveStep(): number {
    return this.lanes.reduce((most, lane) => Math.max(most, lane.liveStep), 0);
  }

  get shownStep(): number {
    return this.#clock.step;
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

  showMaze(maze: ShownMaze, lanes: number): void {
    this.#maze = maze;
    if (lanes !== this.lanes.length) this.#makeLanes(lanes);
    for (const lane of this.lanes) lane.showMaze(maze);
    this.#forget({ ...NO_RACE, mazeId: maze.mazeId, maxSteps: maze.maxSteps, shortestPath: maze.shortestPath });
    this.flush();
  }

  reset(): void {
    for (const lane of this.lanes) lane.reset();
    this.#forget(this.#facts);
    this.flush();
  }

  onStarted(started: RaceStarted): void {
    const ids = started.lanes.map((lane) => lane.episodeId);
    const goesOn =
      ids.length === this.#episodeIds.length &&
      ids.every((id, lane) => id === this.#episodeIds[lane]) &&
      started.firstStep === this.liveStep + 1;
    if (!goesOn) {
      if (started.firstStep !== 1) throw new RangeError(`ticks 1 to ${started.firstStep - 1} are not here`);
      if (ids.length !== this.lanes.length) this.#makeLanes(ids.length);
      this.#maze = started.maze ?? this.#maze;
      this.#forget(NO_RACE);
    }
    this.#episodeIds = ids;
    this.#baselines = started.lanes.map(({ policy }) =>
      policy?.policy.case === "baseline" ? policy.policy.value : undefined,
    );
    this.#facts = {
      mazeId: this.#maze?.mazeId ?? "",
      seed: started.seed,
      maxSteps: started.maxSteps,
      shortestPath: this.#maze?.shortestPath ?? 0,
    };
    this.lanes.forEach((lane, at) => {
      const facts = started.lanes[at];
      if (!facts || this.#results[at]) return;
      const { episodeId, policy, sampling, observation, scoreKind } = facts;
      lane.onStarted(
        create(EpisodeStartedSchema, {
          episodeId,
          observation,
          scoreKind,
          seed: started.seed,
          maxSteps: started.maxSteps,
          firstStep: started.firstStep,
          ...(started.maze ? { maze: started.maze } : {}),
          ...(policy ? { policy } : {}),
          ...(sampling ? { sampling } : {}),
        }),
      );
    });
    this.#spread();
    this.#changed();
    this.flush();
  }

  onSteps(lanes: readonly RaceLaneSteps[], receivedAt: number): void {
    for (const { lane, steps, finished } of lanes) {
      this.lanes[lane]?.onSteps(steps, receivedAt);
      if (finished) this.#finishLane(lane, finished);
    }
    if (this.following && !this.#clock.isDriven) this.#clock.settle(this.liveStep);
    this.#spread();
    this.#changed();
  }

  onFinished(finished: RaceFinished): void {
    for (const [lane, result] of finished.lanes.entries()) this.#finishLane(lane, result);
    this.#changed();
    this.flush();
  }

  setClockOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    for (const lane of this.lanes) lane.setClockOffset(offsetMs);
    this.#changed();
  }

  advance(frameTime: number): void {
    const { shownStep, mode } = this;
    this.#clock.advance(frameTime, this.liveStep);
    this.#spread();
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

  showNext(kinds?: readonly EpisodeEventKind[]): RaceEvent | undefined {
    return this.#showEvent((lane) => lane.events.next(this.shownStep, kinds), 1);
  }

  showPrevious(kinds?: readonly EpisodeEventKind[]): RaceEvent | undefined {
    return this.#showEvent((lane) => lane.events.previous(this.shownStep, kinds), -1);
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

  readonly subscribe = (listener: () => void): (() => void) => this.#feed.subscribe(listener);

  readonly getSnapshot = (): RaceSnapshot => this.#feed.get();

  flush(): void {
    this.#feed.flush();
  }

  dispose(): void {
    this.#feed.dispose();
    for (const lane of this.lanes) lane.dispose();
  }

  #makeLanes(count: number): void {
    for (const lane of this.lanes) lane.dispose();
    this.lanes = Array.from({ length: Math.min(MOST_LANES, count) }, () => {
      const lane = createLedPlayback();
      lane.setClockOffset(this.#offsetMs);
      return lane;
    });
  }

  #forget(facts: Facts): void {
    this.#facts = facts;
    this.#episodeIds = [];
    this.#baselines = [];
    this.#results = [];
    this.#clock.reset();
    this.#spread();
    this.revision += 1;
  }

  /** Takes the result of a lane: once, and again when the log was slower than the lane's last step. */
  #finishLane(lane: number, result: EpisodeFinished): void {
    const known = this.#results[lane];
    if (known && (known.logged || !result.logged)) return;
    this.#results[lane] = result;
    this.lanes[lane]?.onFinished(result);
  }

  /** Shows the race's moment in every lane. */
  #spread(): void {
    for (const lane of this.lanes) lane.showMoment(this.#clock.moment, this.#clock.mode);
  }

  #arrive(): void {
    this.#changed();
    this.flush();
  }

  #changed(): void {
    this.revision += 1;
    this.#feed.changed();
  }

  /** Goes to the nearest of the lanes' events. */
  #showEvent(find: (lane: LedEpisodePlayback) => EpisodeEvent | undefined, direction: 1 | -1): RaceEvent | undefined {
    let nearest: RaceEvent | undefined;
    this.lanes.forEach((playback, lane) => {
      const event = find(playback);
      if (event && (!nearest || direction * (event.step - nearest.step) < 0)) nearest = { ...event, lane };
    });
    if (!nearest) return undefined;
    this.#clock.stay(nearest.step);
    this.#arrive();
    return nearest;
  }

  #makeSnapshot(version: number): RaceSnapshot {
    if (!this.#clock.isDriven) this.#clock.settle(this.liveStep);
    this.#spread();
    for (const lane of this.lanes) lane.flush();
    const { shownStep } = this;
    const started = this.#episodeIds.length > 0;
    const allEnded = this.lanes.length > 0 && this.lanes.every((_, lane) => this.#results[lane]);
    const standings = this.lanes.map((playback, lane) => {
      const result = this.#results[lane];
      const ended = result !== undefined && result.steps <= shownStep;
      return {
        lane,
        baseline: this.#baselines[lane],
        playback: playback.getSnapshot(),
        ended,
        reachedGoal: ended && result.outcome === Outcome.REACHED_GOAL,
        gap: playback.regretAt(playback.shownStep).steps,
      };
    });
    return {
      version,
      phase: started ? (allEnded ? "finished" : "running") : this.#maze ? "ready" : "empty",
      ...this.#facts,
      liveStep: this.liveStep,
      shownStep,
      following: this.following,
      mode: this.mode,
      lanes: standings.map((lane) => ({
        ...lane,
        place: 1 + standings.filter((other) => leads(other, lane)).length,
      })),
    };
  }
}

type Standing = Omit<RaceLaneSnapshot, "place">;

/** Whether one lane stands better than another: at the goal before, or else nearer to it; a lane that was cut off stands behind all that go on. */
function leads(one: Standing, other: Standing): boolean {
  const rank = (lane: Standing): number => (lane.reachedGoal ? 0 : lane.ended ? 2 : 1);
  if (rank(one) !== rank(other)) return rank(one) < rank(other);
  return rank(one) === 0
    ? one.playback.shownStep < other.playback.shownStep
    : one.playback.regret.distance < other.playback.regret.distance;
}
