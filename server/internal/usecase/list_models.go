package usecase

import (
	"context"
	"errors"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// ListModels returns every registered model, broken ones too.
type ListModels struct{ Registry domain.ModelRegistry }

// ListModelsOutput holds all models by name, then newest version first; ActiveModelID is empty when none is active.
type ListModelsOutput struct {
	Models        []domain.Model
	ActiveModelID string
}

// Run returns CodeUnavailable while the registry is away.
func (u *ListModels) Run(ctx context.Context) (ListModelsOutput, error) {
	models, err := u.Registry.ListModels(ctx)
	if err != nil {
		return ListModelsOutput{}, err
	}
	active, err := activeModelID(ctx, u.Registry)
	if err != nil {
		return ListModelsOutput{}, err
	}
	return ListModelsOutput{Models: models, ActiveModelID: active}, nil
}

// activeModelID is empty when no model is active.
func activeModelID(ctx context.Context, registry domain.ModelRegistry) (string, error) {
	activation, err := registry.ActiveModel(ctx)
	if errors.Is(err, domain.ErrNoActiveModel) {
		return "", nil
	}
	return activation.ModelID, err
}
