package usecase

import (
	"context"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// StopTraining ends a run.
type StopTraining struct{ Trainers *Trainers }

// Run returns the run when it has ended; one that had ended is returned as it is. Errors: ErrTrainingNotFound; CodeUnavailable.
func (u *StopTraining) Run(ctx context.Context, runID string) (domain.Training, error) {
	training, err := u.Trainers.Store.GetTraining(ctx, runID)
	if err != nil {
		return domain.Training{}, err
	}
	if training.State.Final() {
		return training, nil
	}
	link := u.Trainers.link(training.Trainer)
	if link == nil {
		return domain.Training{}, domain.TrainerAway("the trainer that has this run is not configured any more", nil)
	}
	if err := link.unavailable(); err != nil {
		return domain.Training{}, err
	}
	stopped, err := link.Trainer.StopTraining(ctx, runID)
	if err != nil {
		link.hurry()
		return domain.Training{}, err
	}
	u.Trainers.Logger.Info("a run was stopped", "run_id", runID, "trainer", link.Name, "state", string(stopped.State))
	stopped.Trainer = link.Name
	link.hurry()
	u.awaitEnd(ctx, runID)
	return stopped, nil
}

// awaitEnd waits a moment until the end is stored, so that who reads the run next reads that.
func (u *StopTraining) awaitEnd(ctx context.Context, runID string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for {
		live, changed := u.Trainers.live.find(runID)
		if live == nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
