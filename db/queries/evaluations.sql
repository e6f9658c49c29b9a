-- name: EvaluationSave :one
-- EvaluateModel keeps what it measured in place of the earlier evaluation of the same policy on the same content of the set. Its groups are
-- replaced by the two queries that follow, in the same transaction.
INSERT INTO evaluations (model_id, baseline, model_sha256, set_id, set_hash, failed_positions, mean_step_us, p95_step_us, evaluated_at)
VALUES (sqlc.narg(model_id), sqlc.narg(baseline), @model_sha256, @set_id, @set_hash, @failed_positions, @mean_step_us, @p95_step_us, @evaluated_at)
ON CONFLICT ON CONSTRAINT evaluations_one_row_per_policy_and_set
DO UPDATE SET model_sha256 = excluded.model_sha256, set_id = excluded.set_id, failed_positions = excluded.failed_positions,
    mean_step_us = excluded.mean_step_us, p95_step_us = excluded.p95_step_us, evaluated_at = excluded.evaluated_at
RETURNING evaluation_id;

-- name: EvaluationGroupClear :exec
-- EvaluateModel replaces the groups of an evaluation that it measured again.
DELETE FROM evaluation_groups WHERE evaluation_id = @evaluation_id;

-- name: EvaluationGroupInsert :batchexec
-- EvaluateModel writes the groups of an evaluation, in one round trip.
INSERT INTO evaluation_groups (evaluation_id, difficulty, maze_rows, maze_cols, puzzle_id, episodes, successes, steps, bumps, revisits, spl_sum)
VALUES (@evaluation_id, @difficulty, @maze_rows, @maze_cols, @puzzle_id, @episodes, @successes, @steps, @bumps, @revisits, @spl_sum);

-- name: EvaluationList :many
-- The leaderboard of one content of a set; EvaluateModel finds in it what it need not measure. A handful of rows: one a model and baseline.
SELECT * FROM evaluations WHERE set_hash = @set_hash ORDER BY model_id COLLATE "C" NULLS LAST, baseline COLLATE "C";

-- name: EvaluationGroupList :many
-- The groups of the leaderboard's rows.
SELECT evaluation_groups.* FROM evaluation_groups JOIN evaluations USING (evaluation_id)
WHERE evaluations.set_hash = @set_hash ORDER BY evaluation_groups.evaluation_id, difficulty, maze_rows, maze_cols, puzzle_id COLLATE "C";
