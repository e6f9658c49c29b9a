-- name: TrainingGet :one
-- One run, by its page, before it is watched, stopped or resumed.
SELECT * FROM trainings WHERE run_id = @run_id;

-- name: TrainingFind :many
-- The server compares what a trainer lists with what it keeps.
SELECT * FROM trainings WHERE run_id = ANY(@run_ids::text[]);

-- name: TrainingList :many
-- A page of the list, the newest first; without a cursor the first one.
SELECT * FROM trainings
WHERE sqlc.narg(before_run_id)::text IS NULL OR (created_at, run_id) < (sqlc.narg(before_created_at)::timestamptz, sqlc.narg(before_run_id)::text)
ORDER BY created_at DESC, run_id DESC LIMIT @most;

-- name: TrainingListOpen :many
-- Runs whose trainer has not said its last word, for the server that looks after them.
SELECT * FROM trainings WHERE state IN ('queued', 'running', 'stopping') ORDER BY created_at, run_id;

-- name: TrainingListUnsettledInMLflow :many
-- Settled runs that MLflow still calls running.
SELECT * FROM trainings WHERE settled_at IS NOT NULL AND NOT settled_in_mlflow AND mlflow_run_id <> '' ORDER BY settled_at LIMIT 100;

-- name: TrainingAdd :exec
-- The server hears of a run from its trainer: for the first time, or again with newer facts. State and events come by TrainingAdvance only. A run
-- that was settled is open again.
INSERT INTO trainings (
    run_id, trainer, request_id, state, phase, failure, name, title, algorithm, observation, total_timesteps, seed, device, config_yaml,
    queue_position, created_at, started_at, ended_at, latest, best_checkpoint, held_out, model_id, resumed_from, resumable, notices, mlflow_run_id
) VALUES (
    @run_id, @trainer, sqlc.narg(request_id), @state, @phase, @failure, @name, @title, @algorithm, @observation, @total_timesteps, @seed, @device, @config_yaml,
    @queue_position, @created_at, @started_at, @ended_at, @latest, @best_checkpoint, @held_out, @model_id, @resumed_from, @resumable, @notices, @mlflow_run_id
) ON CONFLICT ON CONSTRAINT trainings_one_row_per_run_id DO UPDATE SET
    trainer = excluded.trainer, request_id = COALESCE(trainings.request_id, excluded.request_id), device = excluded.device,
    queue_position = excluded.queue_position, started_at = COALESCE(trainings.started_at, excluded.started_at),
    held_out = excluded.held_out, model_id = excluded.model_id, resumable = excluded.resumable, notices = excluded.notices,
    mlflow_run_id = excluded.mlflow_run_id, settled_at = NULL, settled_reason = NULL, settled_in_mlflow = false;

-- name: TrainingLock :one
-- AppendEvents decides what of a batch is new; two servers that follow one trainer append one after the other.
SELECT last_sequence FROM trainings WHERE run_id = @run_id FOR NO KEY UPDATE;

-- name: TrainingAdvance :exec
-- AppendEvents writes what the events make of the run.
UPDATE trainings SET
    state = @state, phase = @phase, failure = @failure, started_at = @started_at, ended_at = @ended_at, last_sequence = @last_sequence,
    latest = @latest, best_checkpoint = @best_checkpoint, held_out = @held_out, model_id = @model_id, notices = @notices,
    mlflow_run_id = @mlflow_run_id, settled_at = NULL, settled_reason = NULL, settled_in_mlflow = false
WHERE run_id = @run_id;

-- name: TrainingSettle :execrows
-- The trainer of an open run is lost.
UPDATE trainings SET settled_at = @settled_at, settled_reason = @settled_reason, settled_in_mlflow = false
WHERE run_id = @run_id AND settled_at IS NULL AND state IN ('queued', 'running', 'stopping');

-- name: TrainingMarkSettledInMLflow :exec
-- MLflow was told of it.
UPDATE trainings SET settled_in_mlflow = true WHERE run_id = @run_id AND settled_at IS NOT NULL;

-- name: TrainingTrainerOfRequest :one
-- A repeated start goes to the trainer that has the run.
SELECT trainer FROM trainings WHERE request_id = @request_id ORDER BY created_at LIMIT 1;

-- name: TrainingRewind :exec
-- The trainer's log has become shorter than ours: its events are read again from the first.
UPDATE trainings SET last_sequence = 0, latest = NULL, best_checkpoint = NULL WHERE run_id = @run_id;

-- name: TrainingChunkClear :exec
-- See TrainingRewind.
DELETE FROM training_chunks WHERE run_id = @run_id;

-- name: TrainingChunkInsert :exec
-- AppendEvents adds what is new.
INSERT INTO training_chunks (run_id, first_sequence, last_sequence, packed, events)
VALUES (@run_id, @first_sequence, @last_sequence, @packed, @events);

-- name: TrainingChunkLoose :one
-- AppendEvents looks whether it is time to pack: how many chunks are loose, and their bytes.
SELECT count(*) AS chunks, COALESCE(sum(octet_length(events)), 0)::bigint AS bytes FROM training_chunks WHERE run_id = @run_id AND NOT packed;

-- name: TrainingChunkPack :exec
-- Loose chunks become one: encoded lists of events one behind the other are the encoded list of all of them.
WITH loose AS (
    DELETE FROM training_chunks AS old WHERE old.run_id = @run_id AND NOT old.packed RETURNING old.run_id, old.first_sequence, old.last_sequence, old.events
)
INSERT INTO training_chunks (run_id, first_sequence, last_sequence, packed, events)
SELECT loose.run_id, min(loose.first_sequence), max(loose.last_sequence), true, string_agg(loose.events, ''::bytea ORDER BY loose.first_sequence)
FROM loose GROUP BY loose.run_id;

-- name: TrainingChunkList :many
-- Chunks that hold events after a sequence, in order, a few at a time.
SELECT first_sequence, last_sequence, events FROM training_chunks
WHERE run_id = @run_id AND last_sequence > @after_sequence ORDER BY last_sequence LIMIT @most;
