package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/rlmaze/rlmaze/gen/sqlc"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// SaveEvaluation implements domain.EvaluationStore.
func (s *Store) SaveEvaluation(ctx context.Context, e domain.Evaluation) error {
	return s.transact(ctx, "save evaluation", pgx.TxOptions{}, func(ctx context.Context, q *sqlc.Queries) error {
		id, err := q.EvaluationSave(ctx, saveFromEvaluation(e))
		if err != nil {
			return err
		}
		if err := q.EvaluationGroupClear(ctx, id); err != nil {
			return err
		}
		rows := make([]sqlc.EvaluationGroupInsertParams, 0, len(e.Groups))
		for _, g := range e.Groups {
			rows = append(rows, insertFromGroup(id, g))
		}
		return executed(q.EvaluationGroupInsert(ctx, rows))
	})
}

// ListEvaluations implements domain.EvaluationStore.
func (s *Store) ListEvaluations(ctx context.Context, setHash string) ([]domain.Evaluation, error) {
	var evaluations []domain.Evaluation
	err := s.transact(ctx, "list evaluations", snapshot, func(ctx context.Context, q *sqlc.Queries) error {
		rows, err := q.EvaluationList(ctx, setHash)
		if err != nil {
			return err
		}
		groups, err := q.EvaluationGroupList(ctx, setHash)
		if err != nil {
			return err
		}
		ofEvaluation := make(map[int64][]domain.EvaluationGroup)
		for _, row := range groups {
			ofEvaluation[row.EvaluationID] = append(ofEvaluation[row.EvaluationID], groupFromRow(row))
		}
		evaluations = make([]domain.Evaluation, 0, len(rows))
		for _, row := range rows {
			evaluations = append(evaluations, evaluationFromRow(row, ofEvaluation[row.EvaluationID]))
		}
		return nil
	})
	return evaluations, err
}
