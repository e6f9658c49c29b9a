// Package contract holds what every implementation of a port must do, as tests: real stores and fakes run the same suite, so that a
// fake can't promise what the store does not keep. Only tests import it.
package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// ReadyModel returns a model with every field set, named name-version, with a hash of its own.
func ReadyModel(name string, version int) domain.Model {
	return domain.Model{
		ID:           fmt.Sprintf("%s-%d", name, version),
		Name:         name,
		Version:      version,
		Origin:       domain.ModelOriginShipped,
		Title:        "Title of " + name,
		Description:  "Ein Modell — 迷路 \"quoted\" \\",
		State:        domain.ModelStateReady,
		Algorithm:    domain.AlgorithmPPO,
		Observation:  domain.ObservationMemory,
		ScoreKind:    domain.ScoreKindLogit,
		TrainedAt:    time.Date(2026, 11, 23, 12, 30, 45, 123456000, time.UTC),
		RegisteredAt: time.Date(2026, 11, 23, 23, 59, 59, 999999000, time.UTC),
		Timesteps:    1_000_000,
		TrainingRun:  "run-1",
		Seed:         18446744073709551615,
		SHA256:       fmt.Sprintf("%064x", len(name)<<16|version),
		SizeBytes:    33_000,
		Opset:        18,
		Config:       "ml/configs/ppo-memory.yaml",
		Success: []domain.SuccessRate{
			{SetID: "heldout", SetHash: strings.Repeat("ab", 32), Episodes: 1000, Successes: 999, MeanSteps: 34.5, SPL: 0.7},
			{SetID: "large-20", SetHash: strings.Repeat("cd", 32), Episodes: 50, Successes: 50, MeanSteps: 295.25, SPL: 0.1},
		},
	}
}

// BrokenModel returns a model of which nothing but the folder's name could be read.
func BrokenModel(id string) domain.Model {
	return domain.Model{ID: id, Origin: domain.ModelOriginShipped, State: domain.ModelStateBroken, StateReason: "manifest.json is missing", RegisteredAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
}

// RegistryContract runs the suite of domain.ModelRegistry. open returns an empty registry that lives until the test ends.
func RegistryContract(t *testing.T, open func(t *testing.T) domain.ModelRegistry) {
	register := func(t *testing.T, r domain.ModelRegistry, models ...domain.Model) {
		t.Helper()
		for _, m := range models {
			if err := r.RegisterModel(t.Context(), m); err != nil {
				t.Fatalf("register %s: %v", m.ID, err)
			}
		}
	}
	activate := func(t *testing.T, r domain.ModelRegistry, id, reason string, onlyIfNone bool) domain.Activation {
		t.Helper()
		activation, err := r.ActivateModel(t.Context(), domain.Switch{ModelID: id, Reason: reason, OnlyIfNone: onlyIfNone})
		if err != nil {
			t.Fatalf("activate %s: %v", id, err)
		}
		return activation
	}

	t.Run("a registered model comes back with every field", func(t *testing.T) {
		r := open(t)
		want := ReadyModel("ppo-memory", 1)
		register(t, r, want)
		got, err := r.GetModel(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-registered +found\n%s", diff)
		}
		listed, err := r.ListModels(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]domain.Model{want}, listed); diff != "" {
			t.Errorf("-registered +listed\n%s", diff)
		}
	})

	t.Run("a seed of a thousand stays a thousand", func(t *testing.T) {
		r := open(t)
		want := ReadyModel("m", 1)
		want.Seed = 1000
		register(t, r, want)
		if got, err := r.GetModel(t.Context(), want.ID); err != nil || got.Seed != want.Seed {
			t.Errorf("seed %d, %v", got.Seed, err)
		}
	})

	t.Run("an empty registry lists nothing and has no active model", func(t *testing.T) {
		r := open(t)
		if models, err := r.ListModels(t.Context()); err != nil || len(models) != 0 {
			t.Errorf("listed %v, %v", models, err)
		}
		if _, err := r.ActiveModel(t.Context()); !errors.Is(err, domain.ErrNoActiveModel) {
			t.Errorf("active: %v", err)
		}
	})

	t.Run("models are listed by name, newest version first", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("b", 1), ReadyModel("a", 2), ReadyModel("a", 10), ReadyModel("B", 1), ReadyModel("a", 1))
		models, err := r.ListModels(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range models {
			ids = append(ids, m.ID)
		}
		if diff := cmp.Diff([]string{"B-1", "a-10", "a-2", "a-1", "b-1"}, ids); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})

	t.Run("an unknown model is not found", func(t *testing.T) {
		r := open(t)
		for _, id := range []string{"nobody-1", "", "with\x00nul", "\xff\xfe", strings.Repeat("x", 5000)} {
			if _, err := r.GetModel(t.Context(), id); !errors.Is(err, domain.ErrModelNotFound) {
				t.Errorf("get %.20q: %v", id, err)
			}
			if _, err := r.ActivateModel(t.Context(), domain.Switch{ModelID: id}); !errors.Is(err, domain.ErrModelNotFound) {
				t.Errorf("activate %.20q: %v", id, err)
			}
		}
	})

	t.Run("registering the same file again changes nothing", func(t *testing.T) {
		r := open(t)
		first := ReadyModel("m", 1)
		register(t, r, first)
		again := first
		again.RegisteredAt = first.RegisteredAt.Add(time.Hour)
		register(t, r, again)
		if got, err := r.GetModel(t.Context(), first.ID); err != nil || !cmp.Equal(first, got) {
			t.Errorf("%v\n%s", err, cmp.Diff(first, got))
		}
	})

	t.Run("another file under a taken id is refused and nothing changes", func(t *testing.T) {
		r := open(t)
		first := ReadyModel("m", 1)
		register(t, r, first)
		other := first
		other.SHA256, other.Title = strings.Repeat("f", 64), "Other"
		err := r.RegisterModel(t.Context(), other)
		if domain.CodeOf(err) != domain.CodeAlreadyExists || !errors.Is(err, &domain.Error{Code: domain.CodeAlreadyExists, Rule: "model.id_taken"}) {
			t.Errorf("register: %v", err)
		}
		if got, err := r.GetModel(t.Context(), first.ID); err != nil || !cmp.Equal(first, got) {
			t.Errorf("%v\n%s", err, cmp.Diff(first, got))
		}
	})

	t.Run("another file replaces that of a known id, and only that", func(t *testing.T) {
		r := open(t)
		first, beside := ReadyModel("m", 1), ReadyModel("m", 2)
		register(t, r, first, beside)
		active := activate(t, r, beside.ID, "better", false)
		other := first
		other.SHA256, other.Title, other.Seed, other.Success = strings.Repeat("f", 64), "Other", 7, first.Success[:1]
		other.RegisteredAt = first.RegisteredAt.Add(time.Hour)
		if err := r.ReplaceModel(t.Context(), other, "replaced"); err != nil {
			t.Fatal(err)
		}
		want := other
		want.RegisteredAt = first.RegisteredAt
		if got, err := r.GetModel(t.Context(), first.ID); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got))
		}
		if got, err := r.GetModel(t.Context(), beside.ID); err != nil || !cmp.Equal(beside, got) {
			t.Errorf("%v\n%s", err, cmp.Diff(beside, got))
		}
		if got, err := r.ActiveModel(t.Context()); err != nil || !cmp.Equal(active, got) {
			t.Errorf("%v\n%s", err, cmp.Diff(active, got))
		}
		if err := r.ReplaceModel(t.Context(), ReadyModel("nobody", 1), ""); !errors.Is(err, domain.ErrModelNotFound) {
			t.Errorf("an unknown one: %v", err)
		}
	})

	t.Run("a replaced file of the active model stands in the history", func(t *testing.T) {
		r := open(t)
		first := ReadyModel("m", 1)
		register(t, r, first)
		before := activate(t, r, first.ID, "default at first start", false)
		register(t, r, BrokenModel(first.ID))
		other := first
		other.SHA256 = strings.Repeat("f", 64)
		if err := r.ReplaceModel(t.Context(), other, "its file was replaced"); err != nil {
			t.Fatal(err)
		}
		after, err := r.ActiveModel(t.Context())
		if err != nil || after.ModelID != first.ID || after.PreviousModelID != "" || after.Reason != "its file was replaced" || after.ActivatedAt.Before(before.ActivatedAt) {
			t.Errorf("%+v, %v", after, err)
		}
		if got, err := r.GetModel(t.Context(), first.ID); err != nil || got.State != domain.ModelStateReady || got.SHA256 != other.SHA256 {
			t.Errorf("%+v, %v", got, err)
		}
	})

	t.Run("a model breaks and is repaired", func(t *testing.T) {
		r := open(t)
		whole := ReadyModel("m", 1)
		register(t, r, whole)
		broken := whole
		broken.State, broken.StateReason = domain.ModelStateBroken, "policy.onnx is cut short"
		register(t, r, broken)
		got, err := r.GetModel(t.Context(), whole.ID)
		if err != nil || got.State != domain.ModelStateBroken || got.StateReason != broken.StateReason || got.Title != whole.Title {
			t.Fatalf("broken: %+v, %v", got, err)
		}
		if len(got.Success) != 0 {
			t.Errorf("a broken model shows success %v", got.Success)
		}
		register(t, r, whole)
		if got, err := r.GetModel(t.Context(), whole.ID); err != nil || !cmp.Equal(whole, got) {
			t.Errorf("repaired: %v\n%s", err, cmp.Diff(whole, got))
		}
	})

	t.Run("a model that could not be read at first is complete once it can be", func(t *testing.T) {
		r := open(t)
		whole := ReadyModel("m", 1)
		register(t, r, BrokenModel(whole.ID))
		got, err := r.GetModel(t.Context(), whole.ID)
		if err != nil || got.State != domain.ModelStateBroken || got.StateReason == "" {
			t.Fatalf("broken: %+v, %v", got, err)
		}
		register(t, r, whole)
		want := whole
		want.RegisteredAt = BrokenModel("").RegisteredAt
		if got, err := r.GetModel(t.Context(), whole.ID); err != nil || !cmp.Equal(want, got) {
			t.Errorf("repaired: %v\n%s", err, cmp.Diff(want, got))
		}
	})

	t.Run("a lost manifest breaks a known model", func(t *testing.T) {
		r := open(t)
		whole := ReadyModel("m", 1)
		register(t, r, whole, BrokenModel(whole.ID))
		if got, err := r.GetModel(t.Context(), whole.ID); err != nil || got.State != domain.ModelStateBroken || got.SHA256 != whole.SHA256 {
			t.Errorf("%+v, %v", got, err)
		}
	})

	t.Run("a manifest full of rubbish is listed as broken", func(t *testing.T) {
		r := open(t)
		rubbish := domain.Model{
			ID: "rubbish-1", Origin: domain.ModelOriginShipped, Name: "nul\x00", Version: -1 << 40, Title: "\xff\xfe", State: domain.ModelStateBroken, StateReason: "all of it\x00",
			Algorithm: "SARSA", Observation: "full/9", ScoreKind: "?", Timesteps: -5, SizeBytes: -1, Opset: 1 << 40, SHA256: "nothex",
			Success: []domain.SuccessRate{{SetID: "a", Episodes: -1, Successes: 5, SPL: 7}},
		}
		register(t, r, rubbish, rubbish)
		models, err := r.ListModels(t.Context())
		if err != nil || len(models) != 1 || models[0].ID != rubbish.ID || models[0].State != domain.ModelStateBroken || models[0].RegisteredAt.IsZero() {
			t.Errorf("listed %+v, %v", models, err)
		}
	})

	t.Run("the active model is the last one that was activated", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1), ReadyModel("m", 2))
		first := activate(t, r, "m-1", "default at first start", false)
		if first.ModelID != "m-1" || first.PreviousModelID != "" || first.Reason != "default at first start" || time.Since(first.ActivatedAt).Abs() > time.Minute || first.ActivatedAt.Location() != time.UTC {
			t.Errorf("first: %+v", first)
		}
		second := activate(t, r, "m-2", "better", false)
		if second.ModelID != "m-2" || second.PreviousModelID != "m-1" || second.Reason != "better" {
			t.Errorf("second: %+v", second)
		}
		if got, err := r.ActiveModel(t.Context()); err != nil || !cmp.Equal(second, got) {
			t.Errorf("active: %v\n%s", err, cmp.Diff(second, got))
		}
		third := activate(t, r, "m-1", "back", false)
		if third.PreviousModelID != "m-2" {
			t.Errorf("third: %+v", third)
		}
	})

	t.Run("activating the active model again returns its activation", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1))
		first := activate(t, r, "m-1", "why", false)
		if again := activate(t, r, "m-1", "again", false); !cmp.Equal(first, again) {
			t.Error(cmp.Diff(first, again))
		}
	})

	t.Run("only if none leaves the active model alone", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1), ReadyModel("m", 2))
		first := activate(t, r, "m-1", "default", true)
		if again := activate(t, r, "m-2", "default", true); !cmp.Equal(first, again) {
			t.Error(cmp.Diff(first, again))
		}
	})

	t.Run("a broken model can't become active", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1), BrokenModel("m-2"))
		first := activate(t, r, "m-1", "", false)
		if _, err := r.ActivateModel(t.Context(), domain.Switch{ModelID: "m-2"}); !errors.Is(err, domain.ErrModelBroken) {
			t.Errorf("activate: %v", err)
		}
		if got, err := r.ActiveModel(t.Context()); err != nil || !cmp.Equal(first, got) {
			t.Errorf("active: %v\n%s", err, cmp.Diff(first, got))
		}
	})

	t.Run("an active model that breaks stays the active one", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1))
		first := activate(t, r, "m-1", "", false)
		register(t, r, BrokenModel("m-1"))
		if got, err := r.ActiveModel(t.Context()); err != nil || !cmp.Equal(first, got) {
			t.Errorf("active: %v\n%s", err, cmp.Diff(first, got))
		}
	})

	t.Run("many switches at once happen one after the other", func(t *testing.T) {
		r := open(t)
		const n = 8
		for i := range n {
			register(t, r, ReadyModel("m", i+1))
		}
		activations := make([]domain.Activation, n)
		failures := make([]error, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				activations[i], failures[i] = r.ActivateModel(t.Context(), domain.Switch{ModelID: fmt.Sprintf("m-%d", i+1)})
			})
		}
		all.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		// Each has another predecessor: no switch was made on a state that another one had changed.
		previous := make(map[string]bool)
		for _, a := range activations {
			previous[a.PreviousModelID] = true
		}
		if len(previous) != n {
			t.Errorf("predecessors %v", previous)
		}
	})

	t.Run("an activation keeps who, why, past what and on what evidence", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1), ReadyModel("m", 2))
		first := activate(t, r, "m-1", "", false)
		want := domain.Switch{
			ModelID: "m-2", Reason: "Grund", Actor: "Ada", OverrideReason: "迷路", Expected: first.ID,
			Parity:  domain.ParityEvidence{Vectors: 64, LargestDeviation: 2.5e-7},
			Success: domain.SuccessEvidence{SetID: "heldout", SetHash: strings.Repeat("ab", 32), Episodes: 1000, Successes: 9, PreviousEpisodes: 500, PreviousSuccesses: 500},
		}
		got, err := r.ActivateModel(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		expected := domain.Activation{
			ID: got.ID, ModelID: "m-2", PreviousModelID: "m-1", Reason: want.Reason, ActivatedAt: got.ActivatedAt, Actor: want.Actor,
			OverrideReason: want.OverrideReason, Parity: want.Parity, Success: want.Success,
		}
		if got != expected || got.ID <= first.ID {
			t.Error(cmp.Diff(expected, got))
		}
		if listed, err := r.ListActivations(t.Context(), 0, time.Time{}, 10); err != nil || !cmp.Equal([]domain.Activation{got, first}, listed) {
			t.Errorf("%v\n%s", err, cmp.Diff([]domain.Activation{got, first}, listed))
		}
	})

	t.Run("a switch that was decided on another state is refused with what is active", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1), ReadyModel("m", 2), ReadyModel("m", 3))
		refused := func(s domain.Switch, inForce domain.Activation) {
			t.Helper()
			_, err := r.ActivateModel(t.Context(), s)
			changed, ok := errors.AsType[*domain.ActiveModelChanged](err)
			if !ok || changed.Activation != inForce || domain.CodeOf(err) != domain.CodeAborted {
				t.Errorf("%+v: %v", s, err)
			}
		}
		refused(domain.Switch{ModelID: "m-1", Expected: 1}, domain.Activation{})
		first, err := r.ActivateModel(t.Context(), domain.Switch{ModelID: "m-1", Expected: domain.ExpectNone})
		if err != nil {
			t.Fatal(err)
		}
		second := activate(t, r, "m-2", "", false)
		refused(domain.Switch{ModelID: "m-3", Expected: first.ID}, second)
		refused(domain.Switch{ModelID: "m-3", Expected: domain.ExpectNone}, second)
		refused(domain.Switch{ModelID: "m-2", Expected: first.ID, Undoes: first.ID}, second)
		if again, err := r.ActivateModel(t.Context(), domain.Switch{ModelID: "m-2", Expected: first.ID}); err != nil || again != second {
			t.Errorf("what is wanted is the case: %+v, %v", again, err)
		}
	})

	t.Run("a roll-back is found by what it undid", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1), ReadyModel("m", 2))
		first := activate(t, r, "m-1", "", false)
		if _, err := r.ActivationBefore(t.Context(), first.ID); !errors.Is(err, domain.ErrNoEarlierModel) {
			t.Errorf("before the first: %v", err)
		}
		if _, err := r.ActivationBefore(t.Context(), first.ID+1000); !errors.Is(err, domain.ErrNoEarlierModel) {
			t.Errorf("before none: %v", err)
		}
		second := activate(t, r, "m-2", "", false)
		if err := r.ReplaceModel(t.Context(), ReadyModel("m", 2), "its file was replaced"); err != nil {
			t.Fatal(err)
		}
		third, err := r.ActiveModel(t.Context())
		if err != nil || third.ID <= second.ID {
			t.Fatalf("%+v, %v", third, err)
		}
		if before, err := r.ActivationBefore(t.Context(), third.ID); err != nil || before != first {
			t.Errorf("another model was active before: %+v, %v", before, err)
		}
		if _, err := r.RollBackOf(t.Context(), third.ID); !errors.Is(err, domain.ErrNotRolledBack) {
			t.Errorf("not yet: %v", err)
		}
		back, err := r.ActivateModel(t.Context(), domain.Switch{ModelID: "m-1", Expected: third.ID, Undoes: third.ID})
		if err != nil || back.Undoes != third.ID || back.PreviousModelID != "m-2" {
			t.Errorf("%+v, %v", back, err)
		}
		if found, err := r.RollBackOf(t.Context(), third.ID); err != nil || found != back {
			t.Errorf("%+v, %v", found, err)
		}
	})

	t.Run("the history is read in pages and as of a time", func(t *testing.T) {
		r := open(t)
		register(t, r, ReadyModel("m", 1), ReadyModel("m", 2))
		var all []domain.Activation
		for i := range 5 {
			all = append([]domain.Activation{activate(t, r, fmt.Sprintf("m-%d", 1+i%2), "", false)}, all...)
		}
		list := func(before int64, at time.Time, limit int) []domain.Activation {
			t.Helper()
			listed, err := r.ListActivations(t.Context(), before, at, limit)
			if err != nil {
				t.Fatal(err)
			}
			return listed
		}
		if got := append(list(0, time.Time{}, 2), list(all[1].ID, time.Time{}, 9)...); !cmp.Equal(all, got) {
			t.Error(cmp.Diff(all, got))
		}
		if got := list(0, all[3].ActivatedAt, 9); len(got) == 0 || got[len(got)-1] != all[4] || got[0].ActivatedAt.After(all[3].ActivatedAt) {
			t.Errorf("as of the second: %+v", got)
		}
		if got := list(0, all[4].ActivatedAt.Add(-time.Second), 9); len(got) != 0 {
			t.Errorf("before the first: %+v", got)
		}
	})

	t.Run("many registrations of one model at once leave one", func(t *testing.T) {
		r := open(t)
		want := ReadyModel("m", 1)
		failures := make([]error, 8)
		var all sync.WaitGroup
		for i := range failures {
			all.Go(func() { failures[i] = r.RegisterModel(t.Context(), want) })
		}
		all.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		if models, err := r.ListModels(t.Context()); err != nil || !cmp.Equal([]domain.Model{want}, models) {
			t.Errorf("%v\n%s", err, cmp.Diff([]domain.Model{want}, models))
		}
	})

	registered := func(version int, sha256 string) domain.Model {
		m := ReadyModel("m", version)
		m.Origin = domain.ModelOriginRegistered
		m.SHA256 = strings.Repeat(sha256, 64)
		return m
	}

	t.Run("a version is added by who sees all others of its name", func(t *testing.T) {
		r := open(t)
		register(t, r, registered(10, "a"), registered(2, "b"), ReadyModel("other", 7))
		want := registered(11, "c")
		err := r.AddVersion(t.Context(), "m", func(known []domain.Model, register func(domain.Model) error) error {
			if len(known) != 2 || known[0].Version != 2 || known[1].Version != 10 || known[1].Origin != domain.ModelOriginRegistered || known[1].SHA256 != strings.Repeat("a", 64) {
				t.Errorf("known are %+v", known)
			}
			return register(want)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.GetModel(t.Context(), "m-11"); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%v\n%s", err, cmp.Diff(want, got))
		}
	})

	t.Run("a version that is added in vain leaves nothing", func(t *testing.T) {
		r := open(t)
		vain := errors.New("the disk is full")
		err := r.AddVersion(t.Context(), "m", func(_ []domain.Model, register func(domain.Model) error) error {
			if err := register(registered(1, "a")); err != nil {
				t.Error(err)
			}
			return domain.Unavailable("the disk", vain)
		})
		if !errors.Is(err, vain) || domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("got %v", err)
		}
		if models, err := r.ListModels(t.Context()); err != nil || len(models) != 0 {
			t.Errorf("listed %v, %v", models, err)
		}
	})

	t.Run("a name holds a registered file once", func(t *testing.T) {
		r := open(t)
		register(t, r, registered(1, "a"))
		if err := r.RegisterModel(t.Context(), registered(2, "a")); !errors.Is(err, domain.ErrFileKnown) {
			t.Errorf("a second version: %v", err)
		}
		broken := registered(2, "a")
		broken.State, broken.StateReason = domain.ModelStateBroken, "copied"
		other := registered(1, "a")
		other.ID, other.Name = "n-1", "n"
		register(t, r, broken, other)
		err := r.AddVersion(t.Context(), "m", func(_ []domain.Model, register func(domain.Model) error) error { return register(registered(3, "a")) })
		if !errors.Is(err, domain.ErrFileKnown) {
			t.Errorf("a third version: %v", err)
		}
	})

	t.Run("many versions that are added at once are counted one after the other", func(t *testing.T) {
		r := open(t)
		const n = 8
		failures := make([]error, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				failures[i] = r.AddVersion(t.Context(), "m", func(known []domain.Model, register func(domain.Model) error) error {
					m := ReadyModel("m", len(known)+1)
					m.Origin = domain.ModelOriginRegistered
					return register(m)
				})
			})
		}
		all.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		if models, err := r.ListModels(t.Context()); err != nil || len(models) != n || models[0].Version != n {
			t.Errorf("listed %d models, %v", len(models), err)
		}
	})

	t.Run("a caller who has gone gets its context's error", func(t *testing.T) {
		r := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.ListModels(ctx); err == nil {
			t.Error("listing succeeded")
		}
	})
}
