"use client";

import { type Decision, decide, decideAt } from "@rlmaze/episode-playback/decision";
import type { EpisodePlayback, PlaybackSnapshot } from "@rlmaze/episode-playback/episode-playback";
import { viewCells } from "@rlmaze/episode-playback/moves";
import { isObservationVersion, observe } from "@rlmaze/episode-playback/observation";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { EpisodeSession } from "./episode-session";
import type { Perception } from "./inspector";
import { type Flips, flipped, inputChoices, nextInput, noFlips, windowInputs, withFlips } from "./what-if";

/** Changes to the observation of one moment: of another one they would mean something else. */
interface Experiment {
  readonly moment: string;
  readonly flips: Flips;
  readonly selected: number | undefined;
}

const none: Experiment = { moment: "", flips: noFlips, selected: undefined };

/** While a person clicks through the choices of a cell, only the last one is asked for. */
const REST_MS = 60;

/** What the agent sees at the shown step, and the experiment that a person makes with it. */
export function usePerception(
  session: EpisodeSession,
  snapshot: PlaybackSnapshot,
  modelObservation: string,
  runnable: boolean,
) {
  const { playback } = session;
  const { shownStep } = snapshot;
  const named = snapshot.observation || modelObservation;
  const version = isObservationVersion(named) ? named : undefined;
  const moment = `${snapshot.mazeId} ${snapshot.episodeId} ${shownStep} ${version}`;
  const [kept, setKept] = useState<Experiment>(none);
  const experiment = kept.moment === moment ? kept : none;

  const observation = useMemo(() => {
    const { grid } = playback;
    if (grid === undefined || version === undefined || shownStep > playback.liveStep) return undefined;
    return {
      moment,
      values: observe(version, grid, playback, shownStep),
      cells: viewCells(grid, playback.positionAt(shownStep)),
    };
  }, [playback, version, shownStep, moment]);

  const inputs = useMemo(() => {
    const { grid } = playback;
    if (observation === undefined || grid === undefined) return [];
    return windowInputs(observation.values, experiment.flips, (at) => {
      const cell = observation.cells[at] ?? -1;
      return cell >= 0 && grid.wall[cell] === 0;
    });
  }, [playback, observation, experiment.flips]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the next step or the map brings the scores of this one.
  const known = useMemo(() => knownDecision(playback, shownStep), [playback, shownStep, snapshot.version]);
  // While it moves the answer is in the stream, one step later; at rest on the newest step the server is asked.
  const resting =
    snapshot.mode !== "replay" && (snapshot.liveStep > shownStep || snapshot.phase !== "running" || !session.isRunning);
  const { now, changed, problem } = useDecisions(
    session,
    observation,
    experiment.flips,
    runnable && (experiment.flips.size > 0 || (known === undefined && resting)),
  );

  const change = useCallback(
    (at: number, value: (input: { value: number; original: number }) => number) => {
      const original = observation?.values[at];
      if (original === undefined) return;
      // Whoever looks closer at a moment stays in it; the stream goes on.
      session.hold();
      setKept((before) => {
        const flips = before.moment === moment ? before.flips : noFlips;
        const next = value({ value: flips.get(at) ?? original, original });
        return { moment, selected: at, flips: flipped(flips, at, next, original) };
      });
    },
    [session, observation, moment],
  );

  const perception: Perception = {
    version,
    inputs,
    kind: known?.kind ?? now?.kind ?? snapshot.scoreKind,
    now: now ?? known,
    changed,
    flips: experiment.flips.size,
    selected: experiment.selected,
    problem,
  };
  return {
    perception,
    turn: useCallback(
      (at: number) =>
        change(at, ({ value, original }) => nextInput(inputChoices(version ?? "plain/1"), value, original)),
      [change, version],
    ),
    set: useCallback((at: number, value: number) => change(at, () => value), [change]),
    reset: useCallback(() => setKept(none), []),
  };
}

/**
 * The decision at a step as the stream brought it: the scores of the next step are those of this observation. On the newest step the policy
 * map knows it, for the map's observation of the agent's own cell is the real one.
 */
function knownDecision(playback: EpisodePlayback, step: number): Decision | undefined {
  if (step > playback.liveStep) return undefined;
  if (step < playback.liveStep) {
    const { scores } = playback.row(step + 1);
    return scores === undefined ? undefined : decide(scores);
  }
  const { policyMap } = playback;
  return policyMap?.atStep === step ? decideAt(policyMap, playback.positionAt(step)) : undefined;
}

type Answer = {
  readonly asked: unknown;
  readonly now?: Decision;
  readonly changed?: Decision;
  readonly problem?: string;
};

/** Asks the network about the real observation and, when there are changes, about the changed one, in one call. */
function useDecisions(
  session: EpisodeSession,
  observation: { readonly moment: string; readonly values: Float32Array } | undefined,
  flips: Flips,
  wanted: boolean,
): Omit<Answer, "asked"> {
  const [answer, setAnswer] = useState<Answer>({ asked: undefined });
  useEffect(() => {
    if (!wanted || observation === undefined) return;
    const stop = new AbortController();
    const questions = [
      Array.from(observation.values),
      ...(flips.size > 0 ? [withFlips(observation.values, flips)] : []),
    ];
    const timer = setTimeout(() => {
      session.score(questions, stop.signal).then(
        ([now, changed]) => setAnswer({ asked: observation, ...(now ? { now } : {}), ...(changed ? { changed } : {}) }),
        () => {
          if (!stop.signal.aborted) setAnswer({ asked: observation, problem: "The server gave no answer." });
        },
      );
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [session, observation, flips, wanted]);
  if (answer.asked !== observation) return {};
  return flips.size > 0 ? answer : { ...(answer.now ? { now: answer.now } : {}) };
}
