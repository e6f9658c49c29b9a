package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rlmaze/rlmaze/gen/sqlc"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// errIDTaken: two files can't be the same version of a model.
var errIDTaken = &domain.Error{Code: domain.CodeAlreadyExists, Field: "model_id", Rule: "model.id_taken", Message: "model_id is taken by a model with another file; register it under the next version"}

// snapshot is for reads that combine statements: all of them see one state.
var snapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

// ListModels implements domain.ModelRegistry.
func (s *Store) ListModels(ctx context.Context) ([]domain.Model, error) {
	var models []domain.Model
	err := s.transact(ctx, "list models", snapshot, func(ctx context.Context, q *sqlc.Queries) error {
		rows, err := q.ModelList(ctx)
		if err != nil {
			return err
		}
		success, err := q.ModelSuccessList(ctx)
		if err != nil {
			return err
		}
		ofModel := make(map[string][]domain.SuccessRate)
		for _, row := range success {
			ofModel[row.ModelID] = append(ofModel[row.ModelID], successFromRow(row))
		}
		models = make([]domain.Model, 0, len(rows))
		for _, row := range rows {
			models = append(models, modelFromRow(row, ofModel[row.ModelID]))
		}
		return nil
	})
	return models, err
}

// GetModel implements domain.ModelRegistry.
func (s *Store) GetModel(ctx context.Context, id string) (domain.Model, error) {
	if !storableText(id) {
		return domain.Model{}, domain.ErrModelNotFound
	}
	var model domain.Model
	err := s.transact(ctx, "get model", snapshot, func(ctx context.Context, q *sqlc.Queries) error {
		row, err := q.ModelGet(ctx, id)
		if errors.Is(err, pgx.ErrNoRows) {
			return domain.ErrModelNotFound
		}
		if err != nil {
			return err
		}
		rows, err := q.ModelSuccessGet(ctx, id)
		if err != nil {
			return err
		}
		var success []domain.SuccessRate
		for _, row := range rows {
			success = append(success, successFromRow(row))
		}
		model = modelFromRow(row, success)
		return nil
	})
	return model, err
}

// RegisterModel implements domain.ModelRegistry. An empty SHA256 means that the file could not be read: it agrees with any hash, so a
// model whose manifest is lost is marked broken, and is repaired when the manifest is back. A zero RegisteredAt is the database's now.
func (s *Store) RegisterModel(ctx context.Context, m domain.Model) error {
	return s.transact(ctx, "register model", pgx.TxOptions{}, func(ctx context.Context, q *sqlc.Queries) error {
		return register(ctx, q, m)
	})
}

func register(ctx context.Context, q *sqlc.Queries, m domain.Model) error {
	inserted, err := q.ModelInsert(ctx, insertFromModel(m))
	if err != nil {
		return err
	}
	if inserted == 1 {
		return insertSuccess(ctx, q, m)
	}
	known, err := q.ModelLock(ctx, m.ID)
	if err != nil {
		return err
	}
	if known.Sha256 != "" && m.SHA256 != "" && known.Sha256 != m.SHA256 {
		return errIDTaken
	}
	switch {
	case m.State == domain.ModelStateBroken:
		return q.ModelBreak(ctx, sqlc.ModelBreakParams{ModelID: m.ID, StateReason: textFrom(m.StateReason)})
	case known.State == string(domain.ModelStateBroken):
		return rewrite(ctx, q, m)
	default:
		// A ready model that is known: it is immutable, so there is nothing to write.
		return nil
	}
}

// AddVersion implements domain.ModelRegistry.
func (s *Store) AddVersion(ctx context.Context, name string, add func(known []domain.Model, register func(domain.Model) error) error) error {
	return s.transact(ctx, "add version", pgx.TxOptions{}, func(ctx context.Context, q *sqlc.Queries) error {
		if err := q.ModelsLock(ctx); err != nil {
			return err
		}
		rows, err := q.ModelVersionList(ctx, name)
		if err != nil {
			return err
		}
		known := make([]domain.Model, 0, len(rows))
		for _, row := range rows {
			known = append(known, modelFromRow(row, nil))
		}
		return add(known, func(m domain.Model) error { return translateError("register model", register(ctx, q, m)) })
	})
}

// ReplaceModel implements domain.ModelRegistry.
func (s *Store) ReplaceModel(ctx context.Context, m domain.Model, reason string) error {
	return s.transact(ctx, "replace model", pgx.TxOptions{}, func(ctx context.Context, q *sqlc.Queries) error {
		if err := q.ActiveModelLock(ctx); err != nil { // before the model, as ActivateModel does
			return err
		}
		if _, err := q.ModelLock(ctx, m.ID); errors.Is(err, pgx.ErrNoRows) {
			return domain.ErrModelNotFound
		} else if err != nil {
			return err
		}
		if err := rewrite(ctx, q, m); err != nil {
			return err
		}
		current, err := q.ActiveModelGet(ctx)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && current.ModelID != m.ID {
			return nil
		}
		if err != nil {
			return err
		}
		// Without a previous model: the file that was active under this id is no longer there.
		return setActive(ctx, q, sqlc.ActivationInsertParams{ModelID: m.ID, Reason: textFrom(reason), Actor: domain.ActorServer}, nil)
	})
}

// rewrite writes a ready model over what was known of its id.
func rewrite(ctx context.Context, q *sqlc.Queries, m domain.Model) error {
	if err := q.ModelRepair(ctx, repairFromModel(m)); err != nil {
		return err
	}
	if err := q.ModelSuccessClear(ctx, m.ID); err != nil {
		return err
	}
	return insertSuccess(ctx, q, m)
}

// setActive appends to the history and points at the entry, which goes into activation where that is not nil.
func setActive(ctx context.Context, q *sqlc.Queries, entry sqlc.ActivationInsertParams, activation *domain.Activation) error {
	row, err := q.ActivationInsert(ctx, entry)
	if err != nil {
		return err
	}
	if activation != nil {
		*activation = activationFromRow(row)
	}
	return q.ActiveModelSet(ctx, sqlc.ActiveModelSetParams{ModelID: entry.ModelID, ActivationID: row.ActivationID})
}

// insertSuccess writes the success of a ready model. Figures of a broken one may be as broken as its file and are not kept.
func insertSuccess(ctx context.Context, q *sqlc.Queries, m domain.Model) error {
	if m.State != domain.ModelStateReady || len(m.Success) == 0 {
		return nil
	}
	rows := make([]sqlc.ModelSuccessInsertParams, 0, len(m.Success))
	for i, rate := range m.Success {
		rows = append(rows, insertFromSuccess(m.ID, i, rate))
	}
	return executed(q.ModelSuccessInsert(ctx, rows))
}

// executed runs the statements of a batch and returns the first error.
func executed(batch interface {
	Exec(each func(int, error))
	Close() error
}) error {
	var first error
	batch.Exec(func(_ int, err error) {
		if first == nil {
			first = err
		}
	})
	if err := batch.Close(); first == nil {
		first = err
	}
	return first
}

// ActiveModel implements domain.ModelRegistry.
func (s *Store) ActiveModel(ctx context.Context) (domain.Activation, error) {
	return s.activation(ctx, "get active model", domain.ErrNoActiveModel, func(ctx context.Context, q *sqlc.Queries) (sqlc.Activation, error) {
		return q.ActiveModelGet(ctx)
	})
}

// ActivateModel implements domain.ModelRegistry. Instances that switch at the same time switch one after the other.
func (s *Store) ActivateModel(ctx context.Context, wanted domain.Switch) (domain.Activation, error) {
	if !storableText(wanted.ModelID) {
		return domain.Activation{}, domain.ErrModelNotFound
	}
	var activation domain.Activation
	err := s.transact(ctx, "activate model", pgx.TxOptions{}, func(ctx context.Context, q *sqlc.Queries) error {
		if err := q.ActiveModelLock(ctx); err != nil {
			return err
		}
		var current domain.Activation
		row, err := q.ActiveModelGet(ctx)
		none := errors.Is(err, pgx.ErrNoRows)
		if err == nil {
			current = activationFromRow(row)
		} else if !none {
			return err
		}
		if !none && wanted.Undoes == 0 && (wanted.OnlyIfNone || current.ModelID == wanted.ModelID) {
			activation = current
			return nil
		}
		if wanted.Expected != 0 && (none != (wanted.Expected == domain.ExpectNone) || !none && current.ID != wanted.Expected) {
			return &domain.ActiveModelChanged{Activation: current}
		}
		// The foreign key and the trigger of active_model refuse what does not exist or is broken; translateError names it.
		return setActive(ctx, q, insertFromSwitch(wanted, current.ModelID), &activation)
	})
	if err != nil {
		return domain.Activation{}, err
	}
	return activation, nil
}

// ListActivations implements domain.ModelRegistry.
func (s *Store) ListActivations(ctx context.Context, before int64, at time.Time, limit int) ([]domain.Activation, error) {
	params := sqlc.ActivationListParams{BeforeID: before, MostRecent: timeToRow(at), Most: int32From(limit)}
	if before == 0 {
		params.BeforeID = math.MaxInt64
	}
	var activations []domain.Activation
	err := s.call(ctx, "list activations", func(ctx context.Context, q *sqlc.Queries) error {
		rows, err := q.ActivationList(ctx, params)
		activations = activationsFromRows(rows)
		return err
	})
	return activations, err
}

// RollBackOf implements domain.ModelRegistry.
func (s *Store) RollBackOf(ctx context.Context, id int64) (domain.Activation, error) {
	return s.activation(ctx, "get roll-back", domain.ErrNotRolledBack, func(ctx context.Context, q *sqlc.Queries) (sqlc.Activation, error) {
		return q.ActivationGetUndoing(ctx, &id)
	})
}

// ActivationBefore implements domain.ModelRegistry.
func (s *Store) ActivationBefore(ctx context.Context, id int64) (domain.Activation, error) {
	return s.activation(ctx, "get earlier activation", domain.ErrNoEarlierModel, func(ctx context.Context, q *sqlc.Queries) (sqlc.Activation, error) {
		return q.ActivationGetBefore(ctx, id)
	})
}

// activation reads one activation; missing is the error where there is none.
func (s *Store) activation(ctx context.Context, what string, missing error, read func(context.Context, *sqlc.Queries) (sqlc.Activation, error)) (domain.Activation, error) {
	var activation domain.Activation
	err := s.call(ctx, what, func(ctx context.Context, q *sqlc.Queries) error {
		row, err := read(ctx, q)
		if errors.Is(err, pgx.ErrNoRows) {
			return missing
		}
		activation = activationFromRow(row)
		return err
	})
	return activation, err
}

// ResumeSecret implements domain.Secrets. The first instance that asks makes the 32 bytes; all later ones, and the same one after a
// restart, get the same.
func (s *Store) ResumeSecret(ctx context.Context) ([]byte, error) {
	var secret []byte
	err := s.call(ctx, "get server secret", func(ctx context.Context, q *sqlc.Queries) error {
		offered := make([]byte, 32)
		// crypto/rand.Read never returns an error: it ends the program instead.
		_, _ = rand.Read(offered)
		if err := q.ServerSecretOffer(ctx, offered); err != nil {
			return err
		}
		var err error
		secret, err = q.ServerSecretGet(ctx)
		return err
	})
	return secret, err
}
