package app

import (
	"context"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mlflow"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// openMLflow makes the client, and watches in the background whether MLflow is there.
func (a *App) openMLflow(background context.Context) (*mlflow.Client, error) {
	preparations := a.preparations()
	client, err := mlflow.New(mlflow.Options{
		URL:          a.config.MLflowURI,
		Preparations: preparations,
		OnChange: func(up bool, cause error) {
			preparation, known := preparations.Preparation("mlflow")
			switch {
			case up:
				a.logger.Info("MLflow answers")
			case known: // whoever starts it says so
				a.logger.Info("MLflow is not ready yet", "waits_for", preparation.Message)
			default:
				a.logger.Warn("MLflow does not answer", "cause", cause)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	a.onClose(client.Close)
	a.background.Go(func() { client.Watch(background) })
	return client, nil
}

// newExperimentService puts the reading of MLflow together.
func newExperimentService(tracker domain.ExperimentTracker, configs usecase.TrainingConfigs) *rpc.ExperimentService {
	return &rpc.ExperimentService{
		List:    &usecase.ListExperiments{Tracker: tracker, Counts: usecase.NewRunCounts(tracker, time.Now)},
		Get:     &usecase.GetExperiment{Tracker: tracker},
		Runs:    &usecase.ListRuns{Tracker: tracker},
		Run:     &usecase.GetRun{Tracker: tracker, Configs: configs},
		History: &usecase.GetMetricHistory{Tracker: tracker},
		Compare: &usecase.CompareRuns{Tracker: tracker, Configs: configs},
	}
}
