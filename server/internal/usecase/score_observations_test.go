package usecase

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func TestTheScoresOfAnObservationAreThoseOfItsStep(t *testing.T) {
	b := newBench(t)
	p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden")})
	if p.err != nil {
		t.Fatal(p.err)
	}
	in := ScoreObservationsInput{}
	e := domain.NewEpisode(p.started.Maze)
	for _, s := range p.steps {
		var o [domain.ObservationLength]float32
		e.Observe(p.started.Observation, &o)
		in.Observations = append(in.Observations, o[:])
		e.Apply(s.Action)
	}
	out, err := NewScoreObservations(b.deps).Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Policy.ModelID != "first-1" || out.Observation != domain.ObservationTrail || len(out.Scored) != len(p.steps) {
		t.Errorf("scored %+v", out)
	}
	for i, s := range p.steps {
		if out.Scored[i].Scores != s.Scores || out.Scored[i].Probabilities != s.Probabilities {
			t.Errorf("observation %d got %+v, its step %+v", i, out.Scored[i], s)
		}
	}
}

func TestObservationsThatBreakARuleAreRefused(t *testing.T) {
	b := newBench(t)
	b.deps.Capacity = NewCapacity(Limits{Maps: 1, Wait: 10 * time.Millisecond})
	u := NewScoreObservations(b.deps)
	good := make([]float32, domain.ObservationLength)
	with := func(v float32) []float32 {
		o := append([]float32(nil), good...)
		o[24] = v
		return o
	}
	for name, c := range map[string]struct {
		in    ScoreObservationsInput
		code  domain.Code
		field string
	}{
		"none":       {ScoreObservationsInput{}, domain.CodeInvalidArgument, "observations"},
		"too many":   {ScoreObservationsInput{Observations: make([][]float32, 101)}, domain.CodeInvalidArgument, "observations"},
		"short":      {ScoreObservationsInput{Observations: [][]float32{good, good[:24]}}, domain.CodeInvalidArgument, "observations[1].values"},
		"long":       {ScoreObservationsInput{Observations: [][]float32{make([]float32, 26)}}, domain.CodeInvalidArgument, "observations[0].values"},
		"large":      {ScoreObservationsInput{Observations: [][]float32{good, good, with(1.5)}}, domain.CodeInvalidArgument, "observations[2].values"},
		"no number":  {ScoreObservationsInput{Observations: [][]float32{with(float32(math.NaN()))}}, domain.CodeInvalidArgument, "observations[0].values"},
		"baseline":   {ScoreObservationsInput{Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}, Observations: [][]float32{good}}, domain.CodeFailedPrecondition, "policy.baseline"},
		"no model":   {ScoreObservationsInput{Policy: domain.PolicyRef{ModelID: "none-1"}, Observations: [][]float32{good}}, domain.CodeNotFound, "policy.model_id"},
		"both limit": {ScoreObservationsInput{Observations: [][]float32{with(1), with(-1)}}, -1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := u.Run(t.Context(), c.in)
			if c.code < 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.code, c.field)
		})
	}
	b.deps.Capacity.maps.slots <- struct{}{}
	if _, err := u.Run(t.Context(), ScoreObservationsInput{Observations: [][]float32{good}}); domain.CodeOf(err) != domain.CodeResourceExhausted {
		t.Errorf("beyond the capacity: %v", err)
	}
	b.deps.Capacity.maps.release()
	failure := errors.New("out of memory")
	b.loader.last("first-1").err.Store(&failure)
	if _, err := u.Run(t.Context(), ScoreObservationsInput{Observations: [][]float32{good}}); !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
	if uses := b.models.active.Load().uses.Load(); uses != 1 {
		t.Errorf("the model has %d uses", uses)
	}
}
