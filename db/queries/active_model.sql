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
INSERT INTO activations (model_id, previous_model_id, reason) VALUES (@model_id, sqlc.narg(previous_model_id), @reason) RETURNING *;
