package usecase

import (
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// MapPolicy computes the policy map of one moment of an episode.
type MapPolicy struct{ deps EpisodeDeps }

// NewMapPolicy makes the use case; it needs Catalog, Models and Capacity only.
func NewMapPolicy(d EpisodeDeps) *MapPolicy { return &MapPolicy{deps: d} }

// MapPolicyInput names the moment.
type MapPolicyInput struct {
	Maze      domain.MazeRef
	Policy    domain.PolicyRef // empty means the active model
	Seed      uint64
	Sampling  domain.Sampling
	AfterStep int
}

// MapPolicyOutput holds the map; Position is the agent's at after_step.
type MapPolicyOutput struct {
	PolicyMap *domain.PolicyMap
	Policy    domain.PolicyRef
	Position  domain.Cell
}

// Run returns the errors of RunEpisode, and CodeFailedPrecondition for a baseline, which has no scores.
func (u *MapPolicy) Run(ctx context.Context, in MapPolicyInput) (MapPolicyOutput, error) {
	if in.Policy.Baseline != domain.BaselineNone {
		return MapPolicyOutput{}, &domain.Error{Code: domain.CodeFailedPrecondition, Field: "policy.baseline", Rule: "baseline.no_scores", Message: "a baseline has no scores to map; name a model"}
	}
	if err := checkAfterStep(in.AfterStep); err != nil {
		return MapPolicyOutput{}, err
	}
	if err := checkSampling(in.Sampling); err != nil {
		return MapPolicyOutput{}, err
	}
	maze, err := domain.ResolveMaze(u.deps.Catalog, in.Maze)
	if err != nil {
		return MapPolicyOutput{}, err
	}
	a, err := newActor(ctx, u.deps.Models, in.Policy, in.Sampling, in.Seed)
	if err != nil {
		return MapPolicyOutput{}, err
	}
	defer a.release()
	e := domain.NewEpisode(maze)
	if in.AfterStep > 0 {
		if err := replay(ctx, u.deps.Capacity, e, a.policy, in.AfterStep); err != nil {
			return MapPolicyOutput{}, err
		}
		if err := checkReached(e.Steps(), in.AfterStep); err != nil {
			return MapPolicyOutput{}, err
		}
	}
	pm, err := mapPolicy(ctx, u.deps.Capacity, e, a.loaded)
	if err != nil {
		return MapPolicyOutput{}, err
	}
	return MapPolicyOutput{PolicyMap: pm, Policy: a.ref, Position: e.Position()}, nil
}

// mapPolicy scores every open cell, counted against the capacity for maps.
func mapPolicy(ctx context.Context, capacity *Capacity, e *domain.Episode, l *loadedModel) (*domain.PolicyMap, error) {
	if err := capacity.maps.acquire(ctx); err != nil {
		return nil, err
	}
	defer capacity.maps.release()
	return domain.MapPolicy(e, l.network, &l.model)
}
