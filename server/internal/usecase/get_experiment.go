package usecase

import (
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// GetExperiment returns one experiment with the number of its runs.
type GetExperiment struct{ Tracker domain.ExperimentTracker }

// Run returns ErrExperimentUnknown or ErrMLflowAway.
func (u *GetExperiment) Run(ctx context.Context, id string) (CountedExperiment, error) {
	e, err := u.Tracker.GetExperiment(ctx, id)
	if err != nil {
		return CountedExperiment{}, err
	}
	counts, err := u.Tracker.CountRuns(ctx, []string{id})
	if err != nil {
		return CountedExperiment{}, err
	}
	if newest := counts[id].Newest; newest.After(e.UpdatedAt) {
		e.UpdatedAt = newest
	}
	return CountedExperiment{Experiment: e, Runs: counts[id].Runs}, nil
}
