import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { SuccessRate } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { type Training, TrainingPhase, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { isFinalTraining } from "@rlmaze/api-client/training-watch";
import { count, decimal, duration, percent, shortCount } from "@/lib/format";
import type { RunSnapshot } from "./run-record";

export type Tone = "plain" | "accent" | "ok" | "warn" | "danger";

/** One word for a state, and its colour. */
export interface StateWord {
  readonly word: string;
  readonly tone: Tone;
}

const stateWords: Readonly<Record<TrainingState, StateWord>> = {
  [TrainingState.UNSPECIFIED]: { word: "unknown", tone: "warn" },
  [TrainingState.QUEUED]: { word: "queued", tone: "plain" },
  [TrainingState.RUNNING]: { word: "running", tone: "accent" },
  [TrainingState.STOPPING]: { word: "stopping", tone: "warn" },
  [TrainingState.STOPPED]: { word: "stopped", tone: "plain" },
  [TrainingState.COMPLETED]: { word: "completed", tone: "ok" },
  [TrainingState.FAILED]: { word: "failed", tone: "danger" },
};

export function stateWord(state: TrainingState): StateWord {
  return stateWords[state];
}

const phaseWords: Readonly<Record<TrainingPhase, { readonly word: string; readonly line: string }>> = {
  [TrainingPhase.UNSPECIFIED]: { word: "Starting", line: "Its process starts" },
  [TrainingPhase.PREPARING]: { word: "Preparing", line: "Packages are loaded and mazes generated" },
  [TrainingPhase.LEARNING]: { word: "Learning", line: "The agent plays mazes and its policy is updated" },
  [TrainingPhase.EXPORTING]: {
    word: "Exporting",
    line: "The best checkpoint becomes a model file that is proven to say the same",
  },
  [TrainingPhase.EVALUATING]: {
    word: "Evaluating",
    line: "The model file plays held-out mazes that it has never seen",
  },
  [TrainingPhase.REGISTERING]: { word: "Registering", line: "The server takes the model in" },
};

/** The steps of a run, in order, for a row of them. */
export const phases = [
  TrainingPhase.PREPARING,
  TrainingPhase.LEARNING,
  TrainingPhase.EXPORTING,
  TrainingPhase.EVALUATING,
  TrainingPhase.REGISTERING,
] as const;

export function phaseWord(phase: TrainingPhase): string {
  return phaseWords[phase].word;
}

/** What a run does, in one plain sentence without a full stop. */
export function whatItDoes(training: Training): string {
  switch (training.state) {
    case TrainingState.QUEUED:
      return training.queuePosition === 0
        ? `Waits for ${deviceName(training.device)}; it is next`
        : `Waits for ${deviceName(training.device)}; ${count(training.queuePosition)} ${training.queuePosition === 1 ? "run is" : "runs are"} started before it`;
    case TrainingState.RUNNING:
      return phaseWords[training.phase].line;
    case TrainingState.STOPPING:
      return "A stop was asked for; its process ends";
    case TrainingState.STOPPED:
      return training.resumable ? "Stopped; its last checkpoint is kept and it can go on" : "Stopped";
    case TrainingState.COMPLETED:
      return training.modelId === ""
        ? "Learned all of its steps; its model is not registered yet"
        : `Learned all of its steps; ${training.modelId} can be used`;
    case TrainingState.FAILED:
      return training.failure === "" ? "Failed" : withoutStop(training.failure);
    default:
      return "The trainer did not say how it is";
  }
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, "");
}

export function deviceName(device: string): string {
  if (device === "" || device === "auto") return "a device";
  return device === "cpu" ? "the CPU" : device.replace(/^cuda:?(\d*)$/, (_, index: string) => `GPU ${index || "0"}`);
}

/** Share of its steps that a run has learned, 0–1. */
export function learnedShare(training: Training): number {
  const total = Number(training.totalTimesteps);
  if (training.state === TrainingState.COMPLETED) return 1;
  return total > 0 ? Math.min(1, Number(training.latest?.timesteps ?? 0n) / total) : 0;
}

/** How long a run has taken or took, in milliseconds; undefined before it began. `nowMs` is this client's clock. */
export function elapsedMs(
  { training, happenedAt, receivedAt }: Pick<RunSnapshot, "training" | "happenedAt" | "receivedAt">,
  nowMs: number,
): number | undefined {
  const from = milliseconds(training.startedAt);
  if (from === undefined) return undefined;
  const end = milliseconds(training.endedAt);
  if (end !== undefined) return Math.max(0, end - from);
  // By the trainer's clock up to its newest event, by this one from there on: clocks that differ do no harm.
  return Math.max(0, happenedAt - from + Math.max(0, nowMs - receivedAt));
}

/** How long learning still takes at its mean pace so far, in milliseconds; undefined where there is nothing to tell it from. */
export function learningLeftMs({ training, happenedAt, learningSince }: RunSnapshot): number | undefined {
  const learned = Number(training.latest?.timesteps ?? 0n);
  if (training.state !== TrainingState.RUNNING || training.phase !== TrainingPhase.LEARNING) return undefined;
  if (learningSince === undefined) return undefined;
  const [steps, took] = [learned - learningSince.timesteps, happenedAt - learningSince.at];
  if (steps <= 0 || took < 1000) return undefined;
  return ((Number(training.totalTimesteps) - learned) * took) / steps;
}

/** A span that is only known roughly: "about 20 s". */
export function about(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 5) return "a few seconds";
  if (seconds < 60) return `about ${Math.ceil(seconds / 5) * 5} s`;
  return seconds < 3600
    ? `about ${Math.round(seconds / 60)} min`
    : `about ${duration(Math.round(seconds / 300) * 300_000)}`;
}

/** A measured success with its interval: "99.4 % (98.7–99.7)". */
export function successWords(rate: SuccessRate): string {
  return `${percent(rate.rate)} (${decimal(rate.intervalLow * 100, 1)}–${decimal(rate.intervalHigh * 100, 1)})`;
}

/** How far a run is, for one line of a list. */
export function progressWords(training: Training): string {
  if (training.state === TrainingState.QUEUED) return `waits, ${count(training.queuePosition)} before it`;
  if (training.state === TrainingState.COMPLETED) return shortCount(training.totalTimesteps);
  const learned = training.latest?.timesteps ?? 0n;
  return `${shortCount(learned)} of ${shortCount(training.totalTimesteps)}`;
}

/** How long a run took, or takes so far, for a list. */
export function tookMs(training: Training, nowMs: number): number | undefined {
  const from = milliseconds(training.startedAt);
  if (from === undefined) return undefined;
  return Math.max(0, (milliseconds(training.endedAt) ?? nowMs) - from);
}

export function milliseconds(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : timestampMs(time);
}

/** Whether a run goes on, or will. */
export function isOpen(training: Training): boolean {
  return !isFinalTraining(training.state);
}
