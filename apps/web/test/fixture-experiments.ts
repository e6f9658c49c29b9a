import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  ExperimentSchema,
  MetricHistorySchema,
  type Run,
  RunSchema,
  RunState,
} from "@rlmaze/api/rlmaze/experiment/v1/experiment_pb";
import { type ExperimentService, RunOrder } from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { randomNumbers } from "./fixture-world";

const BEGAN = Date.UTC(2026, 10, 23, 12);
const POINTS = 120;

/** 32 hex digits for a small number. */
export function fixtureRunId(number: number): string {
  return number.toString(16).padStart(32, "0");
}

function run(number: number, seed: number, more: MessageInitShape<typeof RunSchema> = {}): Run {
  const algorithm = number % 4 === 3 ? "DQN" : "PPO";
  const name = algorithm === "DQN" ? "dqn-memory" : "ppo-quick";
  const startedAt = BEGAN + number * 600_000;
  return create(RunSchema, {
    runId: fixtureRunId(number),
    experimentId: algorithm === "DQN" ? "2" : "1",
    name: `${name}-${number.toString(16).padStart(14, "0")}`,
    state: RunState.FINISHED,
    startedAt: timestampFromMs(startedAt),
    endedAt: timestampFromMs(startedAt + 48_000),
    params: {
      name,
      algorithm,
      observation: "memory/1",
      seed: String(seed),
      timesteps: "200000",
      ...(algorithm === "PPO" ? { "ppo.learning_rate": "0.002" } : { "dqn.learning_rate": "0.001" }),
    },
    metrics: [
      { key: "reward", value: 0.62, step: 200_000n },
      { key: "success_rate", value: 0.97 + number / 1000, step: 200_000n },
      { key: "validation_success_rate", value: 0.99, step: 200_000n },
      { key: "held_out_success_rate", value: 0.99 + number / 1000, step: 200_000n },
      { key: "loss", step: 200_000n },
    ],
    tags: { "rlmaze.seed": String(seed) },
    trainingRunId: `${name}-${number.toString(16).padStart(14, "0")}`,
    modelId: `${name}-${number}`,
    ...more,
  });
}

/** Runs of two experiments, the newest last: three seeds of one configuration, one DQN, a failed one and one that goes on. */
export const fixtureRuns: readonly Run[] = [
  run(1, 1),
  run(2, 2),
  run(4, 3),
  run(3, 1),
  run(5, 1, {
    state: RunState.FAILED,
    modelId: "",
    metrics: [],
    tags: { "rlmaze.seed": "1", "rlmaze.failure": "The loss became nan." },
    sweep: "rates",
  }),
  run(6, 4, { state: RunState.RUNNING, modelId: "", endedAt: undefined }),
];

const configYaml = "name: ppo-quick\nalgorithm: PPO\nobservation: memory/1\nseeds: [1, 2, 3]\n";

function history(runId: string, key: string, maxPoints: number) {
  const random = randomNumbers(Number.parseInt(runId, 16) + key.length);
  const count = Math.min(maxPoints, key.startsWith("validation_") ? 8 : POINTS);
  const known = fixtureRuns.find((candidate) => candidate.runId === runId);
  if (known === undefined) throw new ConnectError(`run "${runId}" does not exist`, Code.NotFound);
  const empty = !known.metrics.some((metric) => metric.key === key);
  const steps = empty ? [] : Array.from({ length: count }, (_, at) => BigInt(Math.round((200_000 * (at + 1)) / count)));
  return create(MetricHistorySchema, {
    runId,
    key,
    steps,
    values: steps.map((_, at) => 1 - Math.exp((-4 * at) / count) + 0.06 * (random() - 0.5)),
    elapsedS: steps.map((_, at) => (48 * (at + 1)) / count),
    points: BigInt(steps.length),
  });
}

/** A made-up ExperimentService. A filter that holds "!" is refused, as MLflow refuses what it cannot read. */
export function fixtureExperiments(empty: boolean): ServiceImpl<typeof ExperimentService> {
  const runs = empty ? [] : fixtureRuns;
  const experiments = empty
    ? []
    : [
        create(ExperimentSchema, {
          experimentId: "1",
          name: "ppo-quick",
          runCount: 5,
          updatedAt: timestampFromMs(BEGAN),
        }),
        create(ExperimentSchema, { experimentId: "2", name: "dqn-memory", runCount: 1, description: "By values" }),
      ];
  const find = (runId: string): Run => {
    const found = runs.find((candidate) => candidate.runId === runId);
    if (found === undefined) throw new ConnectError(`run "${runId}" does not exist`, Code.NotFound);
    return create(RunSchema, { ...found, configYaml });
  };
  return {
    listExperiments: () => ({ experiments }),
    getExperiment: ({ experimentId }) => {
      const experiment = experiments.find((candidate) => candidate.experimentId === experimentId);
      if (experiment === undefined) throw new ConnectError(`experiment ${experimentId} does not exist`, Code.NotFound);
      return { experiment };
    },
    listRuns: ({ experimentIds, filter, order, pageSize, pageToken }) => {
      if (filter.includes("!")) {
        throw new ConnectError(
          `filter: MLflow does not understand it: Invalid clause '${filter}'`,
          Code.InvalidArgument,
        );
      }
      const found = runs
        .filter((candidate) => experimentIds.length === 0 || experimentIds.includes(candidate.experimentId))
        .filter(({ state }) => !filter.includes("'FAILED'") || state === RunState.FAILED);
      const sorted = order === RunOrder.BEST ? found : [...found].reverse();
      const from = Number(pageToken || 0);
      const to = from + (pageSize || 50);
      return { runs: sorted.slice(from, to), nextPageToken: to < sorted.length ? String(to) : "" };
    },
    getRun: ({ runId }) => ({ run: find(runId) }),
    getMetricHistory: ({ runId, key, maxPoints }) => ({ history: history(runId, key, maxPoints || 1000) }),
    compareRuns: ({ runIds, keys, maxPoints }) => ({
      runs: runIds.map(find),
      histories: runIds
        .flatMap((runId) => keys.map((key) => history(runId, key, maxPoints || 500)))
        .filter(({ values }) => values.length > 0),
    }),
  };
}
