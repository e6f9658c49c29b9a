import { StepIndex } from "./step-index";

/**
 * What a viewer jumps to. `bump`: ran into a wall; `worse`: the step was not on a shortest path (every bump is one too); `goal_seen`: the goal
 * came into view for the first time; `loop`: a cycle was completed for the second time; `reached_goal`: the episode succeeded;
 * `step_limit`: it was cut off.
 */
export type EpisodeEventKind = "bump" | "worse" | "goal_seen" | "loop" | "reached_goal" | "step_limit";

/** All kinds, in the order in which events of the same step are listed. */
export const EPISODE_EVENT_KINDS: readonly EpisodeEventKind[] = [
  "goal_seen",
  "bump",
  "worse",
  "loop",
  "reached_goal",
  "step_limit",
];

/** One event. */
export interface EpisodeEvent {
  readonly kind: EpisodeEventKind;
  /** Step after which it is so; 0 when it was so at the start (a goal in view). */
  readonly step: number;
}

/** What a viewer jumps to when no kinds are named: bad choices on a long way would drown the rest. */
export const JUMP_KINDS: readonly EpisodeEventKind[] = ["bump", "loop", "goal_seen", "reached_goal", "step_limit"];

/** The events of an episode, indexed: adding is O(1), jumps and counts are O(log events). */
export class EpisodeEvents {
  readonly #steps: Readonly<Record<EpisodeEventKind, StepIndex>> = {
    bump: new StepIndex(),
    worse: new StepIndex(),
    goal_seen: new StepIndex(),
    loop: new StepIndex(),
    reached_goal: new StepIndex(),
    step_limit: new StepIndex(),
  };

  clear(): void {
    for (const kind of EPISODE_EVENT_KINDS) this.#steps[kind].clear();
  }

  add(kind: EpisodeEventKind, step: number): void {
    this.#steps[kind].append(step);
  }

  /** Steps of one kind, ascending; a view, valid until the next event. */
  steps(kind: EpisodeEventKind): Int32Array {
    return this.#steps[kind].values();
  }

  /** Events of a kind up to and with a step. */
  count(kind: EpisodeEventKind, untilStep: number = Number.MAX_SAFE_INTEGER): number {
    return this.#steps[kind].countUntil(untilStep);
  }

  /** First event later than a step. */
  next(step: number, kinds: readonly EpisodeEventKind[] = JUMP_KINDS): EpisodeEvent | undefined {
    let found: EpisodeEvent | undefined;
    for (const kind of inOrder(kinds)) {
      const at = this.#steps[kind].next(step);
      if (at !== undefined && (!found || at < found.step)) found = { kind, step: at };
    }
    return found;
  }

  /** Last event before a step. */
  previous(step: number, kinds: readonly EpisodeEventKind[] = JUMP_KINDS): EpisodeEvent | undefined {
    let found: EpisodeEvent | undefined;
    for (const kind of inOrder(kinds)) {
      const at = this.#steps[kind].previous(step);
      if (at !== undefined && (!found || at > found.step)) found = { kind, step: at };
    }
    return found;
  }

  /** What happened at one step. */
  at(step: number): EpisodeEventKind[] {
    return EPISODE_EVENT_KINDS.filter((kind) => this.#steps[kind].has(step));
  }

  /** All events of some kinds, ascending by step. */
  list(kinds: readonly EpisodeEventKind[] = JUMP_KINDS): EpisodeEvent[] {
    return inOrder(kinds)
      .flatMap((kind) => Array.from(this.#steps[kind].values(), (step) => ({ kind, step })))
      .sort((one, other) => one.step - other.step);
  }
}

function inOrder(kinds: readonly EpisodeEventKind[]): EpisodeEventKind[] {
  return EPISODE_EVENT_KINDS.filter((kind) => kinds.includes(kind));
}
