package contract

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// SetHash is the content that EvaluationOf is about.
var SetHash = strings.Repeat("b4", 32)

// EvaluationOf returns an evaluation with every field set. sha256 is empty for a baseline.
func EvaluationOf(policy domain.PolicyRef, sha256 string) domain.Evaluation {
	return domain.Evaluation{
		Policy:      policy,
		ModelSHA256: sha256,
		SetID:       "heldout",
		SetHash:     SetHash,
		Groups: []domain.EvaluationGroup{
			{Difficulty: domain.DifficultyEasy, Rows: 10, Cols: 10, Tally: domain.Tally{Episodes: 100, Successes: 98, Steps: 3500, Bumps: 2, Revisits: 1200, SPLSum: 66.123456789}},
			{Difficulty: domain.DifficultyEasy, Rows: 20, Cols: 15, Tally: domain.Tally{Episodes: 3, Successes: 3, Steps: 300, Revisits: 40, SPLSum: 2.5}},
			{Difficulty: domain.DifficultyHard, Rows: 10, Cols: 10, Tally: domain.Tally{Episodes: 1, Steps: 200, Bumps: 200, Revisits: 200}},
			{Difficulty: domain.DifficultyHard, Rows: 10, Cols: 10, PuzzleID: "puzzle-comb", Tally: domain.Tally{Episodes: 1, Successes: 1, Steps: 40, SPLSum: 0.5}},
		},
		FailedPositions: []int{3, 17, 101},
		MeanStep:        2345 * time.Nanosecond,
		P95Step:         4567 * time.Nanosecond,
		EvaluatedAt:     time.Date(2026, 11, 24, 10, 30, 45, 123456000, time.UTC),
	}
}

// EvaluationContract runs the suite of domain.EvaluationStore. open returns an empty store that lives until the test ends, and how to register a
// model in what stands behind it.
func EvaluationContract(t *testing.T, open func(t *testing.T) (store domain.EvaluationStore, register func(context.Context, domain.Model) error)) {
	save := func(t *testing.T, s domain.EvaluationStore, evaluations ...domain.Evaluation) {
		t.Helper()
		for _, e := range evaluations {
			if err := s.SaveEvaluation(t.Context(), e); err != nil {
				t.Fatalf("save %+v: %v", e.Policy, err)
			}
		}
	}
	wantListed := func(t *testing.T, s domain.EvaluationStore, setHash string, want ...domain.Evaluation) {
		t.Helper()
		listed, err := s.ListEvaluations(t.Context(), setHash)
		if err != nil {
			t.Fatal(err)
		}
		if len(listed) != len(want) {
			t.Fatalf("%d evaluations are listed, want %d", len(listed), len(want))
		}
		for i := range want {
			if diff := cmp.Diff(want[i], listed[i]); diff != "" {
				t.Errorf("-saved +listed\n%s", diff)
			}
		}
	}
	random := domain.PolicyRef{Baseline: domain.BaselineRandom}

	t.Run("a saved evaluation comes back with every field", func(t *testing.T) {
		s, register := open(t)
		m := ReadyModel("ppo-memory", 1)
		if err := register(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		e := EvaluationOf(domain.PolicyRef{ModelID: m.ID}, m.SHA256)
		save(t, s, e)
		wantListed(t, s, SetHash, e)
	})

	t.Run("a policy without failures has no failed positions", func(t *testing.T) {
		s, _ := open(t)
		e := EvaluationOf(random, "")
		e.FailedPositions = nil
		save(t, s, e)
		wantListed(t, s, SetHash, e)
	})

	t.Run("models come before baselines, each by name, and another content of the set is another list", func(t *testing.T) {
		s, register := open(t)
		var want []domain.Evaluation
		for _, m := range []domain.Model{ReadyModel("a", 1), ReadyModel("b", 1)} {
			if err := register(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			want = append(want, EvaluationOf(domain.PolicyRef{ModelID: m.ID}, m.SHA256))
		}
		want = append(want, EvaluationOf(domain.PolicyRef{Baseline: domain.BaselineNearestFrontier}, ""), EvaluationOf(random, ""))
		other := EvaluationOf(random, "")
		other.SetHash = strings.Repeat("00", 32)
		save(t, s, want[3], other, want[1], want[2], want[0])
		wantListed(t, s, SetHash, want...)
		wantListed(t, s, other.SetHash, other)
		wantListed(t, s, "unknown")
	})

	t.Run("a later evaluation of the same policy and content takes the place of the earlier one", func(t *testing.T) {
		s, _ := open(t)
		first := EvaluationOf(random, "")
		second := first
		second.SetID, second.Groups, second.FailedPositions = "renamed", first.Groups[:1], []int{5}
		second.MeanStep, second.P95Step, second.EvaluatedAt = time.Microsecond, 2*time.Microsecond, first.EvaluatedAt.Add(time.Hour)
		save(t, s, first, second)
		wantListed(t, s, SetHash, second)
	})

	t.Run("a model that is not registered has no evaluation", func(t *testing.T) {
		s, _ := open(t)
		if err := s.SaveEvaluation(t.Context(), EvaluationOf(domain.PolicyRef{ModelID: "nobody-1"}, strings.Repeat("0a", 32))); !errors.Is(err, domain.ErrModelNotFound) {
			t.Errorf("error %v", err)
		}
		wantListed(t, s, SetHash)
	})

	t.Run("a caller who has left changes nothing", func(t *testing.T) {
		s, _ := open(t)
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if err := s.SaveEvaluation(ctx, EvaluationOf(random, "")); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		wantListed(t, s, SetHash)
	})
}
