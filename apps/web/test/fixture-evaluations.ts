import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Evaluation, EvaluationSchema, type FiguresSchema } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_pb";
import type {
  EvaluateModelResponseSchema,
  EvaluationService,
} from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_service_pb";
import { Baseline, type PolicyRef } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { Difficulty } from "@rlmaze/api/rlmaze/maze/v1/maze_pb";

type FiguresInit = MessageInitShape<typeof FiguresSchema>;

function figures(episodes: number, successes: number, spl: number, meanSteps: number): FiguresInit {
  const rate = successes / episodes;
  return {
    episodes,
    successes,
    rate,
    intervalLow: Math.max(0, rate - 0.004),
    intervalHigh: Math.min(1, rate + 0.004),
    spl,
    meanSteps,
    bumpsPerEpisode: 0.25,
    revisitRate: 0.31,
  };
}

/** What a policy reached on the held-out mazes; it fails in the first ones. */
export function fixtureEvaluation(
  policy: MessageInitShape<typeof EvaluationSchema>["policy"] & object,
  successes: number,
  spl: number,
  meanSteps: number,
): Evaluation {
  const failures = 1000 - successes;
  return create(EvaluationSchema, {
    policy,
    setId: "heldout",
    setHash: "0".repeat(64),
    figures: figures(1000, successes, spl, meanSteps),
    byDifficulty: [
      { difficulty: Difficulty.EASY, figures: figures(400, Math.min(400, successes), spl, meanSteps / 2) },
      { difficulty: Difficulty.HARD, figures: figures(600, Math.max(0, successes - 400), spl, meanSteps) },
    ],
    bySize: [{ rows: 10, cols: 10, figures: figures(1000, successes, spl, meanSteps) }],
    failed: Array.from({ length: Math.min(failures, 100) }, (_, at) => ({
      mazeId: `heldout-${String(at + 1).padStart(4, "0")}`,
      seed: BigInt(at),
    })),
    meanStepUs: 2.31,
    p95StepUs: 3.02,
    evaluatedAt: timestampFromDate(new Date("2026-11-25T09:30:00Z")),
  });
}

const model = (modelId: string) => ({ policy: { case: "modelId", value: modelId } }) as const;
const keyOf = (policy: PolicyRef | undefined) => `${policy?.policy.case} ${policy?.policy.value}`;

/** Evaluations of three policies on the held-out set, and more when they are asked for. `random` can't be evaluated: too many are at once. */
export function fixtureEvaluations(): Partial<ServiceImpl<typeof EvaluationService>> {
  const rows = new Map<string, Evaluation[]>([
    [
      "heldout",
      [
        fixtureEvaluation({ policy: { case: "baseline", value: Baseline.SHORTEST_PATH } }, 1000, 1, 20.5),
        fixtureEvaluation(model("ppo-memory-1"), 1000, 0.681, 35.3),
        fixtureEvaluation(model("ppo-plain-1"), 12, 0.011, 198),
      ],
    ],
  ]);
  return {
    getLeaderboard: ({ setId }) => {
      if (setId === "none") throw new ConnectError("no such maze set", Code.NotFound);
      return { rows: rows.get(setId) ?? [] };
    },
    async *evaluateModel({ policy, setId }): AsyncGenerator<MessageInitShape<typeof EvaluateModelResponseSchema>> {
      if (policy?.policy.value === Baseline.RANDOM) {
        throw new ConnectError("too many evaluations at once; try again in a moment", Code.ResourceExhausted);
      }
      yield { message: { case: "progress", value: { done: 500, total: 1000, successes: 480 } } };
      if (policy?.policy.value === Baseline.WALL_FOLLOWER) throw new ConnectError("gone", Code.Unavailable);
      const evaluation = fixtureEvaluation(policy ?? {}, 990, 0.66, 38);
      const others = (rows.get(setId) ?? []).filter((row) => keyOf(row.policy) !== keyOf(policy));
      rows.set(setId, [...others, evaluation]);
      yield { message: { case: "evaluation", value: evaluation } };
    },
  };
}
