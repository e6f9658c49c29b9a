package usecase

import (
	"cmp"
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// defaultHistoryPoints is how many points a course has at most when nobody says: more than a page has pixels for.
const defaultHistoryPoints = 1000

// GetMetricHistory returns the course of one figure of one run.
type GetMetricHistory struct{ Tracker domain.ExperimentTracker }

// Run returns at most so many points; 0 means 1000. Errors: ErrRunUnknown; ErrMLflowAway.
func (u *GetMetricHistory) Run(ctx context.Context, runID, key string, most int) (domain.MetricHistory, error) {
	r, err := u.Tracker.GetRun(ctx, runID) // MLflow calls the history of a run that does not exist empty
	if err != nil {
		return domain.MetricHistory{}, err
	}
	return metricHistory(ctx, u.Tracker, r, key, cmp.Or(most, defaultHistoryPoints))
}

func metricHistory(ctx context.Context, tracker domain.ExperimentTracker, r domain.ExperimentRun, key string, most int) (domain.MetricHistory, error) {
	history := domain.MetricHistory{RunID: r.ID, Key: key, StartedAt: r.StartedAt}
	if !r.HasMetric(key) {
		return history, nil
	}
	points, complete, err := tracker.MetricPoints(ctx, r.ID, key)
	if err != nil {
		return history, err
	}
	points = domain.FinitePoints(points)
	if complete {
		history.Logged = len(points)
	}
	history.Points = domain.ThinPoints(points, most)
	return history, nil
}
