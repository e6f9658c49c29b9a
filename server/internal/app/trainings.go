package app

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1/trainingv1connect"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/trainer"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/interface/ws"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// trainings are the services of trainings, and those who follow the trainers for them.
type trainings struct {
	trainers *usecase.Trainers
	service  *rpc.TrainingService
	history  *rpc.TrainingHistoryService
}

// openTrainings makes a client for each trainer, and follows them in the background.
func (a *App) openTrainings(background context.Context, store domain.TrainingStore, settler domain.RunSettler, interceptors []connect.Interceptor) trainings {
	var named []usecase.NamedTrainer
	for _, address := range a.config.Trainers {
		client := trainer.New(trainer.Options{URL: address.URL, Token: a.config.TrainerToken, Interceptors: interceptors})
		a.onClose(client.Close)
		named = append(named, usecase.NamedTrainer{Name: address.Name, Trainer: client})
	}
	trainers := usecase.NewTrainers(usecase.TrainersOptions{
		Trainers:     named,
		Store:        store,
		Settler:      settler,
		Preparations: a.preparations(),
		Counters:     a.counters,
		Logger:       a.logger,
		Now:          time.Now,
		MostViewers:  a.config.MaxStreams,
	})
	a.background.Go(func() { trainers.Run(background) })
	return trainings{
		trainers: trainers,
		service: &rpc.TrainingService{
			Start:    &usecase.StartTraining{Trainers: trainers, Quota: usecase.NewTrainingQuota(a.config.TrainingQuota, time.Now)},
			Stop:     &usecase.StopTraining{Trainers: trainers},
			Get:      &usecase.GetTraining{Store: store},
			List:     &usecase.ListTrainings{Store: store},
			Watch:    &usecase.WatchTraining{Trainers: trainers},
			GPU:      &usecase.WatchGPU{Trainers: trainers},
			Defaults: &usecase.GetTrainingDefaults{Trainers: trainers},
		},
		history: &rpc.TrainingHistoryService{History: usecase.NewGetTrainingHistory(store)},
	}
}

func (t trainings) services() []httpapi.Service {
	return []httpapi.Service{
		func(o ...connect.HandlerOption) (string, http.Handler) {
			return trainingv1connect.NewTrainingServiceHandler(t.service, o...)
		},
		func(o ...connect.HandlerOption) (string, http.Handler) {
			return trainingv1connect.NewTrainingHistoryServiceHandler(t.history, o...)
		},
	}
}

// streams are what /ws/training serves.
func (t trainings) streams() []ws.Stream {
	return []ws.Stream{
		{Name: "watchTraining", NewRequest: t.service.TrainingRequest, Serve: t.service.ServeTraining},
		{Name: "watchGpu", NewRequest: t.service.GPURequest, Serve: t.service.ServeGPU},
	}
}
