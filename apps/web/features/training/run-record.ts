import { timestampMs } from "@bufbuild/protobuf/wkt";
import { CurveKey, type GetTrainingHistoryResponse } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import {
  type Training,
  type TrainingCheckpoint,
  type TrainingEvent,
  TrainingPhase,
  type TrainingProgress,
  TrainingState,
} from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { isFinalTraining, type TrainingObserver } from "@rlmaze/api-client/training-watch";
import { SnapshotFeed } from "@rlmaze/episode-playback/snapshot-feed";
import { BucketSeries, type SeriesColumns } from "./bucket-series";

/** The figures of a run that are drawn. */
export const figures = ["reward", "success", "length", "loss", "speed", "cpu", "memory"] as const;
export type Figure = (typeof figures)[number];

const figureOfKey: Partial<Record<CurveKey, Figure>> = {
  [CurveKey.EPISODE_REWARD]: "reward",
  [CurveKey.EPISODE_SUCCESS]: "success",
  [CurveKey.EPISODE_LENGTH]: "length",
  [CurveKey.LOSS]: "loss",
  [CurveKey.STEPS_PER_SECOND]: "speed",
  [CurveKey.CPU_PERCENT]: "cpu",
  [CurveKey.MEMORY_BYTES]: "memory",
};

/** What a page shows of a run: an immutable value, replaced at most ten times a second. */
export interface RunSnapshot {
  /** Grows with every snapshot. */
  readonly version: number;
  readonly training: Training;
  readonly curves: Readonly<Record<Figure, SeriesColumns>>;
  readonly checkpoints: readonly TrainingCheckpoint[];
  /** Changes of state and log lines, in order; the last thousand. */
  readonly lines: readonly TrainingEvent[];
  /** The last event that is in it. */
  readonly sequence: bigint;
  /** Time of the newest event by the trainer's clock, and when it arrived here; milliseconds since the epoch. */
  readonly happenedAt: number;
  readonly receivedAt: number;
  /** When learning began by the trainer's clock, and with how many steps; undefined before. */
  readonly learningSince: { readonly at: number; readonly timesteps: number } | undefined;
  /** Gaps that were fetched again. */
  readonly gaps: number;
}

/** Snapshots a second, at most. */
const SNAPSHOT_MS = 100;
/** As many lines as the history gives. */
const MOST_LINES = 1000;

/**
 * The memory of one run, outside of React: it begins with the run's history and takes the events that follow. A chart reads columns that are made once a
 * snapshot, whatever arrives in between.
 */
export class RunRecord implements TrainingObserver {
  readonly #feed: SnapshotFeed<RunSnapshot>;
  readonly #series: Record<Figure, BucketSeries>;
  readonly #changed = new Set<Figure>(figures);
  #columns: Readonly<Record<Figure, SeriesColumns>>;
  #training: Training;
  #checkpoints: readonly TrainingCheckpoint[];
  #lines: readonly TrainingEvent[];
  #sequence: bigint;
  /** Events up to here are already in the run's own fields. */
  #knownTo: bigint;
  #happenedAt: number;
  #receivedAt: number;
  #learningSince: RunSnapshot["learningSince"];
  #gaps = 0;

  constructor(history: GetTrainingHistoryResponse, receivedAt = Date.now()) {
    if (history.training === undefined) throw new TypeError("a history without its run");
    this.#training = history.training;
    this.#checkpoints = history.checkpoints;
    this.#lines = history.lines;
    this.#sequence = history.lastSequence;
    this.#knownTo = history.training.lastSequence;
    this.#receivedAt = receivedAt;
    this.#series = Object.fromEntries(figures.map((figure) => [figure, new BucketSeries()])) as Record<
      Figure,
      BucketSeries
    >;
    for (const { key, timesteps, values, lows, highs, points } of history.curves) {
      const figure = figureOfKey[key];
      if (figure === undefined) continue;
      this.#series[figure].begin({ xs: timesteps.map(Number), means: values, lows, highs, points: Number(points) });
    }
    this.#happenedAt = newestTime(history) ?? receivedAt;
    for (const line of history.lines) this.#noteLearning(line, 0);
    this.#columns = this.#makeColumns();
    this.#feed = new SnapshotFeed(SNAPSHOT_MS, (version) => this.#makeSnapshot(version));
  }

  get sequence(): bigint {
    return this.#sequence;
  }

  /** The run as it is now; a snapshot may be a tenth of a second behind. */
  get training(): Training {
    return this.#training;
  }

  /** Time of the newest event by the trainer's clock, milliseconds since the epoch. */
  get happenedAt(): number {
    return this.#happenedAt;
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#feed.subscribe(listener);

  readonly getSnapshot = (): RunSnapshot => this.#feed.get();

  onTraining(training: Training, receivedAt: number): void {
    this.#training = training;
    this.#receivedAt = receivedAt;
    if (training.lastSequence > this.#knownTo) this.#knownTo = training.lastSequence;
    this.#feed.changed();
  }

  onEvents(events: readonly TrainingEvent[], receivedAt: number): void {
    const { state } = this.#training;
    for (const event of events) this.#take(event);
    const last = events.at(-1);
    if (last?.happenedAt !== undefined) this.#happenedAt = timestampMs(last.happenedAt);
    this.#receivedAt = receivedAt;
    // A change of state is shown at once; figures wait for their turn.
    if (state !== this.#training.state) this.#feed.flush();
    else this.#feed.changed();
  }

  onGap(): void {
    this.#gaps += 1;
    this.#feed.changed();
  }

  dispose(): void {
    this.#feed.dispose();
  }

  #take(event: TrainingEvent): void {
    if (event.sequence <= this.#sequence) return;
    this.#sequence = event.sequence;
    const isNew = event.sequence > this.#knownTo;
    const { event: what } = event;
    switch (what.case) {
      case "episodesEnded":
        this.#takeEpisodes(what.value.episodes, what.value.progress);
        if (isNew && what.value.progress) this.#change({ latest: what.value.progress });
        break;
      case "checkpoint":
        this.#checkpoints = [...this.#checkpoints, what.value];
        if (isNew && isBetter(what.value, this.#training.bestCheckpoint)) this.#change({ bestCheckpoint: what.value });
        break;
      case "stateChange":
        this.#noteLearning(event, Number(this.#training.latest?.timesteps ?? 0n));
        this.#addLine(event);
        if (isNew) this.#takeState(event);
        break;
      case "logLine":
        this.#addLine(event);
        break;
      case "facts":
        if (isNew) {
          const { modelId, mlflowRunId, heldOut, notices } = what.value;
          this.#change({ modelId, mlflowRunId, notices, ...(heldOut === undefined ? {} : { heldOut }) });
        }
        break;
      default:
        // A newer trainer may tell what this page does not know.
        break;
    }
  }

  #takeState({ event, happenedAt }: TrainingEvent): void {
    if (event.case !== "stateChange") return;
    const { state, phase, reason } = event.value;
    const isFinal = isFinalTraining(state);
    this.#change({
      state,
      phase,
      failure: reason,
      ...(this.#training.startedAt === undefined && state !== TrainingState.QUEUED && happenedAt
        ? { startedAt: happenedAt }
        : {}),
      ...(isFinal && happenedAt ? { endedAt: happenedAt } : {}),
      // As the trainer decides it; the run itself says so with the next stream.
      resumable: isFinal && state !== TrainingState.COMPLETED && this.#canGoOn(),
    });
  }

  #canGoOn(): boolean {
    const { latest, totalTimesteps } = this.#training;
    return this.#checkpoints.length > 0 && (latest?.timesteps ?? 0n) < totalTimesteps;
  }

  #takeEpisodes(
    episodes: { timesteps: bigint[]; rewards: number[]; lengths: number[]; reachedGoal: boolean[] } | undefined,
    progress: TrainingProgress | undefined,
  ): void {
    const { reward, success, length, loss, speed, cpu, memory } = this.#series;
    if (episodes !== undefined && episodes.timesteps.length > 0) {
      episodes.timesteps.forEach((timesteps, at) => {
        const x = Number(timesteps);
        reward.append(x, episodes.rewards[at] ?? Number.NaN);
        length.append(x, episodes.lengths[at] ?? Number.NaN);
        success.append(x, episodes.reachedGoal[at] === true ? 1 : 0);
      });
      for (const figure of ["reward", "success", "length"] as const) this.#changed.add(figure);
    }
    if (progress === undefined) return;
    const x = Number(progress.timesteps);
    if (progress.loss !== undefined) loss.append(x, progress.loss);
    speed.append(x, progress.stepsPerSecond);
    cpu.append(x, progress.cpuPercent);
    memory.append(x, Number(progress.memoryBytes));
    for (const figure of ["loss", "speed", "cpu", "memory"] as const) this.#changed.add(figure);
  }

  #noteLearning({ event, happenedAt }: TrainingEvent, timesteps: number): void {
    if (this.#learningSince !== undefined || event.case !== "stateChange" || happenedAt === undefined) return;
    if (event.value.phase === TrainingPhase.LEARNING) this.#learningSince = { at: timestampMs(happenedAt), timesteps };
  }

  #addLine(event: TrainingEvent): void {
    this.#lines = [...this.#lines, event].slice(-MOST_LINES);
  }

  #change(fields: Partial<Training>): void {
    this.#training = { ...this.#training, ...fields };
  }

  #makeColumns(): Readonly<Record<Figure, SeriesColumns>> {
    const columns = { ...this.#columns } as Record<Figure, SeriesColumns>;
    for (const figure of this.#changed) columns[figure] = this.#series[figure].columns();
    this.#changed.clear();
    return columns;
  }

  #makeSnapshot(version: number): RunSnapshot {
    if (this.#changed.size > 0) this.#columns = this.#makeColumns();
    return {
      version,
      training: this.#training,
      curves: this.#columns,
      checkpoints: this.#checkpoints,
      lines: this.#lines,
      sequence: this.#sequence,
      happenedAt: this.#happenedAt,
      receivedAt: this.#receivedAt,
      learningSince: this.#learningSince,
      gaps: this.#gaps,
    };
  }
}

function newestTime({ lines, training, curves }: GetTrainingHistoryResponse): number | undefined {
  const startedAt = training?.startedAt;
  const elapsed = Math.max(0, ...curves.map(({ elapsedS }) => elapsedS.at(-1) ?? 0));
  const times = lines.flatMap(({ happenedAt }) => (happenedAt === undefined ? [] : [timestampMs(happenedAt)]));
  if (startedAt !== undefined) times.push(timestampMs(startedAt) + elapsed * 1000);
  return times.length > 0 ? Math.max(...times) : undefined;
}

function isBetter(checkpoint: TrainingCheckpoint, best: TrainingCheckpoint | undefined): boolean {
  const [rate, least] = [checkpoint.validation?.rate ?? 0, best?.validation?.rate ?? -1];
  return rate > least || (rate === least && (checkpoint.validation?.spl ?? 0) > (best?.validation?.spl ?? 0));
}
