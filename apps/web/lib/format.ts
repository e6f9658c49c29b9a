import { Action, ScoreKind } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { Difficulty } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { Algorithm } from "@rlmaze/api/rlmaze/model/v1/model_pb";

const MINUS = "\u2212";
const DASH = "\u2013";

/** A fixed number of decimals with a true minus sign; a dash for what is not a number. */
export function decimal(value: number, digits: number): string {
  if (!Number.isFinite(value)) return DASH;
  const text = Math.abs(value).toFixed(digits);
  // Zero has no sign, also when it is what rounding left over.
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** As {@link decimal}, with a plus sign before what is above zero. */
export function signed(value: number, digits: number): string {
  const text = decimal(value, digits);
  return Number.isFinite(value) && value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** A share of 0–1 in per cent. */
export function percent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)}\u202f%` : DASH;
}

/** Milliseconds, with more decimals the smaller they are. */
export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  if (size === 0) return "0 ms";
  return `${decimal(value, size < 0.1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0)} ms`;
}

/** A count with thin spaces between the thousands. */
export function count(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A count for tight places: 1.2 M, 340 k. */
export function shortCount(value: number | bigint): string {
  const size = Number(value);
  if (size >= 1e6) return `${trim(size / 1e6)}\u202fM`;
  if (size >= 1e4) return `${Math.round(size / 1e3)}\u202fk`;
  return count(value);
}

function trim(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

/** Bytes in kB, MB or GB of 1,000. */
export function bytes(value: number | bigint): string {
  const size = Number(value);
  if (size >= 1e9) return `${trim(size / 1e9)} GB`;
  return size >= 1e6 ? `${trim(size / 1e6)} MB` : `${trim(size / 1e3)} kB`;
}

/** A span of time in its two largest units: 2 h 5 min. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A date and minute in UTC, the same on server and client. */
export function dateMinute(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

const actionNames: Record<Action, string> = {
  [Action.UNSPECIFIED]: DASH,
  [Action.UP]: "Up",
  [Action.DOWN]: "Down",
  [Action.LEFT]: "Left",
  [Action.RIGHT]: "Right",
};

const actionArrows: Record<Action, string> = {
  [Action.UNSPECIFIED]: DASH,
  [Action.UP]: "\u2191",
  [Action.DOWN]: "\u2193",
  [Action.LEFT]: "\u2190",
  [Action.RIGHT]: "\u2192",
};

export function actionName(action: Action): string {
  return actionNames[action];
}

export function actionArrow(action: Action): string {
  return actionArrows[action];
}

/** What `state_value` is called: a network of Q-values has a largest one, a policy network a value of the state. */
export function stateValueName(kind: ScoreKind): string {
  return kind === ScoreKind.Q_VALUE ? "Max Q" : "V(s)";
}

/** What one of the four scores is called. */
export function scoreName(kind: ScoreKind): string {
  return kind === ScoreKind.Q_VALUE ? "Q" : "Logit";
}

const difficultyNames: Record<Difficulty, string> = {
  [Difficulty.UNSPECIFIED]: "",
  [Difficulty.EASY]: "easy",
  [Difficulty.MEDIUM]: "medium",
  [Difficulty.HARD]: "hard",
};

export function difficultyName(difficulty: Difficulty): string {
  return difficultyNames[difficulty];
}

const algorithmNames: Record<Algorithm, string> = {
  [Algorithm.UNSPECIFIED]: DASH,
  [Algorithm.PPO]: "PPO",
  [Algorithm.DQN]: "DQN",
};

export function algorithmName(algorithm: Algorithm): string {
  return algorithmNames[algorithm];
}
