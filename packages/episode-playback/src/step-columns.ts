import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Action } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { type ActionScores, ScoreKind, type Step } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";

const HIT_WALL = 1;
const REACHED_GOAL = 2;

/**
 * The steps of an episode as append-only columns: 20,000 steps with scores are 2 MB and no garbage, where objects would be 10 MB. Step s
 * stands at index s − 1.
 */
export class StepColumns {
  length = 0;
  actions = new Uint8Array(0);
  rewards = new Float64Array(0);
  cumulativeRewards = new Float64Array(0);
  serverTimes = new Float64Array(0);
  receivedAt = new Float64Array(0);
  /** Bumps up to and with this step. */
  bumps = new Int32Array(0);
  scoreKinds = new Uint8Array(0);
  stateValues = new Float32Array(0);
  /** Four values, then four probabilities, a step. */
  scores = new Float32Array(0);
  #flags = new Uint8Array(0);

  clear(): void {
    this.length = 0;
  }

  append(step: Step, receivedAt: number): void {
    const at = this.length;
    if (at === this.actions.length) this.#grow(Math.max(256, 2 * at));
    this.actions[at] = step.action;
    this.rewards[at] = step.reward;
    this.cumulativeRewards[at] = step.cumulativeReward;
    this.serverTimes[at] = step.serverTs ? timestampMs(step.serverTs) : Number.NaN;
    this.receivedAt[at] = receivedAt;
    this.bumps[at] = (at > 0 ? (this.bumps[at - 1] ?? 0) : 0) + (step.hitWall ? 1 : 0);
    this.#flags[at] = (step.hitWall ? HIT_WALL : 0) | (step.reachedGoal ? REACHED_GOAL : 0);
    this.#setScores(at, step.scores);
    this.length = at + 1;
  }

  hitWall(at: number): boolean {
    return ((this.#flags[at] ?? 0) & HIT_WALL) !== 0;
  }

  reachedGoal(at: number): boolean {
    return ((this.#flags[at] ?? 0) & REACHED_GOAL) !== 0;
  }

  action(at: number): Action {
    return this.actions[at] ?? 0;
  }

  #setScores(at: number, scores: ActionScores | undefined): void {
    this.scoreKinds[at] = scores?.kind ?? ScoreKind.UNSPECIFIED;
    this.stateValues[at] = scores?.stateValue ?? Number.NaN;
    for (let action = 0; action < 4; action++) {
      this.scores[8 * at + action] = scores?.values[action] ?? Number.NaN;
      this.scores[8 * at + 4 + action] = scores?.probabilities[action] ?? Number.NaN;
    }
  }

  #grow(capacity: number): void {
    this.actions = grown(this.actions, new Uint8Array(capacity));
    this.rewards = grown(this.rewards, new Float64Array(capacity));
    this.cumulativeRewards = grown(this.cumulativeRewards, new Float64Array(capacity));
    this.serverTimes = grown(this.serverTimes, new Float64Array(capacity));
    this.receivedAt = grown(this.receivedAt, new Float64Array(capacity));
    this.bumps = grown(this.bumps, new Int32Array(capacity));
    this.scoreKinds = grown(this.scoreKinds, new Uint8Array(capacity));
    this.stateValues = grown(this.stateValues, new Float32Array(capacity));
    this.scores = grown(this.scores, new Float32Array(8 * capacity));
    this.#flags = grown(this.#flags, new Uint8Array(capacity));
  }
}

function grown<Column extends { set(from: Column): void }>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}
