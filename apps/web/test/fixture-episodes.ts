import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { EpisodeLogService } from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { Action, Baseline, Outcome, type PolicyRef } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { type LoggedEpisode, LoggedEpisodeSchema } from "@rlmaze/api/rlmaze/inference/v1/logged_episode_pb";

const NEWEST = Date.UTC(2026, 10, 23, 12);
const EPISODES = 70;

/** Id of an episode by its place in the log, the newest being 0. */
export function fixtureEpisodeId(number: number): string {
  return `0193aaaa-0000-7000-8000-${String(number).padStart(12, "0")}`;
}

/** Numbers of the episodes that someone changed, and of the one whose model is gone. */
export const TAMPERED = 1;
export const CHANGED_RESULT = 2;
export const ORPHANED = 3;

function episode(number: number): LoggedEpisode {
  const reached = number % 5 !== 4;
  const steps = 30 + number;
  return create(LoggedEpisodeSchema, {
    episodeId: fixtureEpisodeId(number),
    finishedAt: timestampFromMs(NEWEST - number * 3_600_000),
    policy:
      number % 7 === 6
        ? { policy: { case: "baseline", value: Baseline.WALL_FOLLOWER } }
        : { policy: { case: "modelId", value: number === ORPHANED ? "ppo-gone-1" : "ppo-memory-1" } },
    ...(number % 11 === 10
      ? { drawnRows: ["S....", "####.", "G....", "####.", "....."] }
      : { mazeId: `heldout-${String((number % 3) + 1).padStart(4, "0")}` }),
    seed: BigInt(number),
    sampling:
      number % 2 === 0
        ? { sampling: { case: "greedy", value: {} } }
        : { sampling: { case: "softmax", value: { temperature: 0.5 } } },
    steps,
    outcome: reached ? Outcome.REACHED_GOAL : Outcome.STEP_LIMIT,
    totalReward: ((reached ? 100 : 0) - steps) / 100,
    spl: reached ? 20 / steps : 0,
    durationMs: 1000,
  });
}

/** The calls about logged episodes. */
export function fixtureEpisodes(isEmpty: boolean): Partial<ServiceImpl<typeof EpisodeLogService>> {
  const log = isEmpty ? [] : Array.from({ length: EPISODES }, (_, number) => episode(number));
  return {
    listEpisodes: (request) => {
      const fitting = log.filter(
        ({ policy, mazeId, outcome }) =>
          (request.modelId === "" || policy?.policy.value === request.modelId) &&
          (request.baseline === Baseline.UNSPECIFIED || policy?.policy.value === request.baseline) &&
          (request.mazeId === "" || mazeId === request.mazeId) &&
          (request.outcome === Outcome.UNSPECIFIED || outcome === request.outcome),
      );
      const from = Number(request.pageToken || 0);
      const size = request.pageSize || 50;
      return {
        episodes: fitting.slice(from, from + size),
        nextPageToken: from + size < fitting.length ? String(from + size) : "",
        searchedBackTo: "2026-11-21",
      };
    },
    listFailures: (request) => {
      const counts = new Map<string, { policy: PolicyRef; mazeId: string; episodes: bigint; failedEpisodes: bigint }>();
      const counted = log.filter(
        ({ policy, mazeId }) =>
          policy !== undefined &&
          (request.modelId === "" || policy.policy.value === request.modelId) &&
          (request.baseline === Baseline.UNSPECIFIED || policy.policy.value === request.baseline) &&
          (request.mazeId === "" || mazeId === request.mazeId),
      );
      for (const { policy, mazeId, outcome } of counted) {
        if (policy === undefined) continue;
        const key = `${policy.policy.value} ${mazeId}`;
        const known = counts.get(key) ?? { policy, mazeId, episodes: 0n, failedEpisodes: 0n };
        known.episodes += 1n;
        if (outcome !== Outcome.REACHED_GOAL) known.failedEpisodes += 1n;
        counts.set(key, known);
      }
      const failures = [...counts.values()]
        .filter(({ failedEpisodes }) => failedEpisodes > 0n)
        .sort((a, b) => Number(b.failedEpisodes - a.failedEpisodes));
      return {
        failures,
        episodes: BigInt(counted.length),
        failedEpisodes: failures.reduce((sum, { failedEpisodes }) => sum + failedEpisodes, 0n),
        countedBackTo: request.days === 31 ? "2026-10-24" : "2026-11-17",
      };
    },
    verifyEpisode: (request) => {
      const number = log.findIndex(({ episodeId }) => episodeId === request.episodeId);
      if (number < 0) throw new ConnectError("no such episode in the log; only finished ones are kept", Code.NotFound);
      if (number === ORPHANED) {
        throw new ConnectError("model ppo-gone-1, which acted in this episode, is gone", Code.FailedPrecondition);
      }
      if (number === TAMPERED) {
        return { firstDifferentStep: 6, loggedAction: Action.UP, recomputedAction: Action.RIGHT };
      }
      if (number === CHANGED_RESULT) return { differentFields: ["total_reward"] };
      return { identical: true };
    },
  };
}
