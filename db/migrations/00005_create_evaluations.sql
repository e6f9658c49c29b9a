-- What policies reached on whole maze sets, for the leaderboard: one row for the newest evaluation of a policy on one content of a set.
-- It only creates tables; the foreign key takes a share lock on models for the moment that creating it needs.

-- +goose Up
CREATE TABLE evaluations (
    evaluation_id    bigint           NOT NULL GENERATED ALWAYS AS IDENTITY,
    model_id         text,                      -- of a model, else NULL
    baseline         text,                      -- of a baseline, else NULL
    model_sha256     text             NOT NULL, -- of the file that acted: a shipped file may be replaced; empty for a baseline
    set_id           text             NOT NULL,
    set_hash         text             NOT NULL, -- the content of the set; a row of another content is never shown and may stay
    failed_positions integer[]        NOT NULL, -- of failed mazes in the set, from 0, the first hundred
    mean_step_us     double precision NOT NULL,
    p95_step_us      double precision NOT NULL,
    evaluated_at     timestamptz      NOT NULL,

    CONSTRAINT evaluations_one_row_per_evaluation_id PRIMARY KEY (evaluation_id),
    CONSTRAINT evaluations_one_row_per_policy_and_set UNIQUE NULLS NOT DISTINCT (set_hash, model_id, baseline),
    CONSTRAINT evaluations_has_model FOREIGN KEY (model_id) REFERENCES models (model_id) ON DELETE CASCADE,
    CONSTRAINT evaluations_one_policy CHECK (num_nonnulls(model_id, baseline) = 1),
    CONSTRAINT evaluations_baseline_is_known CHECK (baseline IN ('random', 'wall_follower', 'least_recently_visited', 'trail_heuristic',
        'memory_heuristic', 'nearest_frontier', 'shortest_path')),
    CONSTRAINT evaluations_model_has_hash CHECK ((model_id IS NOT NULL AND model_sha256 ~ '^[0-9a-f]{64}$') OR (model_id IS NULL AND model_sha256 = '')),
    CONSTRAINT evaluations_failed_positions_are_few CHECK (cardinality(failed_positions) <= 100),
    CONSTRAINT evaluations_failed_positions_not_negative CHECK (0 <= ALL (failed_positions)),
    CONSTRAINT evaluations_mean_step_us_not_negative CHECK (mean_step_us >= 0 AND mean_step_us < 'Infinity'),
    CONSTRAINT evaluations_p95_step_us_not_negative CHECK (p95_step_us >= 0 AND p95_step_us < 'Infinity')
);

-- Sums over the mazes of one difficulty and size, or of one puzzle. They add up to every figure that is shown, so no figure is stored.
CREATE TABLE evaluation_groups (
    evaluation_id bigint           NOT NULL,
    difficulty    integer          NOT NULL, -- 1 easy, 2 medium, 3 hard
    maze_rows     integer          NOT NULL,
    maze_cols     integer          NOT NULL,
    puzzle_id     text             NOT NULL, -- the maze_id of a maze with a title; empty for the others together
    episodes      integer          NOT NULL,
    successes     integer          NOT NULL,
    steps         bigint           NOT NULL,
    bumps         bigint           NOT NULL,
    revisits      bigint           NOT NULL,
    spl_sum       double precision NOT NULL,

    CONSTRAINT evaluation_groups_one_row_per_group PRIMARY KEY (evaluation_id, difficulty, maze_rows, maze_cols, puzzle_id),
    CONSTRAINT evaluation_groups_has_evaluation FOREIGN KEY (evaluation_id) REFERENCES evaluations (evaluation_id) ON DELETE CASCADE,
    CONSTRAINT evaluation_groups_difficulty_is_known CHECK (difficulty BETWEEN 1 AND 3),
    CONSTRAINT evaluation_groups_size_in_range CHECK (maze_rows BETWEEN 3 AND 100 AND maze_cols BETWEEN 3 AND 100),
    CONSTRAINT evaluation_groups_was_measured CHECK (episodes > 0),
    CONSTRAINT evaluation_groups_successes_not_above_episodes CHECK (successes BETWEEN 0 AND episodes),
    CONSTRAINT evaluation_groups_steps_not_below_episodes CHECK (steps >= episodes),
    CONSTRAINT evaluation_groups_bumps_not_above_steps CHECK (bumps BETWEEN 0 AND steps),
    CONSTRAINT evaluation_groups_revisits_not_above_steps CHECK (revisits BETWEEN 0 AND steps),
    CONSTRAINT evaluation_groups_spl_not_above_successes CHECK (spl_sum BETWEEN 0 AND successes)
);

-- +goose Down
-- Figures are lost and can be measured again.
DROP TABLE evaluation_groups;
DROP TABLE evaluations;
