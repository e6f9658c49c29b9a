package usecase

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// defaultComparedPoints is how many points a compared course has at most when nobody says: thirty-two of them share one picture.
const defaultComparedPoints = 500

// defaultComparedKeys are the figures of a comparison that names none.
var defaultComparedKeys = []string{domain.MetricReward, domain.MetricSuccessRate, domain.MetricEpisodeLength, domain.MetricLoss}

// CompareRuns puts runs side by side.
type CompareRuns struct {
	Tracker domain.ExperimentTracker
	Configs TrainingConfigs
}

// Comparison holds runs in the order in which they were asked for.
type Comparison struct {
	Runs        []ConfiguredRun
	Histories   []domain.MetricHistory // by run, then by key; without those that have no point
	Differences []ParamDifference      // by key
}

// ParamDifference is a parameter in which runs differ; Values stand in the order of the runs, empty where one has no such parameter.
type ParamDifference struct {
	Key    string
	Values []string
}

// Run asks for everything at once; how much of that MLflow is asked at a time is its client's matter. No keys mean the four that every training
// logs, 0 points 500. Errors: ErrRunUnknown with the field of the run; ErrMLflowAway.
func (u *CompareRuns) Run(ctx context.Context, runIDs, keys []string, most int) (Comparison, error) {
	if len(keys) == 0 {
		keys = defaultComparedKeys
	}
	most = cmp.Or(most, defaultComparedPoints)
	c := Comparison{Runs: make([]ConfiguredRun, len(runIDs))}
	histories := make([]domain.MetricHistory, len(runIDs)*len(keys))
	err := allOf(ctx, len(runIDs), func(ctx context.Context, i int) error {
		r, err := u.Tracker.GetRun(ctx, runIDs[i])
		if errors.Is(err, domain.ErrRunUnknown) {
			return &domain.Error{Code: domain.CodeNotFound, Field: fmt.Sprintf("run_ids[%d]", i), Rule: domain.ErrRunUnknown.Rule, Message: fmt.Sprintf("MLflow has no run %s; ListRuns names those that exist", runIDs[i]), Cause: err}
		}
		if err != nil {
			return err
		}
		c.Runs[i] = configured(ctx, r, u.Configs)
		return allOf(ctx, len(keys), func(ctx context.Context, k int) (err error) {
			histories[i*len(keys)+k], err = metricHistory(ctx, u.Tracker, r, keys[k], most)
			return err
		})
	})
	if err != nil {
		return Comparison{}, err
	}
	c.Histories = slices.DeleteFunc(histories, func(h domain.MetricHistory) bool { return len(h.Points) == 0 })
	c.Differences = differences(c.Runs)
	return c, nil
}

// differences finds the parameters that are not the same in all runs.
func differences(runs []ConfiguredRun) []ParamDifference {
	keys := map[string]bool{}
	for _, r := range runs {
		for key := range r.Params {
			keys[key] = true
		}
	}
	var found []ParamDifference
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		values := make([]string, len(runs))
		differ := false
		for i, r := range runs {
			values[i] = r.Params[key]
			differ = differ || values[i] != values[0]
		}
		if differ {
			found = append(found, ParamDifference{Key: key, Values: values})
		}
	}
	return found
}

// allOf does n things at once and returns when all have ended. The first that fails ends the others; its error is returned.
func allOf(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := do(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
