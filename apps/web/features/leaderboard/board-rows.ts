import type { Evaluation, FailedMaze } from "@rlmaze/api/rlmaze/evaluation/v1/evaluation_pb";
import type { PolicyRef } from "@rlmaze/api/rlmaze/inference/v1/episode_pb";
import { type Model, ModelState } from "@rlmaze/api/rlmaze/model/v1/model_pb";
import { baselines } from "@/lib/baselines";
import { algorithmName } from "@/lib/format";
import { baselineSlugs, type MomentPolicy, momentPath } from "@/lib/moment-link";
import type { Board } from "./board-address";
import { columns } from "./board-columns";

/** Somebody who stands on the leaderboard, or could. */
export interface BoardRow {
  /** The id of a model, or `baseline_` and its name, as in links. */
  readonly key: string;
  readonly policy: MomentPolicy;
  readonly name: string;
  /** `PPO`, `DQN` or `Baseline`. */
  readonly kind: string;
  /** Undefined until it was evaluated on this set. */
  readonly evaluation: Evaluation | undefined;
}

/** The key of a row; undefined for a reference that names nobody. */
export function rowKey(policy: PolicyRef | undefined): string | undefined {
  if (policy?.policy.case === "modelId") return policy.policy.value;
  if (policy?.policy.case !== "baseline") return undefined;
  const slug = baselineSlugs.get(policy.policy.value);
  return slug === undefined ? undefined : `baseline_${slug}`;
}

/** Every model that can run and every baseline, with what was evaluated of them, sorted. Who was not evaluated comes last. */
export function boardRows(models: readonly Model[], evaluations: readonly Evaluation[], board: Board): BoardRow[] {
  const found = new Map(evaluations.map((evaluation) => [rowKey(evaluation.policy), evaluation]));
  const rows: BoardRow[] = [
    ...models.map((model) => ({
      key: model.modelId,
      policy: { modelId: model.modelId },
      name: model.modelId,
      kind: algorithmName(model.algorithm),
      evaluation: found.get(model.modelId),
      broken: model.state === ModelState.BROKEN,
    })),
    ...baselines.map(({ baseline, title }) => {
      const key = `baseline_${baselineSlugs.get(baseline) ?? ""}`;
      return { key, policy: { baseline }, name: title, kind: "Baseline", evaluation: found.get(key), broken: false };
    }),
  ].flatMap(({ broken, ...row }) => (broken && row.evaluation === undefined ? [] : [row]));
  return sorted(rows, evaluations, board);
}

function sorted(rows: readonly BoardRow[], evaluations: readonly Evaluation[], { sort, reversed }: Board): BoardRow[] {
  const column = columns.find(({ key }) => key === sort);
  // The server's order breaks ties, and is the whole order by success.
  const rank = new Map(evaluations.map((evaluation, at) => [evaluation, at]));
  const value = ({ evaluation }: BoardRow) =>
    evaluation?.figures === undefined || column === undefined ? undefined : column.of(evaluation.figures, evaluation);
  const sign = (column?.larger === true ? -1 : 1) * (reversed ? -1 : 1);
  return rows.toSorted((left, right) => {
    const [a, b] = [value(left), value(right)];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    if (a !== b) return sign * (a - b);
    const [first, second] = [left, right].map((row) => (row.evaluation && rank.get(row.evaluation)) ?? 0) as [
      number,
      number,
    ];
    return (reversed ? -1 : 1) * (first - second);
  });
}

/** Where one sees an episode of the evaluation again: a model on the inference page, a baseline, which has no network to look into, in a race of its own. */
export function episodePath(policy: MomentPolicy, { mazeId, seed }: Pick<FailedMaze, "mazeId" | "seed">): string {
  return momentPath({
    mode: "modelId" in policy ? "watch" : "race",
    lanes: [{ policy, sampling: "greedy" }],
    maze: { mazeId },
    seed,
    step: 0,
  });
}
