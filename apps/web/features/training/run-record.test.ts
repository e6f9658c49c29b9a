import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CurveKey, GetTrainingHistoryResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import {
  type TrainingEvent,
  TrainingEventSchema,
  TrainingPhase,
  TrainingSchema,
  TrainingState,
} from "@rlmaze/api/rlmaze/training/v1/training_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RunRecord } from "./run-record";
import { elapsedMs, learnedShare, learningLeftMs } from "./training-words";

const STARTED = 1_700_000_000_000;

function event(sequence: number, what: MessageInitShape<typeof TrainingEventSchema>["event"]): TrainingEvent {
  return create(TrainingEventSchema, {
    sequence: BigInt(sequence),
    happenedAt: timestampFromMs(STARTED + 1000 * sequence),
    ...(what === undefined ? {} : { event: what }),
  });
}

function episodes(sequence: number, first: number, count: number): TrainingEvent {
  const numbers = Array.from({ length: count }, (_, at) => first + at);
  return event(sequence, {
    case: "episodesEnded",
    value: {
      episodes: {
        firstEpisode: BigInt(first),
        timesteps: numbers.map((number) => BigInt(number * 10)),
        rewards: numbers.map((number) => number / 100),
        lengths: numbers.map(() => 10),
        reachedGoal: numbers.map((number) => number % 2 === 0),
      },
      progress: { timesteps: BigInt((first + count) * 10), episodes: BigInt(first + count - 1), stepsPerSecond: 5000 },
    },
  });
}

function history(more: MessageInitShape<typeof GetTrainingHistoryResponseSchema> = {}) {
  return create(GetTrainingHistoryResponseSchema, {
    training: create(TrainingSchema, {
      runId: "a-run",
      state: TrainingState.RUNNING,
      phase: TrainingPhase.LEARNING,
      totalTimesteps: 10_000n,
      startedAt: timestampFromMs(STARTED),
    }),
    ...more,
  });
}

describe("the record of a run", () => {
  test("holds each episode once, however the events are cut into messages and repeated", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 15 }),
        fc.nat(10),
        (batches, overlap) => {
          const record = new RunRecord(history());
          const all: TrainingEvent[] = [];
          let first = 1;
          batches.forEach((size, at) => {
            all.push(episodes(at + 1, first, size));
            first += size;
          });
          for (let at = 0; at < all.length; at++) record.onEvents(all.slice(Math.max(0, at - overlap), at + 1), 0);
          record.dispose();
          const fresh = new RunRecord(history());
          fresh.onEvents(all, 0);
          fresh.onTraining(fresh.getSnapshot().training, 0);
          expect(record.sequence).toBe(BigInt(batches.length));
          expect(fresh.sequence).toBe(record.sequence);
          fresh.dispose();
        },
      ),
    );
  });

  test("goes on where the history ends: points, checkpoints and lines", () => {
    const record = new RunRecord(
      history({
        lastSequence: 3n,
        curves: [
          { key: CurveKey.EPISODE_REWARD, timesteps: [10n, 20n], values: [0.1, 0.2], points: 2n, elapsedS: [1, 2] },
        ],
        checkpoints: [{ timesteps: 10n, validation: { rate: 0.5 } }],
      }),
    );
    record.onEvents(
      [
        episodes(3, 1, 5),
        episodes(4, 3, 2),
        event(5, { case: "checkpoint", value: { timesteps: 50n, validation: { rate: 0.9 } } }),
        event(6, { case: "stateChange", value: { state: TrainingState.COMPLETED } }),
      ],
      STARTED + 6000,
    );
    const { curves, checkpoints, training, lines, sequence } = record.getSnapshot();
    expect([...curves.reward.xs]).toEqual([10, 20, 30, 40]);
    expect(curves.reward.points).toBe(4);
    expect(checkpoints.map(({ timesteps }) => timesteps)).toEqual([10n, 50n]);
    expect(training).toMatchObject({ state: TrainingState.COMPLETED, bestCheckpoint: { timesteps: 50n } });
    expect(lines).toHaveLength(1);
    expect(sequence).toBe(6n);
    record.dispose();
  });

  test("does not go back in its state when events arrive that the run already knew", () => {
    const record = new RunRecord(history());
    const { training } = record.getSnapshot();
    record.onTraining({ ...training, state: TrainingState.STOPPED, lastSequence: 2n }, 0);
    record.onEvents(
      [
        event(1, { case: "stateChange", value: { state: TrainingState.QUEUED } }),
        event(2, { case: "stateChange", value: { state: TrainingState.STOPPED } }),
        event(3, { case: "facts", value: { modelId: "a-run-1", notices: ["MLflow is away."] } }),
      ],
      0,
    );
    record.onGap();
    const snapshot = new Promise((resolve) => record.subscribe(() => resolve(record.getSnapshot())));
    return snapshot.then((shown) => {
      expect(shown).toMatchObject({
        training: { state: TrainingState.STOPPED, modelId: "a-run-1", notices: ["MLflow is away."] },
        gaps: 1,
      });
      record.dispose();
    });
  });
});

describe("how far a run is", () => {
  test("is told by the trainer's clock, whatever this one says", () => {
    const record = new RunRecord(history());
    record.onEvents(
      [
        event(1, { case: "stateChange", value: { state: TrainingState.RUNNING, phase: TrainingPhase.LEARNING } }),
        episodes(5, 1, 499),
      ],
      42,
    );
    record.onEvents([event(6, { case: "stateChange", value: { state: TrainingState.STOPPING } })], 42);
    const snapshot = {
      ...record.getSnapshot(),
      training: { ...record.getSnapshot().training, state: TrainingState.RUNNING, phase: TrainingPhase.LEARNING },
    };
    expect(elapsedMs(snapshot, 42)).toBe(6000);
    expect(elapsedMs(snapshot, 1042)).toBe(7000);
    expect(learnedShare(snapshot.training)).toBe(0.5);
    // 5,000 steps in the five seconds from the first event to the sixth: as many again are left.
    expect(learningLeftMs(snapshot)).toBe(5000);
    record.dispose();
  });
});
