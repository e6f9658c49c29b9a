package usecase

import (
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// GetActiveModel returns the model that acts when none is named.
type GetActiveModel struct{ Registry domain.ModelRegistry }

// ActiveModelOutput is the active model and the activation that made it so.
type ActiveModelOutput struct {
	Model      domain.Model
	Activation domain.Activation
}

// Run returns ErrNoActiveModel, or CodeUnavailable while the registry is away.
func (u *GetActiveModel) Run(ctx context.Context) (ActiveModelOutput, error) {
	activation, err := u.Registry.ActiveModel(ctx)
	if err != nil {
		return ActiveModelOutput{}, err
	}
	m, err := u.Registry.GetModel(ctx, activation.ModelID)
	if err != nil {
		return ActiveModelOutput{}, err
	}
	return ActiveModelOutput{Model: m, Activation: activation}, nil
}
