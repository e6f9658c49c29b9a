"use client";

import type { Maze } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import type { TrainingCheckpoint } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import { createEpisodePlayback, type EpisodePlayback } from "@rlmaze/episode-playback/episode-playback";
import { useEffect, useState } from "react";
import { probeMessages } from "./probe-steps";

/** A probe plays in about so many seconds, however many steps it has. */
const PLAY_S = 4;
const SLOWEST = 8;
const FASTEST = 60;

/** Plays the probe of a checkpoint in its maze; another checkpoint begins anew. `replay` begins the same one again. */
export function useProbe(maze: Maze | undefined, checkpoint: TrainingCheckpoint | undefined, reducedMotion: boolean) {
  const [playback] = useState<EpisodePlayback>(() => createEpisodePlayback());
  const [round, setRound] = useState(0);
  useEffect(() => () => playback.dispose(), [playback]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another round plays the same probe again.
  useEffect(() => {
    if (maze === undefined) return;
    const probe = checkpoint?.probe;
    if (checkpoint === undefined || probe === undefined) {
      playback.showMaze(maze);
      return;
    }
    const { started, steps, finished } = probeMessages(String(checkpoint.timesteps), maze, probe);
    playback.showMaze(maze);
    playback.onStarted(started);
    playback.onSteps(steps, Date.now());
    playback.onFinished(finished);
    if (reducedMotion) {
      // The whole way at once: trail and visits say where it went.
      playback.follow();
      return;
    }
    playback.show(0);
    playback.replay(Math.min(FASTEST, Math.max(SLOWEST, steps.length / PLAY_S)));
  }, [playback, maze, checkpoint, reducedMotion, round]);

  return { playback, replay: () => setRound((before) => before + 1) };
}
