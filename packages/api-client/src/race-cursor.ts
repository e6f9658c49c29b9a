import type { PolicyRef, Sampling } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";

/** One lane of a race, as far as the client has it. */
export interface RaceLaneCursor {
  readonly episodeId: string;
  /** Signed by the server; brought back unchanged. */
  readonly resumeToken: string;
  /** Policy as it was pinned by `started`. */
  readonly policy: PolicyRef | undefined;
  readonly sampling: Sampling | undefined;
  /** Last step of the lane: `afterStep` of the race, or less when its episode ended before. */
  readonly lastStep: number;
  /** FNV-1a over the actions of steps 1 to `lastStep`. */
  readonly actionsDigest: bigint;
  readonly ended: boolean;
}

/** All that is needed to go on with a race on any server instance. It is a value: keep it, and give it to `runRace` later. */
export interface RaceCursor {
  readonly seed: bigint;
  /** Last tick that the client has; 0 is the start. */
  readonly afterStep: number;
  readonly lanes: readonly RaceLaneCursor[];
}
