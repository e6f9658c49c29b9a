package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// translateError turns what PostgreSQL and its driver say into a domain error; it is the only place where that happens.
// A domain error passes unchanged, and so does a cancellation by the caller, who knows already.
func translateError(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*domain.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pgErr.ConstraintName {
		case "active_model_is_ready":
			return domain.ErrModelBroken
		case "activations_has_model", "active_model_has_model", "evaluations_has_model":
			return domain.ErrModelNotFound
		case "models_registered_file_once":
			return domain.ErrFileKnown
		}
		if refusesData(pgErr.Code) {
			return &domain.Error{Code: domain.CodeInternal, Rule: "store.refused", Message: "the registry refused the row", Cause: fmt.Errorf("%s: %w", what, err)}
		}
	}
	// Everything else is the database's own trouble: no connection, too many of them, shutting down, a timeout, a full disk,
	// a serialization failure, a missing permission. Later it will work, or health tells the operator.
	if errors.Is(err, pgx.ErrNoRows) {
		return &domain.Error{Code: domain.CodeInternal, Rule: "store.row_missing", Message: "the registry lacks a row that it must hold", Cause: fmt.Errorf("%s: %w", what, err)}
	}
	return domain.Unavailable("postgresql", fmt.Errorf("%s: %w", what, err))
}

// refusesData says whether the SQL state blames the statement or its values, which no retry will change.
func refusesData(state string) bool {
	switch state {
	case "42501", "42P01", "42703": // A missing permission; a table or a column that a migration has yet to make.
		return false
	}
	// 22 data exception, 23 integrity constraint violation, 42 syntax error or access rule violation.
	return strings.HasPrefix(state, "22") || strings.HasPrefix(state, "23") || strings.HasPrefix(state, "42")
}
