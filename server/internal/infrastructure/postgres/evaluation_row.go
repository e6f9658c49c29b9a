package postgres

import (
	"math"
	"time"

	"github.com/rlmaze/rlmaze/gen/sqlc"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func evaluationFromRow(row sqlc.Evaluation, groups []domain.EvaluationGroup) domain.Evaluation {
	e := domain.Evaluation{
		ModelSHA256: row.ModelSha256,
		SetID:       row.SetID,
		SetHash:     row.SetHash,
		Groups:      groups,
		MeanStep:    fromMicroseconds(row.MeanStepUs),
		P95Step:     fromMicroseconds(row.P95StepUs),
		EvaluatedAt: timeFromRow(row.EvaluatedAt),
	}
	if row.ModelID != nil {
		e.Policy.ModelID = *row.ModelID
	}
	if row.Baseline != nil {
		e.Policy.Baseline = domain.Baseline(*row.Baseline)
	}
	for _, position := range row.FailedPositions {
		e.FailedPositions = append(e.FailedPositions, int(position))
	}
	return e
}

func saveFromEvaluation(e domain.Evaluation) sqlc.EvaluationSaveParams {
	row := sqlc.EvaluationSaveParams{
		ModelSha256:     e.ModelSHA256,
		SetID:           e.SetID,
		SetHash:         e.SetHash,
		FailedPositions: make([]int32, 0, len(e.FailedPositions)),
		MeanStepUs:      microseconds(e.MeanStep),
		P95StepUs:       microseconds(e.P95Step),
		EvaluatedAt:     timeToRow(e.EvaluatedAt),
	}
	if e.Policy.ModelID != "" {
		row.ModelID = &e.Policy.ModelID
	}
	if baseline := string(e.Policy.Baseline); baseline != "" {
		row.Baseline = &baseline
	}
	for _, position := range e.FailedPositions {
		row.FailedPositions = append(row.FailedPositions, int32From(position))
	}
	return row
}

func groupFromRow(row sqlc.EvaluationGroup) domain.EvaluationGroup {
	return domain.EvaluationGroup{
		Difficulty: domain.Difficulty(row.Difficulty),
		Rows:       int(row.MazeRows),
		Cols:       int(row.MazeCols),
		PuzzleID:   row.PuzzleID,
		Tally: domain.Tally{
			Episodes:  int(row.Episodes),
			Successes: int(row.Successes),
			Steps:     int(row.Steps),
			Bumps:     int(row.Bumps),
			Revisits:  int(row.Revisits),
			SPLSum:    row.SplSum,
		},
	}
}

func insertFromGroup(id int64, g domain.EvaluationGroup) sqlc.EvaluationGroupInsertParams {
	return sqlc.EvaluationGroupInsertParams{
		EvaluationID: id,
		Difficulty:   int32From(int(g.Difficulty)),
		MazeRows:     int32From(g.Rows),
		MazeCols:     int32From(g.Cols),
		PuzzleID:     g.PuzzleID,
		Episodes:     int32From(g.Tally.Episodes),
		Successes:    int32From(g.Tally.Successes),
		Steps:        int64(g.Tally.Steps),
		Bumps:        int64(g.Tally.Bumps),
		Revisits:     int64(g.Tally.Revisits),
		SplSum:       g.Tally.SPLSum,
	}
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func fromMicroseconds(us float64) time.Duration {
	return time.Duration(math.Round(us * float64(time.Microsecond)))
}
