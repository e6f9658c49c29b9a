package app

import (
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/setupstate"
)

// services are what GetStatus tells of the services beside the server, in the order of the list.
func (a *App) services(trainers, mlflow domain.ServiceReporter) []domain.ServiceReporter {
	return []domain.ServiceReporter{trainers, mlflow}
}

// preparations is what the installer says; one reader for all who ask.
func (a *App) preparations() domain.Preparations { return setupstate.New(a.config.SetupState) }
