package usecase

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// ListExperiments returns all experiments with the number of their runs.
type ListExperiments struct {
	Tracker domain.ExperimentTracker
	Counts  *RunCounts
}

// CountedExperiment is an experiment with its runs counted. UpdatedAt is not before the start of the newest one.
type CountedExperiment struct {
	domain.Experiment
	Runs int
}

// Run returns the last changed first. ErrMLflowAway.
func (u *ListExperiments) Run(ctx context.Context) ([]CountedExperiment, error) {
	experiments, err := u.Tracker.ListExperiments(ctx)
	if err != nil {
		return nil, err
	}
	counted, err := u.Counts.count(ctx, experiments)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(counted, func(a, b CountedExperiment) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	return counted, nil
}

// countFreshness is how long a count serves everybody who asks: MLflow has to send all runs to have them counted.
const countFreshness = 2 * time.Second

// RunCounts counts the runs of all experiments at once. Who finds the count stale asks MLflow; the others wait for that answer.
type RunCounts struct {
	tracker domain.ExperimentTracker
	now     func() time.Time

	mu      sync.Mutex // held while MLflow is asked
	counts  map[string]domain.RunCount
	counted time.Time // zero before the first time
}

// NewRunCounts has counted nothing yet.
func NewRunCounts(tracker domain.ExperimentTracker, now func() time.Time) *RunCounts {
	return &RunCounts{tracker: tracker, now: now}
}

func (c *RunCounts) count(ctx context.Context, experiments []domain.Experiment) ([]CountedExperiment, error) {
	counts, err := c.fresh(ctx, experiments)
	if err != nil {
		return nil, err
	}
	counted := make([]CountedExperiment, len(experiments))
	for i, e := range experiments {
		count := counts[e.ID]
		if count.Newest.After(e.UpdatedAt) {
			e.UpdatedAt = count.Newest
		}
		counted[i] = CountedExperiment{Experiment: e, Runs: count.Runs}
	}
	return counted, nil
}

func (c *RunCounts) fresh(ctx context.Context, experiments []domain.Experiment) (map[string]domain.RunCount, error) {
	ids := make([]string, len(experiments))
	for i, e := range experiments {
		ids[i] = e.ID
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := c.now().Sub(c.counted); !c.counted.IsZero() && age >= 0 && age < countFreshness {
		return c.counts, nil
	}
	counts, err := c.tracker.CountRuns(ctx, ids)
	if err == nil {
		c.counts, c.counted = counts, c.now()
	}
	return counts, err
}
