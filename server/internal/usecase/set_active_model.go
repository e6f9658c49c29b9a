package usecase

import (
	"context"
	"errors"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// SetActiveModel loads a model, checks it, lets it pass the gate, commits the change and swaps. Episodes that run keep their model.
type SetActiveModel struct {
	Registry domain.ModelRegistry
	Models   *LoadedModels
}

// SetActiveModelInput names the model, and what the caller decided on.
type SetActiveModelInput struct {
	ModelID        string
	Reason         string
	Actor          string
	OverrideReason string // passes over what the gate lets be passed over
	Expected       int64  // the activation that the caller takes to be in force; 0: any
}

// Run returns ErrModelNotFound; ErrModelBroken with the reason, as a SwitchRefused where parity is the reason; a SwitchRefused where the model does
// worse than the active one; ActiveModelChanged where another activation than the expected one is in force; or CodeUnavailable. Nothing is
// changed then. Setting the model that is active already changes nothing and returns its activation.
func (u *SetActiveModel) Run(ctx context.Context, in SetActiveModelInput) (ActiveModelOutput, error) {
	u.Models.changing.Lock()
	defer u.Models.changing.Unlock()
	for {
		out, err := u.attempt(ctx, in)
		// Another instance switched between the gate and the commit: the gate has to look again. Each time somebody got on.
		if in.Expected == 0 && errors.Is(err, domain.ErrActiveModelChanged) && ctx.Err() == nil {
			continue
		}
		return out, err
	}
}

func (u *SetActiveModel) attempt(ctx context.Context, in SetActiveModelInput) (ActiveModelOutput, error) {
	m, err := u.Registry.GetModel(ctx, in.ModelID)
	if err != nil {
		return ActiveModelOutput{}, err
	}
	current, err := u.Registry.ActiveModel(ctx)
	if err != nil && !errors.Is(err, domain.ErrNoActiveModel) {
		return ActiveModelOutput{}, err
	}
	if in.Expected != 0 && current.ID != in.Expected && current.ModelID != in.ModelID {
		return ActiveModelOutput{}, &domain.ActiveModelChanged{Activation: current}
	}
	activation, err := u.Models.switchTo(ctx, m, func(parity domain.ParityEvidence) (domain.Activation, error) {
		// The model is read again, because its files may have been repaired: nothing may fail after the commit.
		if m, err = u.Registry.GetModel(ctx, in.ModelID); err != nil {
			return domain.Activation{}, err
		}
		wanted := domain.Switch{ModelID: in.ModelID, Reason: in.Reason, Actor: in.Actor, Parity: parity, Expected: current.ID}
		if current.ID == 0 {
			wanted.Expected = domain.ExpectNone
		}
		if current.ModelID != in.ModelID {
			if err := u.passGate(ctx, &wanted, m, current.ModelID, in.OverrideReason); err != nil {
				return domain.Activation{}, err
			}
		}
		return u.Registry.ActivateModel(ctx, wanted)
	})
	if err != nil {
		return ActiveModelOutput{}, refuseParity(err, in.ModelID, current.ModelID)
	}
	return ActiveModelOutput{Model: m, Activation: activation}, nil
}

// passGate compares the model with the active one and writes the evidence into the switch, with the reason where that was needed. Parity has
// passed: a model that fails it can't be loaded.
func (u *SetActiveModel) passGate(ctx context.Context, wanted *domain.Switch, candidate domain.Model, activeID, overrideReason string) error {
	success, err := compareWithActive(ctx, u.Registry, candidate, activeID)
	if err != nil {
		return err
	}
	wanted.Success = success.Success
	if success.Outcome != domain.GateFailed {
		return nil
	}
	if overrideReason == "" {
		return &domain.SwitchRefused{
			Refusal: &domain.Error{
				Code: domain.CodeFailedPrecondition, Field: "override_reason", Rule: "model.gate",
				Message: candidate.ID + " was not made active: " + success.Message + "; give override_reason to switch all the same",
			},
			ModelID: candidate.ID, ActiveModelID: activeID, Checks: []domain.GateCheck{domain.ParityPassed(wanted.Parity), success},
		}
	}
	wanted.OverrideReason = overrideReason
	return nil
}

// compareWithActive is domain.CheckSuccess against the active model, if there is one.
func compareWithActive(ctx context.Context, registry domain.ModelRegistry, candidate domain.Model, activeID string) (domain.GateCheck, error) {
	var active domain.Model
	if activeID != "" {
		var err error
		if active, err = registry.GetModel(ctx, activeID); err != nil {
			return domain.GateCheck{}, err
		}
	}
	return domain.CheckSuccess(candidate, active), nil
}

// refuseParity makes a failed parity check a refusal of the gate, with its numbers, which no reason passes over.
func refuseParity(err error, id, activeID string) error {
	parity, ok := errors.AsType[*parityError](err)
	if !ok {
		return err
	}
	broken, _ := errors.AsType[*domain.Error](err)
	checks := []domain.GateCheck{{Outcome: domain.GateFailed, Message: broken.Message, Parity: parity.evidence}}
	return &domain.SwitchRefused{Refusal: broken, ModelID: id, ActiveModelID: activeID, Checks: checks}
}
