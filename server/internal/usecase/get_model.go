package usecase

import (
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// GetModel returns one model.
type GetModel struct{ Registry domain.ModelRegistry }

// GetModelOutput holds one model and whether it is the active one.
type GetModelOutput struct {
	Model  domain.Model
	Active bool
}

// Run returns ErrModelNotFound, or CodeUnavailable while the registry is away.
func (u *GetModel) Run(ctx context.Context, id string) (GetModelOutput, error) {
	m, err := u.Registry.GetModel(ctx, id)
	if err != nil {
		return GetModelOutput{}, err
	}
	active, err := activeModelID(ctx, u.Registry)
	if err != nil {
		return GetModelOutput{}, err
	}
	return GetModelOutput{Model: m, Active: active == id}, nil
}
