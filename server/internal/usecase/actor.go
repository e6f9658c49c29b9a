package usecase

import (
	"context"
	"errors"
	"fmt"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// actor is the policy of one episode, with the model that it must give back.
type actor struct {
	ref    domain.PolicyRef // the active model's id filled in
	policy domain.Policy
	loaded *loadedModel // nil for a baseline
}

// newActor returns the policy that the reference means; release must be called once.
// Errors: CodeInvalidArgument on "policy.baseline"; CodeNotFound and CodeFailedPrecondition on "policy.model_id" or "policy".
func newActor(ctx context.Context, models *LoadedModels, ref domain.PolicyRef, sampling domain.Sampling, seed uint64) (*actor, error) {
	if ref.Baseline != domain.BaselineNone {
		p, ok := domain.NewBaselinePolicy(ref.Baseline, seed)
		if !ok {
			return nil, &domain.Error{Code: domain.CodeInvalidArgument, Field: "policy.baseline", Rule: "baseline.unknown", Message: "there is no such baseline"}
		}
		return &actor{ref: domain.PolicyRef{Baseline: ref.Baseline}, policy: p}, nil
	}
	loaded, err := models.acquire(ctx, ref.ModelID)
	if err != nil {
		if e, ok := errors.AsType[*domain.Error](err); ok && e.Field == "model_id" {
			inPolicy := *e
			inPolicy.Field = "policy.model_id"
			return nil, &inPolicy
		}
		return nil, err
	}
	return &actor{
		ref:    domain.PolicyRef{ModelID: loaded.model.ID},
		policy: domain.NewNetworkPolicy(loaded.network, &loaded.model, sampling, seed),
		loaded: loaded,
	}, nil
}

func (a *actor) release() {
	if a.loaded != nil {
		a.loaded.release()
	}
}

// sha256 of the model's file; empty for a baseline.
func (a *actor) sha256() string {
	if a.loaded == nil {
		return ""
	}
	return a.loaded.model.SHA256
}

// replayCheck is after how many replayed steps the context is looked at: about a millisecond of work.
const replayCheck = 256

// replay plays the episode to after_step again, or to its end where that comes earlier. It counts against the capacity for replays.
// Errors: CodeResourceExhausted; the context's cause.
func replay(ctx context.Context, capacity *Capacity, e *domain.Episode, p domain.Policy, afterStep int) error {
	if err := capacity.replays.acquire(ctx); err != nil {
		return err
	}
	defer capacity.replays.release()
	for e.Steps() < afterStep && e.Outcome() == domain.OutcomeRunning {
		if e.Steps()%replayCheck == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		a, _, err := p.Decide(e)
		if err != nil {
			return err
		}
		e.Apply(a)
	}
	return nil
}

// checkReached requires the longest of the replayed episodes to have come to after_step. Error: CodeInvalidArgument on "after_step".
func checkReached(longest, afterStep int) error {
	if longest < afterStep {
		return &domain.Error{Code: domain.CodeInvalidArgument, Field: "after_step", Rule: "after_step.beyond", Message: fmt.Sprintf("the episode has %d steps; after_step must not be larger", longest)}
	}
	return nil
}
