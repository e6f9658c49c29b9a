package postgres

import (
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rlmaze/rlmaze/gen/sqlc"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func modelFromRow(row sqlc.Model, success []domain.SuccessRate) domain.Model {
	return domain.Model{
		ID:           row.ModelID,
		Name:         row.Name,
		Version:      int(row.Version),
		Origin:       domain.ModelOrigin(row.Origin),
		Title:        row.Title,
		Description:  row.Description,
		State:        domain.ModelState(row.State),
		StateReason:  row.StateReason,
		Algorithm:    domain.Algorithm(row.Algorithm),
		Observation:  domain.ObservationVersion(row.Observation),
		ScoreKind:    domain.ScoreKind(row.ScoreKind),
		TrainedAt:    timeFromRow(row.TrainedAt),
		RegisteredAt: timeFromRow(row.RegisteredAt),
		Timesteps:    row.Timesteps,
		TrainingRun:  row.TrainingRun,
		Seed:         seedFromRow(row.Seed),
		SHA256:       row.Sha256,
		SizeBytes:    row.SizeBytes,
		Opset:        int(row.Opset),
		Success:      success,
		Config:       row.Config,
	}
}

func insertFromModel(m domain.Model) sqlc.ModelInsertParams {
	r := repairFromModel(m)
	return sqlc.ModelInsertParams{
		ModelID:      textFrom(m.ID),
		Name:         r.Name,
		Version:      r.Version,
		Title:        r.Title,
		Description:  r.Description,
		State:        string(m.State),
		StateReason:  textFrom(m.StateReason),
		Algorithm:    r.Algorithm,
		Observation:  r.Observation,
		ScoreKind:    r.ScoreKind,
		TrainedAt:    r.TrainedAt,
		RegisteredAt: timeToRow(m.RegisteredAt),
		Timesteps:    r.Timesteps,
		TrainingRun:  r.TrainingRun,
		Seed:         r.Seed,
		Sha256:       r.Sha256,
		SizeBytes:    r.SizeBytes,
		Opset:        r.Opset,
		Config:       r.Config,
		Origin:       r.Origin,
	}
}

func repairFromModel(m domain.Model) sqlc.ModelRepairParams {
	return sqlc.ModelRepairParams{
		ModelID:     textFrom(m.ID),
		Name:        textFrom(m.Name),
		Version:     int32From(m.Version),
		Title:       textFrom(m.Title),
		Description: textFrom(m.Description),
		Algorithm:   textFrom(string(m.Algorithm)),
		Observation: textFrom(string(m.Observation)),
		ScoreKind:   textFrom(string(m.ScoreKind)),
		TrainedAt:   timeToRow(m.TrainedAt),
		Timesteps:   max(m.Timesteps, 0),
		TrainingRun: textFrom(m.TrainingRun),
		Seed:        pgtype.Numeric{Int: new(big.Int).SetUint64(m.Seed), Valid: true},
		Sha256:      textFrom(m.SHA256),
		SizeBytes:   max(m.SizeBytes, 0),
		Opset:       int32From(m.Opset),
		Config:      textFrom(m.Config),
		Origin:      string(m.Origin),
	}
}

func successFromRow(row sqlc.ModelSuccess) domain.SuccessRate {
	return domain.SuccessRate{
		SetID:     row.SetID,
		SetHash:   row.SetHash,
		Episodes:  int(row.Episodes),
		Successes: int(row.Successes),
		MeanSteps: row.MeanSteps,
		SPL:       row.Spl,
	}
}

func insertFromSuccess(modelID string, position int, rate domain.SuccessRate) sqlc.ModelSuccessInsertParams {
	return sqlc.ModelSuccessInsertParams{
		ModelID:   textFrom(modelID),
		Position:  int32From(position),
		SetID:     textFrom(rate.SetID),
		SetHash:   textFrom(rate.SetHash),
		Episodes:  int32From(rate.Episodes),
		Successes: int32From(rate.Successes),
		MeanSteps: rate.MeanSteps,
		Spl:       rate.SPL,
	}
}

func activationFromRow(row sqlc.Activation) domain.Activation {
	return domain.Activation{
		ID:              row.ActivationID,
		ModelID:         row.ModelID,
		PreviousModelID: valueOf(row.PreviousModelID),
		Reason:          row.Reason,
		ActivatedAt:     timeFromRow(row.ActivatedAt),
		Actor:           row.Actor,
		OverrideReason:  row.OverrideReason,
		Undoes:          valueOf(row.UndoneActivationID),
		Parity:          domain.ParityEvidence{Vectors: int(valueOf(row.ParityVectors)), LargestDeviation: valueOf(row.ParityDeviation)},
		Success: domain.SuccessEvidence{
			SetID:             valueOf(row.SetID),
			SetHash:           valueOf(row.SetHash),
			Episodes:          int(valueOf(row.Episodes)),
			Successes:         int(valueOf(row.Successes)),
			PreviousEpisodes:  int(valueOf(row.PreviousEpisodes)),
			PreviousSuccesses: int(valueOf(row.PreviousSuccesses)),
		},
	}
}

func activationsFromRows(rows []sqlc.Activation) []domain.Activation {
	activations := make([]domain.Activation, 0, len(rows))
	for _, row := range rows {
		activations = append(activations, activationFromRow(row))
	}
	return activations
}

// insertFromSwitch leaves NULL what is not known.
func insertFromSwitch(s domain.Switch, previousModelID string) sqlc.ActivationInsertParams {
	params := sqlc.ActivationInsertParams{
		ModelID:        textFrom(s.ModelID),
		Reason:         textFrom(s.Reason),
		Actor:          textFrom(s.Actor),
		OverrideReason: textFrom(s.OverrideReason),
	}
	if previousModelID != "" {
		params.PreviousModelID = &previousModelID
	}
	if s.Undoes != 0 {
		params.UndoneActivationID = &s.Undoes
	}
	if s.Parity.Vectors > 0 {
		params.ParityVectors, params.ParityDeviation = new(int32From(s.Parity.Vectors)), &s.Parity.LargestDeviation
	}
	if s.Success.SetID != "" {
		params.SetID, params.SetHash = new(textFrom(s.Success.SetID)), new(textFrom(s.Success.SetHash))
		params.Episodes, params.Successes = new(int32From(s.Success.Episodes)), new(int32From(s.Success.Successes))
		params.PreviousEpisodes, params.PreviousSuccesses = new(int32From(s.Success.PreviousEpisodes)), new(int32From(s.Success.PreviousSuccesses))
	}
	return params
}

// valueOf is the zero value for NULL.
func valueOf[T any](column *T) T {
	if column == nil {
		var zero T
		return zero
	}
	return *column
}

// timeFromRow gives UTC whatever the time zone of session and machine; NULL is the zero time.
func timeFromRow(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

func timeToRow(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// seedFromRow undoes PostgreSQL's habit of sending 1000 as 1 · 10³.
func seedFromRow(n pgtype.Numeric) uint64 {
	if !n.Valid || n.Int == nil {
		return 0
	}
	seed := new(big.Int).Set(n.Int)
	if n.Exp > 0 {
		seed.Mul(seed, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n.Exp)), nil))
	}
	return seed.Uint64()
}

// int32From clamps instead of wrapping around; what is out of range is then refused by a constraint or plainly absurd to a reader.
func int32From(n int) int32 {
	return int32(min(max(n, math.MinInt32), math.MaxInt32)) //nolint:gosec // clamped on this line
}

// textFrom drops what PostgreSQL's text can't hold, NUL and broken UTF-8: the manifest of a broken model may contain anything, and
// it must be listed all the same.
func textFrom(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// storableText says whether PostgreSQL could hold the text; an id that it can't hold names nothing.
func storableText(s string) bool { return textFrom(s) == s }
