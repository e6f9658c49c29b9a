-- The history of the active model says who switched, on what evidence and past which check, and which activation a roll-back undid; and the
-- instances that share the database hear of each change.
-- The columns are added without rewriting the table; activations and active_model are locked for a moment, so a switch waits and reads do, too.

-- +goose Up
ALTER TABLE activations
    ADD COLUMN actor                text NOT NULL DEFAULT '',
    ADD COLUMN override_reason      text NOT NULL DEFAULT '',
    ADD COLUMN undone_activation_id bigint,
    -- The evidence at the moment of the switch: what is measured of a model may change, what was decided on does not.
    ADD COLUMN parity_vectors       integer,
    ADD COLUMN parity_deviation     double precision,
    ADD COLUMN set_id               text,
    ADD COLUMN set_hash             text,
    ADD COLUMN episodes             integer,
    ADD COLUMN successes            integer,
    ADD COLUMN previous_episodes    integer,
    ADD COLUMN previous_successes   integer,
    -- An activation is undone once, so a repeated roll-back finds the first one.
    ADD CONSTRAINT activations_undone_once UNIQUE (undone_activation_id),
    ADD CONSTRAINT activations_has_undone FOREIGN KEY (undone_activation_id) REFERENCES activations (activation_id),
    ADD CONSTRAINT activations_undoes_earlier CHECK (undone_activation_id < activation_id),
    ADD CONSTRAINT activations_parity_is_whole CHECK (num_nonnulls(parity_vectors, parity_deviation) IN (0, 2)),
    ADD CONSTRAINT activations_parity_was_measured CHECK (parity_vectors > 0 AND parity_deviation >= 0 AND parity_deviation < 'Infinity'),
    ADD CONSTRAINT activations_success_is_whole
        CHECK (num_nonnulls(set_id, set_hash, episodes, successes, previous_episodes, previous_successes) IN (0, 6)),
    ADD CONSTRAINT activations_success_was_measured
        CHECK (successes BETWEEN 0 AND episodes AND previous_successes BETWEEN 0 AND previous_episodes AND episodes > 0 AND previous_episodes > 0),
    ADD CONSTRAINT activations_success_has_previous CHECK (set_id IS NULL OR previous_model_id IS NOT NULL);

-- The commit sends it, whoever writes: no instance can forget to tell the others.
-- +goose StatementBegin
CREATE FUNCTION activations_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rlmaze_activations', NEW.activation_id::text);
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER activations_are_heard AFTER INSERT ON activations
    FOR EACH ROW EXECUTE FUNCTION activations_notify();

-- +goose Down
DROP TRIGGER activations_are_heard ON activations;
DROP FUNCTION activations_notify();
ALTER TABLE activations
    DROP COLUMN actor,
    DROP COLUMN override_reason,
    DROP COLUMN undone_activation_id,
    DROP COLUMN parity_vectors,
    DROP COLUMN parity_deviation,
    DROP COLUMN set_id,
    DROP COLUMN set_hash,
    DROP COLUMN episodes,
    DROP COLUMN successes,
    DROP COLUMN previous_episodes,
    DROP COLUMN previous_successes;
