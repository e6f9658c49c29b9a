package rpc

import (
	"cmp"
	"math"
	"slices"

	experimentv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/experiment/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

var (
	runStates = map[domain.RunState]experimentv1.RunState{
		domain.RunScheduled: experimentv1.RunState_RUN_STATE_SCHEDULED,
		domain.RunRunning:   experimentv1.RunState_RUN_STATE_RUNNING,
		domain.RunFinished:  experimentv1.RunState_RUN_STATE_FINISHED,
		domain.RunFailed:    experimentv1.RunState_RUN_STATE_FAILED,
		domain.RunKilled:    experimentv1.RunState_RUN_STATE_KILLED,
	}
	runOrders = map[experimentv1.RunOrder]domain.RunOrder{
		experimentv1.RunOrder_RUN_ORDER_UNSPECIFIED: domain.RunsNewestFirst,
		experimentv1.RunOrder_RUN_ORDER_NEWEST:      domain.RunsNewestFirst,
		experimentv1.RunOrder_RUN_ORDER_BEST:        domain.RunsBestFirst,
	}
)

func toExperiment(e usecase.CountedExperiment) *experimentv1.Experiment {
	return &experimentv1.Experiment{
		ExperimentId: e.ID,
		Name:         e.Name,
		Description:  e.Description,
		CreatedAt:    timestamp(e.CreatedAt),
		UpdatedAt:    timestamp(e.UpdatedAt),
		RunCount:     int32(e.Runs),
	}
}

func toRun(r domain.ExperimentRun) *experimentv1.Run {
	run := &experimentv1.Run{
		RunId:         r.ID,
		ExperimentId:  r.ExperimentID,
		Name:          r.Name,
		State:         runStates[r.State],
		StartedAt:     timestamp(r.StartedAt),
		EndedAt:       timestamp(r.EndedAt),
		Params:        r.Params,
		Tags:          r.ShownTags(),
		TrainingRunId: r.Tags[domain.TagTrainingRun],
		ModelId:       r.Tags[domain.TagModel],
		Sweep:         r.Tags[domain.TagSweep],
	}
	for _, m := range r.Metrics {
		metric := &experimentv1.Metric{Key: m.Key, Step: m.Step}
		if !math.IsNaN(m.Value) && !math.IsInf(m.Value, 0) {
			metric.Value = &m.Value
		}
		run.Metrics = append(run.Metrics, metric)
	}
	slices.SortFunc(run.Metrics, func(a, b *experimentv1.Metric) int { return cmp.Compare(a.GetKey(), b.GetKey()) })
	return run
}

func toConfiguredRun(r usecase.ConfiguredRun) *experimentv1.Run {
	run := toRun(r.ExperimentRun)
	run.ConfigYaml = r.ConfigYAML
	return run
}

func toMetricHistory(h domain.MetricHistory) *experimentv1.MetricHistory {
	n := len(h.Points)
	history := &experimentv1.MetricHistory{
		RunId: h.RunID, Key: h.Key, Points: int64(h.Logged),
		Steps: make([]int64, n), Values: make([]float64, n), ElapsedS: make([]float64, n),
	}
	for i, p := range h.Points {
		history.Steps[i], history.Values[i] = p.Step, p.Value
		if !h.StartedAt.IsZero() && !p.At.IsZero() {
			history.ElapsedS[i] = p.At.Sub(h.StartedAt).Seconds()
		}
	}
	return history
}

func toComparison(c usecase.Comparison) *experimentv1.CompareRunsResponse {
	response := &experimentv1.CompareRunsResponse{}
	for _, r := range c.Runs {
		response.Runs = append(response.Runs, toConfiguredRun(r))
	}
	for _, h := range c.Histories {
		response.Histories = append(response.Histories, toMetricHistory(h))
	}
	for _, d := range c.Differences {
		response.Differences = append(response.Differences, &experimentv1.ParamDifference{Key: d.Key, Values: d.Values})
	}
	return response
}
