-- name: ActiveModelGet :one
-- Which model acts when none is named, with the activation that made it so. Read at start and by GetActiveModel.
SELECT activations.* FROM active_model JOIN activations USING (activation_id);

-- name: ActiveModelLock :exec
-- ActivateModel takes this first, so that two switches happen one after the other, even while there is no row to lock.
-- Readers are not held up.
LOCK TABLE active_model IN SHARE ROW EXCLUSIVE MODE;

-- name: ActiveModelSet :exec
-- ActivateModel points at the activation that it has just appended.
INSERT INTO active_model (model_id, activation_id) VALUES (@model_id, @activation_id)
ON CONFLICT ON CONSTRAINT active_model_one_row
DO UPDATE SET model_id = excluded.model_id, activation_id = excluded.activation_id;

-- name: ActivationInsert :one
-- ActivateModel appends to the history; the database's clock says when.
INSERT INTO activations (
    model_id, previous_model_id, reason, actor, override_reason, undone_activation_id, parity_vectors, parity_deviation,
    set_id, set_hash, episodes, successes, previous_episodes, previous_successes
) VALUES (
    @model_id, sqlc.narg(previous_model_id), @reason, @actor, @override_reason, sqlc.narg(undone_activation_id), sqlc.narg(parity_vectors),
    sqlc.narg(parity_deviation), sqlc.narg(set_id), sqlc.narg(set_hash), sqlc.narg(episodes), sqlc.narg(successes),
    sqlc.narg(previous_episodes), sqlc.narg(previous_successes)
) RETURNING *;

-- name: ActivationList :many
-- A page of the history, the newest first, for people; @most_recent leaves out what came later than a time, so that the first row was in
-- force then. Ids grow in the order of the switches, because each takes its id under the lock of active_model.
SELECT * FROM activations
WHERE activation_id < @before_id AND (sqlc.narg(most_recent)::timestamptz IS NULL OR activated_at <= sqlc.narg(most_recent)::timestamptz)
ORDER BY activation_id DESC LIMIT @most;

-- name: ActivationListAfter :many
-- What the follower of the active model has not seen, oldest first; it asks after each notification and each new connection.
SELECT * FROM activations WHERE activation_id > @after_id ORDER BY activation_id LIMIT @most;

-- name: ActivationGetUndoing :one
-- The roll-back of an activation, for a roll-back that is asked for again.
SELECT * FROM activations WHERE undone_activation_id = @undone_activation_id;

-- name: ActivationGetBefore :one
-- The last activation of another model before a given one: where its roll-back goes.
SELECT earlier.* FROM activations AS earlier JOIN activations AS given
    ON earlier.activation_id < given.activation_id AND earlier.model_id <> given.model_id
WHERE given.activation_id = @activation_id ORDER BY earlier.activation_id DESC LIMIT 1;

-- name: ActivationsListen :exec
-- The follower of the active model hears of each new activation; the trigger activations_are_heard sends it.
LISTEN rlmaze_activations;
