import type { PolicyRef, Sampling } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";

/**
 * All that is needed to go on with an episode on any server instance: what `started` pinned, the last step the client has, and a digest of
 * the actions up to it. It is a value: keep it, and give it to `runEpisode` later.
 */
export interface EpisodeCursor {
  readonly episodeId: string;
  /** Signed by the server over episode, policy, maze, seed and sampling; brought back unchanged. */
  readonly resumeToken: string;
  /** Policy as it was pinned by `started`, so that a model switch in between changes nothing. */
  readonly policy: PolicyRef | undefined;
  readonly seed: bigint;
  readonly sampling: Sampling | undefined;
  /** Last step that the client has; 0 is the start. */
  readonly afterStep: number;
  /** FNV-1a over the actions of steps 1 to `afterStep`. */
  readonly actionsDigest: bigint;
}
