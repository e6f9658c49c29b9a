package usecase

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// RegisterShippedModels makes the registry know what the model store holds: the shipped models, and those that somebody registered, whose rows a
// crash or a lost database may have taken. It runs once at the start of the server.
type RegisterShippedModels struct {
	Registry domain.ModelRegistry
	Store    domain.ModelStore
	Models   *LoadedModels
}

// RegisterShippedModelsOutput says what was found. NotActive is why no model is active in memory (ErrNoActiveModel, ErrModelBroken); nil when one is.
type RegisterShippedModelsOutput struct {
	Registered int
	Broken     []domain.Model
	Replaced   []domain.Model     // whose folder held another file than the registered one, and which are taken over
	Fallback   *domain.Activation // of the default, because the active model can't be loaded; nil when that was not needed
	NotActive  error
}

// Run returns an error only when a store is away. A broken model is no error: it is registered with its reason.
func (u *RegisterShippedModels) Run(ctx context.Context) (RegisterShippedModelsOutput, error) {
	var out RegisterShippedModelsOutput
	bundles, err := u.Store.ScanModels(ctx)
	if err != nil {
		return out, fmt.Errorf("scan models: %w", err)
	}
	models := make([]domain.Model, 0, len(bundles))
	for _, b := range bundles {
		models = append(models, u.Models.check(b))
	}
	gone, err := u.findGone(ctx, models)
	if err != nil {
		return out, err
	}
	for _, m := range append(models, gone...) {
		m, replaced, err := u.register(ctx, m)
		if err != nil {
			return out, fmt.Errorf("register model %s: %w", m.ID, err)
		}
		if replaced {
			out.Replaced = append(out.Replaced, m)
		}
		out.Registered++
		if m.State == domain.ModelStateBroken {
			out.Broken = append(out.Broken, m)
		}
	}
	if err := u.activateDefault(ctx); err != nil {
		return out, err
	}
	err = u.Models.LoadActive(ctx)
	if errors.Is(err, domain.ErrModelBroken) {
		if out.Fallback, err = u.fallBack(ctx, err); out.Fallback != nil {
			err = u.Models.LoadActive(ctx)
		}
	}
	if domain.CodeOf(err) == domain.CodeUnavailable {
		return out, fmt.Errorf("load the active model: %w", err)
	}
	out.NotActive = err
	return out, nil
}

// fallBack activates the default in place of an active model that can't be loaded, and returns the activation; nil, with why the active one
// can't be loaded, when the default is that model itself, is broken too, or there is none.
func (u *RegisterShippedModels) fallBack(ctx context.Context, broken error) (*domain.Activation, error) {
	active, err := u.Registry.ActiveModel(ctx)
	if err != nil {
		return nil, err
	}
	id, err := u.Store.DefaultModelID(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the default model: %w", err)
	}
	if id == "" || id == active.ModelID {
		return nil, broken
	}
	why, _ := errors.AsType[*domain.Error](broken)
	activation, err := u.Registry.ActivateModel(ctx, domain.Switch{
		ModelID: id, Actor: domain.ActorServer, Reason: fmt.Sprintf("default, because %s can't be loaded: %s", active.ModelID, why.Message),
	})
	if errors.Is(err, domain.ErrModelNotFound) || errors.Is(err, domain.ErrModelBroken) {
		return nil, broken
	}
	if err != nil {
		return nil, err
	}
	return &activation, nil
}

// findGone returns the registered models that the store no longer has, as broken ones.
func (u *RegisterShippedModels) findGone(ctx context.Context, found []domain.Model) ([]domain.Model, error) {
	known, err := u.Registry.ListModels(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the registered models: %w", err)
	}
	var gone []domain.Model
	for _, m := range known {
		if !slices.ContainsFunc(found, func(f domain.Model) bool { return f.ID == m.ID }) {
			m.State, m.StateReason = domain.ModelStateBroken, reasonGone
			gone = append(gone, m)
		}
	}
	return gone, nil
}

// reasonReplaced is what the history says where the active model has a new file.
const reasonReplaced = "its file was replaced; the new one is active"

// reasonOther is why a registered model with another file is broken.
const reasonOther = "its folder holds another file than the one that was registered"

// register makes the registry know one model. A shipped folder that holds another file than the one that was registered was given a new one while no
// server looked (the shipped models were trained again, say): when that is whole the registry takes it over, else a start on kept data would
// be left without its models. Resume tokens name the hash, so no episode of the old file goes on with the new one.
func (u *RegisterShippedModels) register(ctx context.Context, m domain.Model) (known domain.Model, replaced bool, err error) {
	err = u.Registry.RegisterModel(ctx, m)
	if errors.Is(err, domain.ErrFileKnown) {
		m.State, m.StateReason = domain.ModelStateBroken, reasonCopied
		err = u.Registry.RegisterModel(ctx, m)
	}
	if err == nil || domain.CodeOf(err) != domain.CodeAlreadyExists {
		return m, false, err
	}
	if known, err = u.Registry.GetModel(ctx, m.ID); err != nil {
		return m, false, err
	}
	if m.State == domain.ModelStateReady && m.Origin == domain.ModelOriginShipped && known.Origin == domain.ModelOriginShipped {
		return m, true, u.Registry.ReplaceModel(ctx, m, reasonReplaced)
	}
	known.State, known.StateReason = domain.ModelStateBroken, reasonOther
	if m.State == domain.ModelStateBroken {
		known.StateReason += ", and that is broken: " + m.StateReason
	}
	return known, false, u.Registry.RegisterModel(ctx, known)
}

// activateDefault activates the store's default where nothing is active. A default that is missing or broken leaves none active.
func (u *RegisterShippedModels) activateDefault(ctx context.Context) error {
	_, err := u.Registry.ActiveModel(ctx)
	if err == nil || !errors.Is(err, domain.ErrNoActiveModel) {
		return err
	}
	id, err := u.Store.DefaultModelID(ctx)
	if err != nil {
		return fmt.Errorf("read the default model: %w", err)
	}
	if id == "" {
		return nil
	}
	_, err = u.Registry.ActivateModel(ctx, domain.Switch{ModelID: id, Actor: domain.ActorServer, Reason: "default at first start", OnlyIfNone: true})
	if errors.Is(err, domain.ErrModelNotFound) || errors.Is(err, domain.ErrModelBroken) {
		return nil
	}
	return err
}
