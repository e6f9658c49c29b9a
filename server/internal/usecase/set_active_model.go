package usecase

import (
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// SetActiveModel loads a model, checks it, commits the change and swaps. Episodes that run keep their model.
type SetActiveModel struct {
	Registry domain.ModelRegistry
	Models   *LoadedModels
}

// Run returns ErrModelNotFound, ErrModelBroken with the reason (nothing is changed), or CodeUnavailable. Setting the model that is active
// already changes nothing and returns its activation.
func (u *SetActiveModel) Run(ctx context.Context, id, reason string) (ActiveModelOutput, error) {
	s := u.Models
	s.changing.Lock()
	defer s.changing.Unlock()
	m, err := u.Registry.GetModel(ctx, id)
	if err != nil {
		return ActiveModelOutput{}, err
	}
	var l *loadedModel
	if s.ActiveModelID() != id {
		if l, err = s.prepare(ctx, m); err != nil {
			return ActiveModelOutput{}, err
		}
	}
	activation, m, err := u.commit(ctx, id, reason)
	if err != nil {
		if l != nil {
			l.release()
		}
		return ActiveModelOutput{}, err
	}
	if l != nil {
		s.swap(l)
	}
	return ActiveModelOutput{Model: m, Activation: activation}, nil
}

// commit activates the model in the registry. The model is read before, because prepare may have repaired it: nothing may fail afterwards.
func (u *SetActiveModel) commit(ctx context.Context, id, reason string) (domain.Activation, domain.Model, error) {
	m, err := u.Registry.GetModel(ctx, id)
	if err != nil {
		return domain.Activation{}, domain.Model{}, err
	}
	activation, err := u.Registry.ActivateModel(ctx, id, reason, false)
	return activation, m, err
}
