package usecase

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// RegisterModel takes in a trained model as the next version of its name. Use NewRegisterModel.
type RegisterModel struct {
	registry domain.ModelRegistry
	keeper   domain.ModelKeeper
	models   *LoadedModels
	trial    domain.NetworkTrial
	turn     chan struct{} // holds one token while somebody registers: who waits for the lock needs no connection of the database
}

// NewRegisterModel returns the use case; there is one for each keeper.
func NewRegisterModel(registry domain.ModelRegistry, keeper domain.ModelKeeper, models *LoadedModels, trial domain.NetworkTrial) *RegisterModel {
	return &RegisterModel{registry: registry, keeper: keeper, models: models, trial: trial, turn: make(chan struct{}, 1)}
}

// RegisterModelOutput holds the model as it is registered. Created is false when the name had these bytes before.
type RegisterModelOutput struct {
	Model   domain.Model
	Active  bool
	Created bool
}

// Run checks the files, gives them their place and then the registry the model, so that nothing is listed that can't act. After a crash in between
// the folder is whole: the next start, or the next call, registers it. Errors: CodeInvalidArgument with the field of the file at fault;
// CodeResourceExhausted when the disk is full; CodeUnavailable.
func (u *RegisterModel) Run(ctx context.Context, name string, files domain.ModelFiles) (RegisterModelOutput, error) {
	bundle, err := u.check(ctx, name, files)
	if err != nil {
		return RegisterModelOutput{}, err
	}
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	case <-ctx.Done():
		return RegisterModelOutput{}, context.Cause(ctx)
	}
	staged, err := u.keeper.StageModel(name, files)
	if err != nil {
		return RegisterModelOutput{}, fmt.Errorf("stage model %s: %w", name, err)
	}
	defer staged.Discard()
	var kept keptVersion
	if err := u.registry.AddVersion(ctx, name, func(known []domain.Model, register func(domain.Model) error) error {
		kept, err = keepVersion(bundle.Model, known, staged, register)
		return err
	}); err != nil {
		return RegisterModelOutput{}, fmt.Errorf("register model %s: %w", name, err)
	}
	m, err := u.registry.GetModel(ctx, kept.id)
	if err != nil {
		return RegisterModelOutput{}, err
	}
	active, err := activeModelID(ctx, u.registry)
	return RegisterModelOutput{Model: m, Active: active == m.ID, Created: kept.created}, err
}

// check goes through the steps that a client is told: the files, the walk over the network, the trial of it, what it computes.
func (u *RegisterModel) check(ctx context.Context, name string, files domain.ModelFiles) (domain.ModelBundle, error) {
	shipped, err := u.keeper.NameShipped(name)
	if err != nil {
		return domain.ModelBundle{}, err
	}
	if shipped {
		return domain.ModelBundle{}, &domain.Error{Code: domain.CodeInvalidArgument, Field: "name", Rule: "model.name_reserved", Message: fmt.Sprintf("the name %q is reserved for a model that ships with the server; choose another one", name)}
	}
	bundle, err := u.keeper.ReadModel(name, files)
	if err != nil {
		return domain.ModelBundle{}, err
	}
	if err := u.trial.TryNetwork(ctx, bundle.ONNX); err != nil {
		return domain.ModelBundle{}, refusal(err)
	}
	return bundle, refusal(u.models.tryOut(bundle))
}

// refusal turns what is wrong with a model into what is wrong with a request.
func refusal(err error) error {
	broken, ok := errors.AsType[*domain.Error](err)
	if !ok || !errors.Is(err, domain.ErrModelBroken) {
		return err
	}
	refused := &domain.Error{Code: domain.CodeInvalidArgument, Field: "policy_onnx", Rule: "model.network", Message: strings.TrimPrefix(broken.Message, "its "), Cause: err}
	if fault, ok := errors.AsType[*domain.NetworkFault](err); ok {
		refused.Rule = fault.Rule
	}
	if errors.Is(err, errParity) {
		refused.Field, refused.Rule = "parity_json", "model.parity_check"
		refused.Message = fmt.Sprintf("parity.json: %s; every output may differ by %g, and the best action must be the same", strings.TrimPrefix(broken.Message, "its "), domain.ParityTolerance)
	}
	return refused
}

// keptVersion is where the files of a call ended.
type keptVersion struct {
	id      string
	created bool
}

// keepVersion finds the version that has the file of m, or makes the next one. A whole folder that lies where the next version would be is what a
// call left that ended before its commit: it is registered as what it is.
func keepVersion(m domain.Model, known []domain.Model, staged domain.StagedModel, register func(domain.Model) error) (keptVersion, error) {
	version := 0
	for i, k := range known {
		version = max(version, k.Version)
		if k.Origin != domain.ModelOriginRegistered || k.SHA256 != m.SHA256 {
			continue
		}
		m.ID, m.Version = k.ID, k.Version
		there, err := staged.Place(m) // its folder may be gone or damaged
		if err != nil {
			return keptVersion{}, err
		}
		if there.SHA256 == m.SHA256 {
			if k.State == domain.ModelStateBroken {
				err = register(there)
			}
			return keptVersion{id: k.ID}, err
		}
		k.State, k.StateReason = domain.ModelStateBroken, reasonOther
		if err := register(k); err != nil {
			return keptVersion{}, err
		}
		known[i] = k
	}
	for {
		version++
		m.ID, m.Version = fmt.Sprintf("%s-%d", m.Name, version), version
		there, err := staged.Place(m)
		if err != nil {
			return keptVersion{}, err
		}
		found := there.SHA256 == m.SHA256
		if !found && holdsFile(known, there.SHA256) {
			there.State, there.StateReason = domain.ModelStateBroken, reasonCopied
		}
		if err := register(there); err != nil {
			staged.Withdraw()
			return keptVersion{}, err
		}
		if found {
			return keptVersion{id: m.ID, created: true}, nil
		}
		known = append(known, there)
	}
}

// reasonCopied is why a second folder with the file of a registered model is broken.
const reasonCopied = "its file is registered as another version of its name"

func holdsFile(models []domain.Model, sha256 string) bool {
	for _, m := range models {
		if m.Origin == domain.ModelOriginRegistered && m.State == domain.ModelStateReady && m.SHA256 == sha256 {
			return true
		}
	}
	return false
}
