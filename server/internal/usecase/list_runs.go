package usecase

import (
	"cmp"
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// defaultRunPage is how many runs a page holds when nobody says.
const defaultRunPage = 50

// ListRuns returns a page of runs.
type ListRuns struct{ Tracker domain.ExperimentTracker }

// Run returns the runs and the token of the next page; empty on the last one. A search without experiments is one over all. Errors:
// CodeInvalidArgument with MLflow's words for a filter or token that it does not understand; ErrMLflowAway.
func (u *ListRuns) Run(ctx context.Context, search domain.RunSearch) ([]domain.ExperimentRun, string, error) {
	search.PageSize = cmp.Or(search.PageSize, defaultRunPage)
	if len(search.ExperimentIDs) == 0 {
		experiments, err := u.Tracker.ListExperiments(ctx)
		if err != nil {
			return nil, "", err
		}
		if len(experiments) == 0 {
			return nil, "", nil
		}
		for _, e := range experiments {
			search.ExperimentIDs = append(search.ExperimentIDs, e.ID)
		}
	}
	return u.Tracker.SearchRuns(ctx, search)
}
