/** One run to write. Its steps are 1–`points` times `stride`. */
export interface WrittenRun {
  readonly name: string;
  readonly status: "RUNNING" | "FINISHED" | "FAILED";
  readonly params: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  /** Metrics by key: the value at a share of the run, 0–1. */
  readonly metrics?: Readonly<Record<string, (share: number) => number>>;
  readonly points?: number;
}

const STRIDE = 2_000;

/** Writes into a real MLflow through its API, as a training program does. */
export class MlflowWriter {
  constructor(private readonly url: string) {}

  async experiment(name: string): Promise<string> {
    const { experiment_id: id } = await this.#post<{ experiment_id: string }>("experiments/create", { name });
    return id;
  }

  /** Writes a run and returns its id. */
  async run(experimentId: string, run: WrittenRun): Promise<string> {
    const startedAt = Date.now() - 120_000;
    const created = await this.#post<{ run: { info: { run_id: string } } }>("runs/create", {
      experiment_id: experimentId,
      run_name: run.name,
      start_time: startedAt,
      tags: Object.entries(run.tags ?? {}).map(([key, value]) => ({ key, value })),
    });
    const runId = created.run.info.run_id;
    await this.#post("runs/log-batch", {
      run_id: runId,
      params: Object.entries(run.params).map(([key, value]) => ({ key, value })),
    });
    await this.log(runId, run.metrics ?? {}, 1, run.points ?? 60, startedAt);
    if (run.status !== "RUNNING") await this.end(runId, run.status, startedAt + 100_000);
    return runId;
  }

  /** Writes the points `first`–`last` of each metric, one a second of the run. */
  async log(
    runId: string,
    metrics: Readonly<Record<string, (share: number) => number>>,
    first: number,
    last: number,
    startedAt: number,
  ): Promise<void> {
    for (const [key, value] of Object.entries(metrics)) {
      const points = Array.from({ length: last - first + 1 }, (_, at) => ({
        key,
        value: value((first + at) / last),
        step: (first + at) * STRIDE,
        timestamp: startedAt + (first + at) * 1000,
      }));
      await this.#post("runs/log-batch", { run_id: runId, metrics: points });
    }
  }

  async end(runId: string, status: string, endedAt: number): Promise<void> {
    await this.#post("runs/update", { run_id: runId, status, end_time: endedAt });
  }

  async #post<Answer>(call: string, body: object): Promise<Answer> {
    const response = await fetch(`${this.url}/api/2.0/mlflow/${call}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`MLflow answered ${call} with ${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}

const learning = (rate: number) => (share: number) => 1 - Math.exp(-rate * share);

const ppo = (seed: number): WrittenRun => ({
  name: `ppo-quick-seed${seed}`,
  status: "FINISHED",
  params: {
    name: "ppo-quick",
    algorithm: "PPO",
    observation: "memory/1",
    seed: String(seed),
    "ppo.learning_rate": "0.002",
  },
  tags: {
    "rlmaze.seed": String(seed),
    "rlmaze.training_run_id": `ppo-quick-0000000000000${seed}`,
    "rlmaze.model_id": "ppo-memory-1",
    "rlmaze.config_yaml": `name: ppo-quick\nalgorithm: PPO\nseeds: [${seed}]\n`,
  },
  metrics: {
    reward: learning(4 + seed),
    success_rate: learning(5 + seed),
    episode_length: (share) => 200 - 160 * share,
    loss: (share) => 2 - share,
    validation_success_rate: learning(6),
    held_out_success_rate: () => 0.98 + seed / 1000,
  },
});

/** What the tests of the experiments page find. */
export interface WrittenRuns {
  /** Three runs that differ in their seed only. */
  readonly seeds: readonly string[];
  readonly dqn: string;
  /** It goes on. */
  readonly running: string;
  /** It has no figures. */
  readonly failed: string;
}

/** Fills an empty MLflow with two experiments. */
export async function fillMlflow(url: string): Promise<WrittenRuns> {
  const writer = new MlflowWriter(url);
  const quick = await writer.experiment("ppo-quick");
  const memory = await writer.experiment("dqn-memory");
  const seeds: string[] = [];
  for (const seed of [1, 2, 3]) seeds.push(await writer.run(quick, ppo(seed)));
  const dqn = await writer.run(memory, {
    ...ppo(1),
    name: "dqn-memory-seed1",
    params: { name: "dqn-memory", algorithm: "DQN", observation: "memory/1", seed: "1", "dqn.learning_rate": "0.001" },
    tags: { "rlmaze.seed": "1", "rlmaze.sweep": "rates" },
  });
  const failed = await writer.run(quick, {
    name: "ppo-quick-broken",
    status: "FAILED",
    params: { name: "ppo-quick", algorithm: "PPO", seed: "9" },
    tags: { "rlmaze.failure": "The loss became nan." },
  });
  const running = await writer.run(quick, {
    ...ppo(4),
    name: "ppo-quick-seed4",
    status: "RUNNING",
    tags: { "rlmaze.seed": "4" },
    points: 20,
  });
  return { seeds, dqn, running, failed };
}
