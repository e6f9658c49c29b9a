package usecase

import (
	"context"
	"fmt"
	"slices"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// GetLeaderboard ranks what is kept for a set.
type GetLeaderboard struct {
	Catalog     domain.MazeCatalog
	Registry    domain.ModelRegistry
	Evaluations domain.EvaluationStore
}

// GetLeaderboardOutput holds the rows, the best first, and the set whose mazes they name by position.
type GetLeaderboardOutput struct {
	Rows []domain.Evaluation
	Set  domain.MazeSet
}

// Run leaves out models whose file was replaced since they were measured. Errors: ErrMazeSetNotFound; CodeUnavailable.
func (u *GetLeaderboard) Run(ctx context.Context, setID string) (GetLeaderboardOutput, error) {
	set, ok := findMazeSet(u.Catalog, setID)
	if !ok {
		return GetLeaderboardOutput{}, domain.ErrMazeSetNotFound
	}
	rows, err := u.Evaluations.ListEvaluations(ctx, set.Hash)
	if err != nil {
		return GetLeaderboardOutput{}, fmt.Errorf("list evaluations: %w", err)
	}
	models, err := u.Registry.ListModels(ctx)
	if err != nil {
		return GetLeaderboardOutput{}, fmt.Errorf("list models: %w", err)
	}
	files := make(map[string]string, len(models))
	for _, m := range models {
		files[m.ID] = m.SHA256
	}
	rows = slices.DeleteFunc(rows, func(e domain.Evaluation) bool {
		return e.Policy.ModelID != "" && files[e.Policy.ModelID] != e.ModelSHA256
	})
	slices.SortFunc(rows, domain.CompareEvaluations)
	return GetLeaderboardOutput{Rows: rows, Set: set}, nil
}
