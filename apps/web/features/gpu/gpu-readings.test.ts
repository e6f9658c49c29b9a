import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { GpuSampleSchema, GpuState } from "@rlmaze/api/rlmaze/training/v1/gpu_pb";
import { CurveKey, GetTrainingHistoryResponseSchema } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { TrainingSchema, TrainingState } from "@rlmaze/api/rlmaze/training/v1/training_pb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { courseOf, type GpuReading, KEPT_MS, lastGood, readingOf, withReading } from "./gpu-readings";
import { gigabytes, gpuFigures, minutesAgo } from "./gpu-words";
import { trainingCourse, trainingOn } from "./training-courses";

const sample = (takenAt: number, utilisation?: number, state = GpuState.OK) =>
  create(GpuSampleSchema, {
    takenAt: timestampFromMs(takenAt),
    state,
    message: state === GpuState.OK ? "" : "no",
    gpus: state === GpuState.OK ? [{ index: 0, name: "A", ...(utilisation === undefined ? {} : { utilisation }) }] : [],
  });
const reading = (takenAt: number, utilisation?: number, state?: GpuState) =>
  readingOf(sample(takenAt, utilisation, state), 0);
const all = (readings: readonly GpuReading[]) =>
  readings.reduce<readonly GpuReading[]>((kept, next) => withReading(kept, next), []);

describe("the readings that are kept", () => {
  test("ascend, reach back a quarter of an hour and end with the newest", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4_000_000 }), { minLength: 1, maxLength: 60 }), (times) => {
        const kept = all(times.map((takenAt) => reading(takenAt, 0.5)));
        const last = times.at(-1) as number;
        expect(kept.at(-1)?.takenAt).toBe(last);
        kept.forEach(({ takenAt }, at) => {
          expect(takenAt).toBeGreaterThanOrEqual(last - KEPT_MS);
          if (at > 0) expect(takenAt).toBeGreaterThan(kept[at - 1]?.takenAt as number);
        });
      }),
    );
  });

  test("begin anew when the trainer's clock was set back, and take the later one of two of one moment", () => {
    expect(all([reading(5000), reading(6000), reading(1000)])).toHaveLength(1);
    expect(all([reading(5000, 0.1), reading(5000, 0.9)])[0]?.gpus[0]?.utilisation).toBe(0.9);
  });

  test("remember the newest with a GPU in it", () => {
    const kept = all([reading(1000, 0.3), reading(2000, undefined, GpuState.TIMED_OUT)]);
    expect(lastGood(kept)?.takenAt).toBe(1000);
    expect(lastGood([])).toBeUndefined();
  });

  test("have this client's time where the trainer tells none", () => {
    expect(readingOf(create(GpuSampleSchema, { state: GpuState.NO_GPU }), 77).takenAt).toBe(77);
  });
});

describe("the course of a figure", () => {
  const utilisation = gpuFigures[0]?.pick as (typeof gpuFigures)[number]["pick"];

  test("stands in minutes before now, and breaks where the driver said nothing", () => {
    const kept = [reading(0, 0.2), reading(1000), reading(2000, 0.4)];
    expect(courseOf(kept, 0, 60_000, utilisation)).toEqual({
      xs: [-1, expect.closeTo(-59 / 60), expect.closeTo(-58 / 60)],
      ys: [0.2, null, 0.4],
    });
  });

  test("breaks over a hole, where nobody looked", () => {
    const { xs, ys } = courseOf([reading(0, 0.2), reading(20_000, 0.4)], 0, 20_000, utilisation);
    expect(ys).toEqual([0.2, null, 0.4]);
    expect([...xs].sort((left, right) => left - right)).toEqual(xs);
  });

  test("is empty of values for a device that is not there, and through a time-out", () => {
    expect(courseOf([reading(0, 0.2)], 3, 0, utilisation).ys).toEqual([null]);
    expect(courseOf([reading(0, 0.2, GpuState.TIMED_OUT)], 0, 0, utilisation).ys).toEqual([null]);
  });
});

describe("the training on a device", () => {
  const training = (runId: string, device: string, state: TrainingState, trainer = "") =>
    create(TrainingSchema, { runId, device, state, trainer });

  test("is the one that holds it, of the named trainer", () => {
    const runs = [
      training("waits", "cuda:0", TrainingState.QUEUED),
      training("ended", "cuda:0", TrainingState.COMPLETED),
      training("elsewhere", "cuda:0", TrainingState.RUNNING, "trainer-2"),
      training("first", "cuda", TrainingState.RUNNING, "trainer"),
      training("second", "cuda:1", TrainingState.STOPPING, "trainer"),
      training("processor", "cpu", TrainingState.RUNNING, "trainer"),
    ];
    expect(trainingOn(runs, 0, "trainer")?.runId).toBe("first");
    expect(trainingOn(runs, 0, "trainer-2")?.runId).toBe("elsewhere");
    expect(trainingOn(runs, 1, "")?.runId).toBe("second");
    expect(trainingOn(runs, undefined, "trainer")?.runId).toBe("processor");
    expect(trainingOn(runs, 2, "trainer")).toBeUndefined();
  });

  test("lies on the same clock as the device", () => {
    const history = create(GetTrainingHistoryResponseSchema, {
      training: { startedAt: timestampFromMs(60_000) },
      curves: [{ key: CurveKey.EPISODE_REWARD, values: [1, 2], elapsedS: [0, 30] }],
    });
    expect(trainingCourse(history, CurveKey.EPISODE_REWARD, 120_000)).toEqual({ xs: [-1, -0.5], ys: [1, 2] });
    expect(trainingCourse(history, CurveKey.LOSS, 120_000).xs).toEqual([]);
    expect(trainingCourse(undefined, CurveKey.LOSS, 0).xs).toEqual([]);
  });
});

test("figures are written with their units, moments by their distance from now", () => {
  expect(gigabytes(2_147_483_648)).toBe("2.15 GB");
  expect(gigabytes(150_754_820_096)).toBe("150.8 GB");
  expect([0, -0.25, -3, -2.5].map(minutesAgo)).toEqual(["now", "\u221215 s", "\u22123 min", "\u22122 min 30 s"]);
});
