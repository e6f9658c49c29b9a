import type { Action } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** Digest of no action at all. */
export const EMPTY_ACTIONS_DIGEST = OFFSET_BASIS;

/**
 * Extends the 64-bit FNV-1a digest of a sequence of actions by one action. Each action is one byte, 0–3 in the order UP, DOWN, LEFT, RIGHT
 * (the enum's number less one), as `actions_digest` of RunEpisode wants it.
 */
export function extendActionsDigest(digest: bigint, action: Action): bigint {
  return ((digest ^ BigInt(action - 1)) * PRIME) & MASK;
}

/** Digest of a whole sequence. */
export function actionsDigest(actions: Iterable<Action>): bigint {
  let digest = EMPTY_ACTIONS_DIGEST;
  for (const action of actions) digest = extendActionsDigest(digest, action);
  return digest;
}
