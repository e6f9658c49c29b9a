package mlflow

import (
	"context"
	"net/url"
	"strconv"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	// largestHistory is read to its end, in one page, which is MLflow's own limit. It takes a second; a longer history is sampled by MLflow itself.
	largestHistory = 25_000 // points
	largestSample  = 2500   // points; MLflow's own limit
)

type point struct {
	Value number  `json:"value"`
	Step  integer `json:"step"`
	At    integer `json:"timestamp"`
}

// MetricPoints implements domain.ExperimentTracker.
func (c *Client) MetricPoints(ctx context.Context, runID, key string) (points []domain.MetricPoint, complete bool, err error) {
	whole := url.Values{"run_id": {runID}, "metric_key": {key}, "max_results": {strconv.Itoa(c.history)}}
	points, next, err := c.points(ctx, "metrics/get-history", whole)
	if err != nil || next == "" {
		return points, err == nil, err
	}
	// Evenly over the steps, the first and the last one among them.
	sample := url.Values{"run_ids": {runID}, "metric_key": {key}, "max_results": {strconv.Itoa(largestSample)}}
	points, _, err = c.points(ctx, "metrics/get-history-bulk-interval", sample)
	return points, false, err
}

func (c *Client) points(ctx context.Context, path string, question url.Values) ([]domain.MetricPoint, string, error) {
	var answer struct {
		Metrics []point `json:"metrics"`
		Next    string  `json:"next_page_token"`
	}
	if err := c.get(ctx, path, question, &answer); err != nil {
		return nil, "", c.unexpected(err)
	}
	points := make([]domain.MetricPoint, len(answer.Metrics))
	for i, p := range answer.Metrics {
		points[i] = domain.MetricPoint{Step: int64(p.Step), Value: float64(p.Value), At: p.At.time()}
	}
	return points, answer.Next, nil
}
