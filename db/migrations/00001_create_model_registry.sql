-- The model registry: which models exist, how well they did, which one is active, and which ones were before.
-- It only creates objects, so it locks nothing that anyone uses yet.

-- +goose Up
CREATE TABLE models (
    model_id      text        NOT NULL,
    name          text        NOT NULL,
    version       integer     NOT NULL,
    title         text        NOT NULL,
    description   text        NOT NULL,
    state         text        NOT NULL,
    state_reason  text        NOT NULL,
    algorithm     text        NOT NULL,
    observation   text        NOT NULL,
    score_kind    text        NOT NULL,
    trained_at    timestamptz,
    registered_at timestamptz NOT NULL,
    timesteps     bigint      NOT NULL,
    training_run  text        NOT NULL,
    -- A seed is an unsigned 64-bit number, which bigint can't hold.
    seed          numeric(20, 0) NOT NULL,
    sha256        text        NOT NULL,
    size_bytes    bigint      NOT NULL,
    opset         integer     NOT NULL,
    config        text        NOT NULL,

    CONSTRAINT models_one_row_per_model_id PRIMARY KEY (model_id),
    -- The id is a folder name and part of URLs.
    CONSTRAINT models_model_id_is_short CHECK (length(model_id) BETWEEN 1 AND 200),
    CONSTRAINT models_state_is_known CHECK (state IN ('ready', 'broken')),
    CONSTRAINT models_broken_has_reason CHECK ((state = 'broken') = (state_reason <> '')),
    CONSTRAINT models_seed_is_unsigned CHECK (seed BETWEEN 0 AND 18446744073709551615),
    CONSTRAINT models_timesteps_not_negative CHECK (timesteps >= 0),
    CONSTRAINT models_size_bytes_not_negative CHECK (size_bytes >= 0),
    -- A broken model is listed with what could be read of it, which may be nothing. A ready one is complete.
    -- That the id is made of name and version also makes the pair unique.
    CONSTRAINT models_ready_is_named CHECK (state = 'broken' OR (version >= 1 AND model_id = name || '-' || version)),
    CONSTRAINT models_ready_has_algorithm CHECK (state = 'broken' OR algorithm IN ('PPO', 'DQN')),
    CONSTRAINT models_ready_has_observation CHECK (state = 'broken' OR observation IN ('plain/1', 'trail/1', 'memory/1')),
    CONSTRAINT models_ready_has_score_kind CHECK (state = 'broken' OR score_kind IN ('q_value', 'logit')),
    CONSTRAINT models_ready_has_hash CHECK (state = 'broken' OR sha256 ~ '^[0-9a-f]{64}$'),
    CONSTRAINT models_ready_has_trained_at CHECK (state = 'broken' OR trained_at IS NOT NULL)
);

-- Success of a model on one set of unseen mazes. Rate and interval follow from the two counts and are not stored.
CREATE TABLE model_success (
    model_id   text             NOT NULL,
    position   integer          NOT NULL, -- order in the manifest, from 0
    set_id     text             NOT NULL,
    set_hash   text             NOT NULL,
    episodes   integer          NOT NULL,
    successes  integer          NOT NULL,
    mean_steps double precision NOT NULL,
    spl        double precision NOT NULL,

    CONSTRAINT model_success_one_row_per_position PRIMARY KEY (model_id, position),
    CONSTRAINT model_success_one_row_per_set UNIQUE (model_id, set_id, set_hash),
    CONSTRAINT model_success_has_model FOREIGN KEY (model_id) REFERENCES models (model_id) ON DELETE CASCADE,
    CONSTRAINT model_success_position_not_negative CHECK (position >= 0),
    CONSTRAINT model_success_was_measured CHECK (episodes > 0),
    CONSTRAINT model_success_not_above_episodes CHECK (successes BETWEEN 0 AND episodes),
    CONSTRAINT model_success_mean_steps_not_negative CHECK (mean_steps >= 0 AND mean_steps < 'Infinity'),
    CONSTRAINT model_success_spl_is_share CHECK (spl BETWEEN 0 AND 1)
);

-- The history of the active model. Rows are added and never changed.
CREATE TABLE activations (
    activation_id     bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    model_id          text        NOT NULL,
    previous_model_id text,
    reason            text        NOT NULL,
    activated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT activations_one_row_per_activation_id PRIMARY KEY (activation_id),
    -- What active_model's foreign key needs: pointer and history can't name different models.
    CONSTRAINT activations_pair_is_referable UNIQUE (activation_id, model_id),
    CONSTRAINT activations_has_model FOREIGN KEY (model_id) REFERENCES models (model_id),
    CONSTRAINT activations_has_previous_model FOREIGN KEY (previous_model_id) REFERENCES models (model_id),
    CONSTRAINT activations_changes_model CHECK (previous_model_id IS DISTINCT FROM model_id)
);

-- +goose StatementBegin
CREATE FUNCTION activations_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'activations is append-only: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'activations_append_only', TABLE = 'activations';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER activations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON activations
    FOR EACH STATEMENT EXECUTE FUNCTION activations_refuse_change();

-- Which model acts when none is named: no row (none yet) or one.
CREATE TABLE active_model (
    one_row       boolean NOT NULL DEFAULT true,
    model_id      text    NOT NULL,
    activation_id bigint  NOT NULL,

    CONSTRAINT active_model_one_row PRIMARY KEY (one_row),
    CONSTRAINT active_model_no_second_row CHECK (one_row),
    CONSTRAINT active_model_has_model FOREIGN KEY (model_id) REFERENCES models (model_id),
    CONSTRAINT active_model_has_activation FOREIGN KEY (activation_id, model_id) REFERENCES activations (activation_id, model_id)
);

-- Only a ready model becomes active. A model that breaks while it is active stays the active one: the disk failed, nobody
-- chose another model, and a repaired file puts it back to work.
-- +goose StatementBegin
CREATE FUNCTION active_model_check_ready() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- FOR SHARE: the model can't become broken between this look and the commit.
    PERFORM 1 FROM models WHERE model_id = NEW.model_id AND state = 'ready' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'model % is not ready', NEW.model_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'active_model_is_ready', TABLE = 'active_model';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER active_model_is_ready BEFORE INSERT OR UPDATE ON active_model
    FOR EACH ROW EXECUTE FUNCTION active_model_check_ready();

-- +goose Down
DROP TABLE active_model;
DROP FUNCTION active_model_check_ready();
DROP TABLE activations;
DROP FUNCTION activations_refuse_change();
DROP TABLE model_success;
DROP TABLE models;
