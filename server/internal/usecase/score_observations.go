package usecase

import (
	"context"
	"fmt"
	"math"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// mostObservations that are scored in one call.
const mostObservations = 100

// ScoreObservations runs a network on observations that the caller made.
type ScoreObservations struct{ deps EpisodeDeps }

// NewScoreObservations makes the use case; it needs Models and Capacity only.
func NewScoreObservations(d EpisodeDeps) *ScoreObservations { return &ScoreObservations{deps: d} }

// ScoreObservationsInput names the network and what it sees.
type ScoreObservationsInput struct {
	Policy       domain.PolicyRef // empty means the active model
	Observations [][]float32      // 1–100, each of 25 values, −1 to 1
}

// ScoredObservation is the network's answer to one observation.
type ScoredObservation struct {
	Scores        domain.ActionScores
	Probabilities [4]float32
}

// ScoreObservationsOutput holds the answers, in the order of the observations.
type ScoreObservationsOutput struct {
	Scored      []ScoredObservation
	Policy      domain.PolicyRef // the active model's id filled in
	Observation domain.ObservationVersion
}

// Run scores all observations in one batch, which counts like a policy map. Errors: CodeInvalidArgument on "observations"; CodeNotFound and
// CodeFailedPrecondition on "policy.model_id" or "policy"; CodeFailedPrecondition for a baseline, which has no scores; CodeResourceExhausted.
func (u *ScoreObservations) Run(ctx context.Context, in ScoreObservationsInput) (ScoreObservationsOutput, error) {
	var out ScoreObservationsOutput
	if err := in.check(); err != nil {
		return out, err
	}
	a, err := newActor(ctx, u.deps.Models, in.Policy, domain.Sampling{}, 0)
	if err != nil {
		return out, err
	}
	defer a.release()
	if err := u.deps.Capacity.maps.acquire(ctx); err != nil {
		return out, err
	}
	defer u.deps.Capacity.maps.release()
	n := len(in.Observations)
	input := make([]float32, 0, n*domain.ObservationLength)
	for _, o := range in.Observations {
		input = append(input, o...)
	}
	scores, values := make([]float32, 4*n), make([]float32, n)
	if err := a.loaded.network.Infer(input, scores, values); err != nil {
		return out, fmt.Errorf("infer %d observations: %w", n, err)
	}
	out = ScoreObservationsOutput{Scored: make([]ScoredObservation, n), Policy: a.ref, Observation: a.loaded.model.Observation}
	for i := range out.Scored {
		s := domain.ActionScores{Kind: a.loaded.model.ScoreKind, Values: [4]float32(scores[4*i:]), StateValue: values[i]}
		out.Scored[i] = ScoredObservation{Scores: s, Probabilities: s.Probabilities()}
	}
	return out, nil
}

func (in *ScoreObservationsInput) check() error {
	if in.Policy.Baseline != domain.BaselineNone {
		return &domain.Error{Code: domain.CodeFailedPrecondition, Field: "policy.baseline", Rule: "baseline.no_scores", Message: "a baseline has no scores; name a model"}
	}
	if n := len(in.Observations); n < 1 || n > mostObservations {
		return outOfRange("observations", "must be 1 to 100")
	}
	for i, o := range in.Observations {
		wrong := func(rule, message string) error {
			return &domain.Error{Code: domain.CodeInvalidArgument, Field: fmt.Sprintf("observations[%d].values", i), Rule: rule, Message: message}
		}
		if len(o) != domain.ObservationLength {
			return wrong("observation.length", "an observation has 25 values")
		}
		for _, v := range o {
			if !(math.Abs(float64(v)) <= 1) { // true for NaN
				return wrong("observation.range", "the values of an observation are between −1 and 1")
			}
		}
	}
	return nil
}
