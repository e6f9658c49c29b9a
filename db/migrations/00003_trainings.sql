-- Training runs and their events, as the server has read them from its trainers. The trainer's event log is where a run is told first; these
-- tables are its copy, from which every viewer is served. It only creates tables, so it locks nothing that anyone uses yet.

-- +goose Up
CREATE TABLE trainings (
    run_id          text        NOT NULL,
    trainer         text        NOT NULL, -- that has it, or had it last
    request_id      text,                 -- of the start, so that a repeated one goes to the same trainer
    state           text        NOT NULL, -- the trainer's last word; see settled_at
    phase           text        NOT NULL,
    failure         text        NOT NULL,
    name            text        NOT NULL,
    title           text        NOT NULL,
    algorithm       text        NOT NULL,
    observation     text        NOT NULL,
    total_timesteps bigint      NOT NULL,
    seed            bigint      NOT NULL,
    device          text        NOT NULL,
    config_yaml     text        NOT NULL,
    queue_position  integer     NOT NULL,
    created_at      timestamptz NOT NULL,
    started_at      timestamptz,
    ended_at        timestamptz,
    last_sequence   bigint      NOT NULL DEFAULT 0, -- of the events that are kept
    latest          bytea,                          -- rlmaze.training.v1.TrainingProgress
    best_checkpoint bytea,                          -- rlmaze.training.v1.TrainingCheckpoint
    held_out        bytea,                          -- rlmaze.model.v1.SuccessRate
    model_id        text        NOT NULL,
    resumed_from    text        NOT NULL,
    resumable       boolean     NOT NULL,
    notices         text[]      NOT NULL,
    mlflow_run_id   text        NOT NULL,
    -- Set while the server calls an open run failed because its trainer is lost. The trainer's return clears them.
    settled_at        timestamptz,
    settled_reason    text,
    settled_in_mlflow boolean   NOT NULL DEFAULT false,

    CONSTRAINT trainings_one_row_per_run_id PRIMARY KEY (run_id),
    CONSTRAINT trainings_run_id_is_name CHECK (run_id ~ '^[a-z0-9-]{1,128}$'),
    CONSTRAINT trainings_state_is_known CHECK (state IN ('queued', 'running', 'stopping', 'stopped', 'completed', 'failed')),
    CONSTRAINT trainings_phase_is_known CHECK (phase IN ('', 'preparing', 'learning', 'exporting', 'evaluating', 'registering')),
    CONSTRAINT trainings_seed_is_uint32 CHECK (seed BETWEEN 0 AND 4294967295),
    CONSTRAINT trainings_last_sequence_not_negative CHECK (last_sequence >= 0),
    CONSTRAINT trainings_settled_has_reason CHECK ((settled_at IS NULL) = (settled_reason IS NULL)),
    CONSTRAINT trainings_final_is_not_settled CHECK (settled_at IS NULL OR state IN ('queued', 'running', 'stopping'))
);

-- The list of runs, the newest first, in pages.
CREATE INDEX trainings_newest_first ON trainings (created_at DESC, run_id DESC);
-- The few runs that somebody has to look after.
CREATE INDEX trainings_open ON trainings (trainer) WHERE state IN ('queued', 'running', 'stopping');
CREATE INDEX trainings_of_request ON trainings (request_id) WHERE request_id IS NOT NULL;

-- Consecutive events of one run, many to a row: a run of a million episodes is some hundred rows.
CREATE TABLE training_chunks (
    run_id         text    NOT NULL,
    first_sequence bigint  NOT NULL,
    last_sequence  bigint  NOT NULL,
    packed         boolean NOT NULL, -- false: one of the newest, to be packed together with its neighbours
    events         bytea   NOT NULL, -- rlmaze.training.v1.TrainingEvents; two of them one behind the other are one as well

    CONSTRAINT training_chunks_one_row_per_first_sequence PRIMARY KEY (run_id, first_sequence),
    CONSTRAINT training_chunks_one_row_per_last_sequence UNIQUE (run_id, last_sequence),
    CONSTRAINT training_chunks_has_training FOREIGN KEY (run_id) REFERENCES trainings (run_id) ON DELETE CASCADE,
    CONSTRAINT training_chunks_sequences_ascend CHECK (first_sequence BETWEEN 1 AND last_sequence),
    CONSTRAINT training_chunks_not_empty CHECK (octet_length(events) > 0)
);

-- Rewards are noise: compressing them costs much and saves little.
ALTER TABLE training_chunks ALTER COLUMN events SET STORAGE EXTERNAL;

-- +goose Down
-- The trainers still have their runs: the server reads them again after the way up.
DROP TABLE training_chunks;
DROP TABLE trainings;
