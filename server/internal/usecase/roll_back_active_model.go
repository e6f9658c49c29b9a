package usecase

import (
	"context"
	"errors"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// RollBackActiveModel undoes the activation in force: the model before it acts again. The history only grows.
type RollBackActiveModel struct {
	Registry domain.ModelRegistry
	Models   *LoadedModels
}

// RollBackActiveModelInput names the activation to undo.
type RollBackActiveModelInput struct {
	Expected int64 // required
	Reason   string
	Actor    string
}

// RollBackActiveModelOutput is the roll-back. InForce is false when a repeated call finds that something else was made active since.
type RollBackActiveModelOutput struct {
	ActiveModelOutput
	InForce bool
}

// Run returns ErrNoEarlierModel; ErrModelBroken with the reason, as a SwitchRefused where parity is the reason; ActiveModelChanged where another
// activation is in force; ErrNoActiveModel; or CodeUnavailable. Nothing is changed then. An activation is undone once: a repeated call returns
// the first one's roll-back.
func (u *RollBackActiveModel) Run(ctx context.Context, in RollBackActiveModelInput) (RollBackActiveModelOutput, error) {
	u.Models.changing.Lock()
	defer u.Models.changing.Unlock()
	current, err := u.Registry.ActiveModel(ctx)
	if err != nil {
		return RollBackActiveModelOutput{}, err
	}
	var changed error = &domain.ActiveModelChanged{Activation: current}
	if current.ID == in.Expected {
		out, err := u.undo(ctx, current, in)
		if !errors.Is(err, domain.ErrActiveModelChanged) {
			return RollBackActiveModelOutput{ActiveModelOutput: out, InForce: true}, err
		}
		changed = err // by another instance: it may have done just this
	}
	done, err := u.Registry.RollBackOf(ctx, in.Expected)
	if errors.Is(err, domain.ErrNotRolledBack) {
		return RollBackActiveModelOutput{}, changed
	}
	if err != nil {
		return RollBackActiveModelOutput{}, err
	}
	m, err := u.Registry.GetModel(ctx, done.ModelID)
	if err != nil {
		return RollBackActiveModelOutput{}, err
	}
	now, err := u.Registry.ActiveModel(ctx)
	return RollBackActiveModelOutput{ActiveModelOutput: ActiveModelOutput{Model: m, Activation: done}, InForce: now.ID == done.ID}, err
}

// undo makes the model active that was so before. That it does worse does not stop it, for it goes back to what was: the evidence is kept.
func (u *RollBackActiveModel) undo(ctx context.Context, current domain.Activation, in RollBackActiveModelInput) (ActiveModelOutput, error) {
	earlier, err := u.Registry.ActivationBefore(ctx, current.ID)
	if err != nil {
		return ActiveModelOutput{}, err
	}
	m, err := u.Registry.GetModel(ctx, earlier.ModelID)
	if err != nil {
		return ActiveModelOutput{}, err
	}
	activation, err := u.Models.switchTo(ctx, m, func(parity domain.ParityEvidence) (domain.Activation, error) {
		if m, err = u.Registry.GetModel(ctx, m.ID); err != nil { // as in SetActiveModel
			return domain.Activation{}, err
		}
		success, err := compareWithActive(ctx, u.Registry, m, current.ModelID)
		if err != nil {
			return domain.Activation{}, err
		}
		return u.Registry.ActivateModel(ctx, domain.Switch{
			ModelID: m.ID, Reason: in.Reason, Actor: in.Actor, Expected: current.ID, Undoes: current.ID, Parity: parity, Success: success.Success,
		})
	})
	if err != nil {
		return ActiveModelOutput{}, refuseParity(err, m.ID, current.ModelID)
	}
	return ActiveModelOutput{Model: m, Activation: activation}, nil
}
