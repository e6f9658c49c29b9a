import type { ObservationVersion } from "@rlmaze/episode-playback/observation";
import { trailAge } from "@rlmaze/episode-playback/observation";

/** What one of the 25 inputs says to the network. */
export type InputKind = "wall" | "dead-end" | "goal" | "path" | "visited";

/** One of the 25 inputs as it is shown: what the maze has there, and the number that the network gets. */
export interface WindowInput {
  /** Place in the observation, row by row; the agent is 12. */
  readonly at: number;
  /** What the network reads. A dead end that it knows looks like a wall to it; the maze knows the difference. */
  readonly kind: InputKind;
  readonly value: number;
  /** Number of the real observation; equal to `value` until it is changed. */
  readonly original: number;
}

/** A number that an input can be set to. */
export interface InputChoice {
  readonly name: string;
  /** What the name is short for. */
  readonly does?: string;
  readonly value: number;
}

/** Place of the agent in the observation. */
export const AGENT_INPUT = 12;

const wall: InputChoice = { name: "Wall", value: -1 };
const open: InputChoice = { name: "Open", value: 0 };
const goal: InputChoice = { name: "Goal", value: 1 };

/** What an input can be set to, in the order in which a click goes through them. A model on the bare view knows no visits. */
export function inputChoices(version: ObservationVersion): readonly InputChoice[] {
  if (version === "plain/1") return [wall, open, goal];
  return [
    wall,
    open,
    { name: "Fresh", does: "just visited", value: trailAge(1) },
    { name: "Old", does: "visited long ago", value: trailAge(10_000) },
    goal,
  ];
}

/** The choice that a click leads to from a number: of those after the nearest one the first that is another number than the real one. */
export function nextInput(choices: readonly InputChoice[], value: number, original: number): number {
  let nearest = 0;
  choices.forEach((choice, at) => {
    if (Math.abs(choice.value - value) < Math.abs((choices[nearest]?.value ?? 0) - value)) nearest = at;
  });
  for (let step = 1; step <= choices.length; step++) {
    const candidate = choices[(nearest + step) % choices.length]?.value ?? original;
    if (Math.abs(candidate - original) > 0.02) return candidate;
  }
  return original;
}

/** The inputs that were changed, by place. */
export type Flips = ReadonlyMap<number, number>;

export const noFlips: Flips = new Map();

/** Changes one input; the real number takes the change back. */
export function flipped(flips: Flips, at: number, value: number, original: number): Flips {
  const next = new Map(flips);
  if (value === original) next.delete(at);
  else next.set(at, value);
  return next;
}

/** The observation with the changes in it, as the network is asked. */
export function withFlips(observation: Float32Array, flips: Flips): number[] {
  return Array.from(observation, (value, at) => flips.get(at) ?? value);
}

/** The 25 inputs for showing. `deadEnds` says which places are open in the maze and yet known to lead nowhere. */
export function windowInputs(
  observation: Float32Array,
  flips: Flips,
  deadEnds: (at: number) => boolean,
): readonly WindowInput[] {
  return Array.from(observation, (original, at) => {
    const value = flips.get(at) ?? original;
    return { at, value, original, kind: kindOf(value, value === original && deadEnds(at)) };
  });
}

function kindOf(value: number, isDeadEnd: boolean): InputKind {
  if (value <= -1) return isDeadEnd ? "dead-end" : "wall";
  if (value >= 1) return "goal";
  return value === 0 ? "path" : "visited";
}

/** How fresh a visit looks, 0–1, from its number: −0.8 is now, −0.2 long ago. */
export function freshnessOf(value: number): number {
  return Math.min(1, Math.max(0, (-value - 0.2) / 0.6));
}
