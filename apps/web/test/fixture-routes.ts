import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate, timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { EvaluationService } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_service_pb";
import { ExperimentService } from "@rlmaze/api/rlmaze/experiment/v1/experiment_service_pb";
import { EpisodeLogService } from "@rlmaze/api/rlmaze/inference/v1/episode_log_service_pb";
import { Outcome, type PolicyMapSchema, ScoreKind, type StepSchema } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import {
  type EpisodeFinishedSchema,
  InferenceService,
  type RunEpisodeRequest,
  type RunEpisodeResponseSchema,
  type RunRaceRequest,
  type RunRaceResponseSchema,
} from "@rlmaze/api/rlmaze/inference/v1/inference_service_pb";
import { Difficulty, type Maze, type MazeRef } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";
import { MazeService } from "@rlmaze/api/rlmaze/maze/v1/maze_service_pb";
import { Algorithm, type Model, ModelSchema, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { ModelService } from "@rlmaze/api/rlmaze/model/v1/model_service_pb";
import { ServerState, type ServiceStatusSchema, SystemService } from "@rlmaze/api/rlmaze/system/v1/system_service_pb";
import { TrainingHistoryService } from "@rlmaze/api/rlmaze/training/v1/training_history_service_pb";
import { TrainingService } from "@rlmaze/api/rlmaze/training/v1/training_service_pb";
import { drawnMaze } from "../features/mazes/drawn-maze";
import { fixtureEpisodes } from "./fixture-episodes";
import { fixtureEvaluations } from "./fixture-evaluations";
import { fixtureExperiments } from "./fixture-experiments";
import { FixtureSwitches } from "./fixture-switches";
import { type FixtureGpus, fixtureTrainingHistory, fixtureTrainings } from "./fixture-trainings";
import { distances, fixtureMaze, moves, randomNumbers } from "./fixture-world";

const sets = [
  { setId: "showcase", description: "Twelve unseen mazes that show the agent at work.", mazeCount: 12, size: 10 },
  { setId: "puzzles", description: "Named situations, each testing one skill.", mazeCount: 8, size: 11 },
  {
    setId: "heldout",
    description: "Mazes that no model has seen; only final figures come from them.",
    mazeCount: 1000,
    size: 10,
  },
  { setId: "large20", description: "Unseen mazes four times as large.", mazeCount: 50, size: 20 },
  { setId: "large30", description: "Unseen mazes nine times as large.", mazeCount: 50, size: 30 },
] as const;

function mazesOf(setId: string): Maze[] {
  const set = sets.find((candidate) => candidate.setId === setId);
  if (set === undefined) throw new ConnectError(`maze set "${setId}" does not exist`, Code.NotFound);
  const digits = String(set.mazeCount).length;
  return Array.from({ length: Math.min(set.mazeCount, 120) }, (_, at) => {
    const maze = fixtureMaze(
      setId === "puzzles" ? `puzzle-${at + 1}` : `${setId}-${String(at + 1).padStart(digits, "0")}`,
      set.size,
      set.size * 1000 + at + 5,
      setId,
    );
    if (setId === "puzzles") {
      maze.title = `Puzzle ${at + 1}`;
      maze.tests = "Whether the agent turns back from a long dead end.";
    }
    return maze;
  });
}

function findMaze(mazeId: string): Maze {
  const generated = /^generated-(\d+)x\d+-(\d+)/.exec(mazeId);
  if (generated) return fixtureMaze(mazeId, Number(generated[1]), Number(generated[2]));
  for (const set of sets) {
    const found = mazesOf(set.setId).find((maze) => maze.mazeId === mazeId);
    if (found) return found;
  }
  throw new ConnectError(`maze "${mazeId}" does not exist`, Code.NotFound);
}

function resolveMaze(ref: MazeRef | undefined): Maze {
  if (ref?.maze.case === "drawn") return drawnMaze(ref.maze.value.rows);
  if (ref?.maze.case !== "mazeId") throw new ConnectError("maze: value is required", Code.InvalidArgument);
  return findMaze(ref.maze.value);
}

const trainedAt: Timestamp = timestampFromDate(new Date("2026-11-23T12:00:00Z"));

/** Every measurement is on one set, save those that name another. */
function success(rate: number, spl: number, steps: number, setHash = "5e".repeat(32)) {
  const successes = Math.round(rate * 1000);
  return [
    {
      setId: "heldout",
      setHash,
      episodes: 1000,
      successes,
      rate,
      intervalLow: Math.max(0, rate - 0.004),
      intervalHigh: rate,
      meanSteps: steps,
      spl,
    },
  ];
}

function fixtureModels(): Model[] {
  const common = {
    version: 1,
    state: ModelState.READY,
    trainedAt,
    registeredAt: trainedAt,
    opset: 18,
    sizeBytes: 33_012n,
    seed: 1n,
  };
  return [
    create(ModelSchema, {
      ...common,
      modelId: "dqn-memory-1",
      name: "dqn-memory",
      title: "DQN with memory",
      description: "The best value-based model.",
      algorithm: Algorithm.DQN,
      observation: "memory/1",
      scoreKind: ScoreKind.Q_VALUE,
      timesteps: 4_000_000n,
      trainingRun: "dqn-memory-seed1",
      sha256: "9f".repeat(32),
      success: success(0.992, 0.66, 38.1, "d1".repeat(32)),
      config: "ml/configs/dqn-memory.yaml",
    }),
    create(ModelSchema, {
      ...common,
      modelId: "ppo-memory-1",
      name: "ppo-memory",
      title: "PPO with memory",
      description: "The default: it leaves out corridors that it knows to lead nowhere.",
      active: true,
      algorithm: Algorithm.PPO,
      observation: "memory/1",
      scoreKind: ScoreKind.LOGIT,
      timesteps: 1_000_000n,
      trainingRun: "ppo-memory-seed1",
      sha256: "a3".repeat(32),
      success: success(1, 0.7, 34.5),
      config: "ml/configs/ppo-memory.yaml",
    }),
    create(ModelSchema, {
      ...common,
      modelId: "ppo-plain-1",
      name: "ppo-plain",
      title: "PPO without memory",
      description: "Kept to show why memory matters.",
      algorithm: Algorithm.PPO,
      observation: "plain/1",
      scoreKind: ScoreKind.LOGIT,
      timesteps: 1_000_000n,
      trainingRun: "ppo-plain-seed1",
      sha256: "77".repeat(32),
      success: success(0.011, 0.01, 198),
      config: "ml/configs/ppo-plain.yaml",
    }),
    create(ModelSchema, {
      modelId: "ppo-trail-2",
      name: "ppo-trail",
      version: 2,
      title: "PPO with trail",
      state: ModelState.BROKEN,
      stateReason: "policy.onnx does not have the sha256 that its manifest names",
      registeredAt: trainedAt,
    }),
  ];
}

type StepInit = MessageInitShape<typeof StepSchema>;

/** A walk that knows the way but errs now and then, with scores that look like a network's. */
function walk(maze: Maze, kind: ScoreKind, salt = 7) {
  const random = randomNumbers(Number(maze.seed) + salt);
  const goal = maze.goal ?? { row: 0, col: 0 };
  const away = distances(maze.rows, goal.row, goal.col);
  const steps: StepInit[] = [];
  let { row, col } = maze.start ?? { row: 0, col: 0 };
  let bumps = 0;
  const scoresAt = (r: number, c: number) => {
    const here = away[r]?.[c] ?? 0;
    return moves.map(([down, right]) => {
      const there = away[r + down]?.[c + right] ?? -1;
      const logit = there < 0 ? -3 - random() : (here - there) * 1.6 + random() * 1.5;
      return kind === ScoreKind.LOGIT ? logit : 0.9 - here * 0.011 + logit * 0.008;
    });
  };
  const valueAt = (r: number, c: number) => 0.95 - (away[r]?.[c] ?? 0) * 0.012;
  const probabilities = (scores: number[]) => {
    const largest = Math.max(...scores);
    const parts = scores.map((score) => Math.exp((score - largest) / (kind === ScoreKind.LOGIT ? 1 : 0.01)));
    const sum = parts.reduce((left, right) => left + right, 0);
    return parts.map((part) => part / sum);
  };
  while (steps.length < maze.maxSteps && away[row]?.[col] !== 0) {
    const values = scoresAt(row, col);
    const wander = random();
    let best = values.indexOf(Math.max(...values));
    if (wander < 0.28) best = Math.floor(random() * 4);
    const [down, right] = moves[best] as readonly [number, number];
    const hitWall = (away[row + down]?.[col + right] ?? -1) < 0;
    if (hitWall) bumps++;
    const value = valueAt(row, col);
    if (!hitWall) {
      row += down;
      col += right;
    }
    const reachedGoal = away[row]?.[col] === 0;
    steps.push({
      index: steps.length + 1,
      position: { row, col },
      action: best + 1,
      hitWall,
      reachedGoal,
      reward: (reachedGoal ? 99 : hitWall ? -6 : -1) / 100,
      cumulativeReward: ((reachedGoal ? 100 : 0) - (steps.length + 1) - 5 * bumps) / 100,
      scores: {
        kind,
        values,
        probabilities: probabilities(values),
        stateValue: kind === ScoreKind.LOGIT ? value : Math.max(...values),
      },
    });
  }
  const policyMap = (atStep: number): MessageInitShape<typeof PolicyMapSchema> => {
    const cells: number[] = [];
    const values: number[] = [];
    const stateValues: number[] = [];
    maze.rows.forEach((line, r) => {
      Array.from(line).forEach((letter, c) => {
        if (letter === "#") return;
        cells.push(r * line.length + c);
        values.push(...scoresAt(r, c));
        stateValues.push(valueAt(r, c));
      });
    });
    return { atStep, kind, cells, values, stateValues };
  };
  return { steps, bumps, reachedGoal: away[row]?.[col] === 0, policyMap };
}

/** Waits, or less when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** What a fixture server can be told to be. */
export interface FixtureOptions {
  /** No model is active, and none is registered. */
  readonly withoutModels?: boolean;
  readonly mongoDown?: boolean;
  /** MLflow has no runs yet. */
  readonly withoutRuns?: boolean;
  /** How the trainer's GPUs are; default one. */
  readonly gpus?: FixtureGpus;
  /** Services beside the server; none are told of by default, as by a server from before they were. */
  readonly services?: readonly MessageInitShape<typeof ServiceStatusSchema>[];
}

/** The services of the Go server with made-up answers, for tests and for working on the page alone. */
export function fixtureRoutes(options: FixtureOptions = {}): (router: ConnectRouter) => void {
  const models = options.withoutModels ? [] : fixtureModels();
  const startedAt = timestampNow();
  let liveStreams = 0;
  let episodesFinished = 0n;
  const switches = new FixtureSwitches(models, startedAt);
  const activeModel = () => models.find((model) => model.active);
  const findModel = (modelId: string) => {
    const model = models.find((candidate) => candidate.modelId === modelId);
    if (model === undefined) throw new ConnectError(`model "${modelId}" does not exist`, Code.NotFound);
    return model;
  };
  const acting = (policy: RunEpisodeRequest["policy"]) => {
    const named =
      policy?.policy.case === "modelId" && policy.policy.value !== "" ? findModel(policy.policy.value) : activeModel();
    if (named === undefined) throw new ConnectError("no model is active", Code.FailedPrecondition);
    if (named.state === ModelState.BROKEN)
      throw new ConnectError(`model is broken: ${named.stateReason}`, Code.FailedPrecondition);
    return named;
  };

  async function* runEpisode(
    request: RunEpisodeRequest,
    signal: AbortSignal,
  ): AsyncGenerator<MessageInitShape<typeof RunEpisodeResponseSchema>> {
    const maze = resolveMaze(request.maze);
    const model = acting(request.policy);
    const { steps, bumps, reachedGoal, policyMap } = walk(maze, model.scoreKind);
    liveStreams++;
    try {
      yield {
        event: {
          case: "started",
          value: {
            episodeId: request.episodeId,
            policy: { policy: { case: "modelId", value: model.modelId } },
            maze,
            seed: request.seed ?? 1n,
            sampling: request.sampling ?? { sampling: { case: "greedy", value: {} } },
            firstStep: request.afterStep + 1,
            maxSteps: maze.maxSteps,
            observation: model.observation,
            scoreKind: model.scoreKind,
            resumeToken: `token-${request.episodeId}`,
            serverTs: timestampNow(),
            ...(request.withPolicyMap ? { policyMap: policyMap(request.afterStep) } : {}),
          },
        },
      };
      const rate = request.stepsPerSecond;
      const perMessage = rate === 0 ? 32 : Math.max(1, Math.ceil(rate / 60));
      const last = request.maxSteps > 0 ? request.afterStep + request.maxSteps : steps.length;
      for (let at = request.afterStep; at < Math.min(last, steps.length); at += perMessage) {
        if (rate > 0) await pause((1000 / rate) * perMessage, signal);
        if (signal.aborted) return;
        const share = steps
          .slice(at, Math.min(at + perMessage, last))
          .map((step) => ({ ...step, serverTs: timestampNow() }));
        const tail = share[share.length - 1];
        if (request.withPolicyMap && tail) tail.policyMap = policyMap(tail.index ?? 0) as never;
        yield { event: { case: "steps", value: { steps: share } } };
      }
      if (last < steps.length) return;
      episodesFinished++;
      const shortest = maze.shortestPath;
      yield {
        event: {
          case: "finished",
          value: {
            outcome: reachedGoal ? Outcome.REACHED_GOAL : Outcome.STEP_LIMIT,
            steps: steps.length,
            bumps,
            totalReward: ((reachedGoal ? 100 : 0) - steps.length - 5 * bumps) / 100,
            spl: reachedGoal ? shortest / Math.max(shortest, steps.length) : 0,
            logged: true,
            serverTs: timestampNow(),
          },
        },
      };
    } finally {
      liveStreams--;
    }
  }

  /** Every lane walks another way through the maze: its number is the salt. */
  async function* runRace(
    request: RunRaceRequest,
    signal: AbortSignal,
  ): AsyncGenerator<MessageInitShape<typeof RunRaceResponseSchema>> {
    const maze = resolveMaze(request.maze);
    const lanes = request.lanes.map((lane, at) => {
      const model = lane.policy?.policy.case === "baseline" ? undefined : acting(lane.policy);
      const way = walk(maze, model?.scoreKind ?? ScoreKind.LOGIT, 7 + at);
      // Baselines have no scores.
      const steps = model === undefined ? way.steps.map(({ scores: _, ...step }) => step) : way.steps;
      const finished: MessageInitShape<typeof EpisodeFinishedSchema> = {
        outcome: way.reachedGoal ? Outcome.REACHED_GOAL : Outcome.STEP_LIMIT,
        steps: steps.length,
        bumps: way.bumps,
        totalReward: ((way.reachedGoal ? 100 : 0) - steps.length - 5 * way.bumps) / 100,
        spl: way.reachedGoal ? maze.shortestPath / Math.max(maze.shortestPath, steps.length) : 0,
        logged: true,
      };
      return { lane, model, steps, finished };
    });
    yield {
      event: {
        case: "started",
        value: {
          maze,
          seed: request.seed ?? 1n,
          firstStep: request.afterStep + 1,
          maxSteps: maze.maxSteps,
          serverTs: timestampNow(),
          lanes: lanes.map(({ lane, model }) => ({
            episodeId: lane.episodeId,
            policy: model === undefined ? lane.policy : { policy: { case: "modelId", value: model.modelId } },
            sampling: lane.sampling ?? { sampling: { case: "greedy", value: {} } },
            observation: model?.observation ?? "",
            scoreKind: model?.scoreKind ?? ScoreKind.UNSPECIFIED,
            resumeToken: `token-${lane.episodeId}`,
          })),
        },
      },
    };
    const longest = Math.max(...lanes.map(({ steps }) => steps.length));
    const last = request.maxSteps > 0 ? Math.min(longest, request.afterStep + request.maxSteps) : longest;
    for (let tick = request.afterStep; tick < last; tick++) {
      if (request.stepsPerSecond > 0) await pause(1000 / request.stepsPerSecond, signal);
      if (signal.aborted) return;
      const moved = lanes.flatMap(({ steps, finished }, lane) => {
        const step = steps[tick];
        if (step === undefined) return [];
        return [{ lane, steps: [step], ...(tick === steps.length - 1 ? { finished } : {}) }];
      });
      yield { event: { case: "steps", value: { lanes: moved } } };
    }
    if (last < longest) return;
    yield {
      event: { case: "finished", value: { lanes: lanes.map(({ finished }) => finished), serverTs: timestampNow() } },
    };
  }

  return (router) => {
    router.service(MazeService, {
      listMazeSets: () => ({
        sets: sets.map(({ size, ...set }) => ({ ...set, rows: size, cols: size, hash: "0".repeat(64) })),
      }),
      listMazes: (request) => {
        const all = mazesOf(request.setId).filter(
          (maze) => request.difficulty === Difficulty.UNSPECIFIED || maze.difficulty === request.difficulty,
        );
        const from = Number(request.pageToken || 0);
        const size = request.pageSize || 50;
        return {
          mazes: all.slice(from, from + size),
          nextPageToken: from + size < all.length ? String(from + size) : "",
        };
      },
      getMaze: (request) => ({ maze: findMaze(request.mazeId) }),
      generateMaze: (request) => {
        if (request.rows > 100)
          throw new ConnectError("rows: must be 0 (the default, 10) or between 3 and 100", Code.InvalidArgument);
        const size = request.rows || 10;
        const seed = request.seed ?? 42n;
        return { maze: fixtureMaze(`generated-${size}x${size}-${seed}`, size, Number(seed % 2n ** 32n)) };
      },
      checkMaze: (request) =>
        request.maze?.rows.some((row) => row.includes("G"))
          ? { solvable: true }
          : { problems: [{ rule: "goal.missing", message: "There must be exactly one goal." }] },
    });
    router.service(ModelService, {
      listModels: () => ({ models }),
      getModel: (request) => ({ model: findModel(request.modelId) }),
      getActiveModel: () => {
        const model = activeModel();
        if (model === undefined) throw new ConnectError("no model is active", Code.NotFound);
        return { model, ...(switches.newest ? { activation: switches.newest } : {}) };
      },
      setActiveModel: (request) => {
        const model = findModel(request.modelId);
        if (model.state === ModelState.BROKEN) {
          throw new ConnectError(`model "${model.modelId}" is broken: ${model.stateReason}`, Code.FailedPrecondition);
        }
        return { model, activation: switches.set(model, request) };
      },
      rollBackActiveModel: (request) => {
        const activation = switches.rollBack(request);
        return { model: findModel(activation.modelId), activation };
      },
      listActivations: (request) => switches.list(request),
    });
    router.service(EvaluationService, fixtureEvaluations());
    router.service(ExperimentService, fixtureExperiments(options.withoutRuns === true));
    router.service(TrainingService, fixtureTrainings(options.gpus ?? "one"));
    router.service(TrainingHistoryService, fixtureTrainingHistory(options.gpus ?? "one"));
    router.service(SystemService, {
      getStatus: () => ({
        state: options.mongoDown || models.length === 0 ? ServerState.DEGRADED : ServerState.SERVING,
        version: "0.1.0",
        revision: "f30c0b3",
        startedAt,
        serverTs: timestampNow(),
        stores: [
          { name: "postgresql", up: true, embedded: true, latencyMs: 0.31 },
          options.mongoDown
            ? { name: "mongodb", up: false, embedded: false, message: "The store did not answer its last ping." }
            : { name: "mongodb", up: true, embedded: true, latencyMs: 0.84 },
        ],
        activeModelId: activeModel()?.modelId ?? "",
        liveStreams,
        episodesFinished,
        streamsUnfinished: 3n,
        spooledEpisodes: options.mongoDown ? 17n : 0n,
        stepLatency: { count: 18_423n, p50Ms: 0.006, p95Ms: 0.011, p99Ms: 0.024 },
        requestCount: 412n,
        errorRate: 0,
        modelsLoaded: models.length,
        services: [...(options.services ?? [])],
      }),
    });
    router.service(EpisodeLogService, fixtureEpisodes(options.withoutModels === true));
    router.service(InferenceService, {
      runEpisode: (request, context) => runEpisode(request, context.signal),
      mapPolicy: (request) => {
        const maze = resolveMaze(request.maze);
        const model = acting(request.policy);
        return { policyMap: walk(maze, model.scoreKind).policyMap(request.afterStep) };
      },
      runRace: (request, context) => runRace(request, context.signal),
      scoreObservations: (request) => {
        const model = acting(request.policy);
        return {
          observation: model.observation,
          scores: request.observations.map(({ values }) => {
            // The agent stands in the middle; it walks to the goal in sight, else to the first open cell beside it.
            const beside = [7, 17, 11, 13].map((at) => values[at] ?? -1);
            const scores = beside.map((value, action) => 2 * value - action / 10);
            const largest = Math.max(...scores);
            const parts = scores.map((score) => Math.exp(score - largest));
            const sum = parts.reduce((left, right) => left + right, 0);
            return {
              kind: model.scoreKind,
              values: scores,
              probabilities: parts.map((part) => part / sum),
              stateValue: largest,
            };
          }),
        };
      },
    });
  };
}
