import type { MazeGrid } from "@rlmaze/episode-playback/maze-grid";
import type { PlaybackPolicyMap } from "@rlmaze/episode-playback/policy-map";
import type { AgentSteps, BoardSource } from "./view";

/**
 * An episode looked at step by step for an animation, beside the playback, whose shown moment stays where it is. It knows no policy maps:
 * those of the steps before are not all kept.
 */
export class ReplayedEpisode implements BoardSource {
  readonly grid: MazeGrid | undefined;
  readonly visits: Uint32Array;
  readonly policyMap: PlaybackPolicyMap | undefined = undefined;
  shownStep = 0;
  readonly #steps: AgentSteps;

  /** Begins at the start. */
  constructor(steps: AgentSteps) {
    this.#steps = steps;
    this.grid = steps.grid;
    this.visits = new Uint32Array(steps.grid?.wall.length ?? 0);
    if (steps.grid) this.visits[steps.grid.start] = 1;
  }

  get liveStep(): number {
    return this.#steps.liveStep;
  }

  get moment(): number {
    return this.shownStep;
  }

  get revision(): number {
    return this.shownStep;
  }

  readonly getSnapshot = (): { readonly episodeId: string } => ({ episodeId: "replayed" });

  /** Goes on to a step that is not before the shown one; an episode that ended before stays at its last. */
  goTo(step: number): void {
    const last = Math.min(step, this.liveStep);
    while (this.shownStep < last) {
      this.shownStep += 1;
      const cell = this.positionAt(this.shownStep);
      this.visits[cell] = (this.visits[cell] ?? 0) + 1;
    }
  }

  positionAt(step: number): number {
    return this.#steps.positionAt(step);
  }

  row(step: number): ReturnType<AgentSteps["row"]> {
    return this.#steps.row(step);
  }
}
