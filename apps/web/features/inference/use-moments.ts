"use client";

import { optimalActions } from "@rlmaze/episode-playback/distances";
import type { EpisodePlayback, PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import { EPISODE_EVENT_KINDS, type EpisodeEvent } from "@rlmaze/episode-playback/events";
import { staysForever } from "@rlmaze/episode-playback/loops";
import { isObservationVersion } from "@rlmaze/episode-playback/observation";
import { useMemo } from "react";

/** Events of the episode, and those around the shown step. */
export function useMoments(playback: EpisodePlayback, snapshot: PlaybackSnapshot) {
  const { shownStep, liveStep, episodeId, phase } = snapshot;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the lists grow in place with every step.
  return useMemo(() => {
    const { events, grid } = playback;
    const from = shownStep > 0 ? playback.positionAt(shownStep - 1) : undefined;
    const list: readonly EpisodeEvent[] = events.list(EPISODE_EVENT_KINDS);
    return {
      events: list,
      previousEvent: events.previous(shownStep),
      nextEvent: events.next(shownStep),
      worse: { previous: events.previous(shownStep, ["worse"])?.step, next: events.next(shownStep, ["worse"])?.step },
      optimal: grid === undefined || from === undefined ? undefined : optimalActions(grid, from),
    };
  }, [playback, shownStep, liveStep, episodeId, phase]);
}

/** Rounds that are longer are not compared: it would take longer than a frame. */
const LONGEST_COMPARED = 200;

/** Whether a greedy policy can never leave the cycle that it is in at the shown step, because it sees the same in every round. */
export function useForever(playback: EpisodePlayback, snapshot: PlaybackSnapshot, greedy: boolean): boolean {
  const { loop, observation, shownStep } = snapshot;
  return useMemo(() => {
    const { grid } = playback;
    if (!greedy || loop === undefined || grid === undefined || loop.period > LONGEST_COMPARED) return false;
    if (!isObservationVersion(observation) || shownStep > playback.liveStep) return false;
    return staysForever(observation, grid, playback, loop, shownStep);
  }, [playback, loop, observation, shownStep, greedy]);
}
