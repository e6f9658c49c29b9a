-- name: ModelList :many
-- The model list, at the start of the server and for every page: by name, newest version first.
SELECT * FROM models ORDER BY name COLLATE "C", version DESC, model_id COLLATE "C";

-- name: ModelGet :one
-- One model, by its page and before it is loaded.
SELECT * FROM models WHERE model_id = @model_id;

-- name: ModelLock :one
-- RegisterModel reads what is known of an id before it decides what to write. The lock makes a second registration of the id wait.
SELECT * FROM models WHERE model_id = @model_id FOR NO KEY UPDATE;

-- name: ModelInsert :execrows
-- RegisterModel adds a model that was unknown. No row is written when another instance was faster; RegisterModel then looks again.
INSERT INTO models (
    model_id, name, version, title, description, state, state_reason, algorithm, observation, score_kind, trained_at,
    registered_at, timesteps, training_run, seed, sha256, size_bytes, opset, config, origin
) VALUES (
    @model_id, @name, @version, @title, @description, @state, @state_reason, @algorithm, @observation, @score_kind, @trained_at,
    COALESCE(sqlc.narg(registered_at)::timestamptz, clock_timestamp()), @timesteps, @training_run, @seed, @sha256, @size_bytes, @opset, @config,
    @origin
) ON CONFLICT ON CONSTRAINT models_one_row_per_model_id DO NOTHING;

-- name: ModelsLock :exec
-- AddVersion takes this first, so that versions of a name are counted by one caller at a time, whatever the instance. Readers are not held up.
LOCK TABLE models IN SHARE ROW EXCLUSIVE MODE;

-- name: ModelVersionList :many
-- AddVersion looks at what is known of a name.
SELECT * FROM models WHERE name = @name ORDER BY version, model_id COLLATE "C";

-- name: ModelBreak :exec
-- RegisterModel found the file of a known model unusable. The rest of the row stays: it says what the model was.
UPDATE models SET state = 'broken', state_reason = @state_reason WHERE model_id = @model_id;

-- name: ModelRepair :exec
-- RegisterModel found the file of a broken model in order. The row was written from what little could be read: all of it is replaced.
UPDATE models SET
    name = @name, version = @version, title = @title, description = @description, state = 'ready', state_reason = '',
    algorithm = @algorithm, observation = @observation, score_kind = @score_kind, trained_at = @trained_at, timesteps = @timesteps,
    training_run = @training_run, seed = @seed, sha256 = @sha256, size_bytes = @size_bytes, opset = @opset, config = @config, origin = @origin
WHERE model_id = @model_id;

-- name: ModelSuccessInsert :batchexec
-- RegisterModel writes the measured success of a ready model, in one round trip.
INSERT INTO model_success (model_id, position, set_id, set_hash, episodes, successes, mean_steps, spl)
VALUES (@model_id, @position, @set_id, @set_hash, @episodes, @successes, @mean_steps, @spl);

-- name: ModelSuccessClear :exec
-- RegisterModel replaces the success of a model that is repaired.
DELETE FROM model_success WHERE model_id = @model_id;

-- name: ModelSuccessList :many
-- The success of all ready models, for the model list.
SELECT model_success.* FROM model_success JOIN models USING (model_id)
WHERE models.state = 'ready' ORDER BY model_success.model_id COLLATE "C", model_success.position;

-- name: ModelSuccessGet :many
-- The success of one model, for its page; none while it is broken.
SELECT model_success.* FROM model_success JOIN models USING (model_id)
WHERE model_success.model_id = @model_id AND models.state = 'ready' ORDER BY model_success.position;
