package rpc

import (
	"context"

	experimentv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/experiment/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// ExperimentService serves rlmaze.experiment.v1.ExperimentService.
type ExperimentService struct {
	List    *usecase.ListExperiments
	Get     *usecase.GetExperiment
	Runs    *usecase.ListRuns
	Run     *usecase.GetRun
	History *usecase.GetMetricHistory
	Compare *usecase.CompareRuns
}

// ListExperiments returns all experiments.
func (s *ExperimentService) ListExperiments(ctx context.Context, _ *experimentv1.ListExperimentsRequest) (*experimentv1.ListExperimentsResponse, error) {
	experiments, err := s.List.Run(ctx)
	if err != nil {
		return nil, err
	}
	response := &experimentv1.ListExperimentsResponse{}
	for _, e := range experiments {
		response.Experiments = append(response.Experiments, toExperiment(e))
	}
	return response, nil
}

// GetExperiment returns one experiment.
func (s *ExperimentService) GetExperiment(ctx context.Context, request *experimentv1.GetExperimentRequest) (*experimentv1.GetExperimentResponse, error) {
	found, err := s.Get.Run(ctx, request.GetExperimentId())
	if err != nil {
		return nil, err
	}
	return &experimentv1.GetExperimentResponse{Experiment: toExperiment(found)}, nil
}

// ListRuns returns a page of runs.
func (s *ExperimentService) ListRuns(ctx context.Context, request *experimentv1.ListRunsRequest) (*experimentv1.ListRunsResponse, error) {
	runs, next, err := s.Runs.Run(ctx, domain.RunSearch{
		ExperimentIDs: request.GetExperimentIds(),
		Filter:        request.GetFilter(),
		Order:         runOrders[request.GetOrder()],
		PageSize:      int(request.GetPageSize()),
		PageToken:     request.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &experimentv1.ListRunsResponse{NextPageToken: next}
	for _, r := range runs {
		response.Runs = append(response.Runs, toRun(r))
	}
	return response, nil
}

// GetRun returns one run with its configuration.
func (s *ExperimentService) GetRun(ctx context.Context, request *experimentv1.GetRunRequest) (*experimentv1.GetRunResponse, error) {
	found, err := s.Run.Run(ctx, request.GetRunId())
	if err != nil {
		return nil, err
	}
	return &experimentv1.GetRunResponse{Run: toConfiguredRun(found)}, nil
}

// GetMetricHistory returns the course of one figure.
func (s *ExperimentService) GetMetricHistory(ctx context.Context, request *experimentv1.GetMetricHistoryRequest) (*experimentv1.GetMetricHistoryResponse, error) {
	history, err := s.History.Run(ctx, request.GetRunId(), request.GetKey(), int(request.GetMaxPoints()))
	if err != nil {
		return nil, err
	}
	return &experimentv1.GetMetricHistoryResponse{History: toMetricHistory(history)}, nil
}

// CompareRuns puts runs side by side.
func (s *ExperimentService) CompareRuns(ctx context.Context, request *experimentv1.CompareRunsRequest) (*experimentv1.CompareRunsResponse, error) {
	compared, err := s.Compare.Run(ctx, request.GetRunIds(), request.GetKeys(), int(request.GetMaxPoints()))
	if err != nil {
		return nil, err
	}
	return toComparison(compared), nil
}
