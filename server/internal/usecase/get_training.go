package usecase

import (
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// GetTraining returns one run as it is kept.
type GetTraining struct{ Store domain.TrainingStore }

// Run returns the run or ErrTrainingNotFound.
func (u *GetTraining) Run(ctx context.Context, runID string) (domain.Training, error) {
	training, err := u.Store.GetTraining(ctx, runID)
	return training.Shown(), err
}
