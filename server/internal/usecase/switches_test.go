package usecase

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// add puts a model into the store and the registry, with so many successes of the 1000 that ReadyModel has.
func (b *bench) add(t *testing.T, name string, successes int) string {
	t.Helper()
	m := b.store.add(name, 1)
	m.Success[0].Successes = successes
	if err := b.registry.RegisterModel(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return m.ID
}

func (b *bench) active(t *testing.T) domain.Activation {
	t.Helper()
	a, err := b.registry.ActiveModel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) rollBack(t *testing.T, expected int64) (RollBackActiveModelOutput, error) {
	t.Helper()
	return (&RollBackActiveModel{Registry: b.registry, Models: b.models}).Run(t.Context(), RollBackActiveModelInput{Expected: expected, Reason: "worse", Actor: "Ada"})
}

func TestTwoPeopleDoNotOverwriteEachOther(t *testing.T) {
	b := newBench(t)
	third := b.add(t, "third", 999)
	seen := b.active(t)
	out, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1", Expected: seen.ID, Actor: "Ada"})
	if err != nil || out.Activation.Actor != "Ada" {
		t.Fatalf("%+v, %v", out, err)
	}
	_, err = b.activate.Run(t.Context(), SetActiveModelInput{ModelID: third, Expected: seen.ID, Actor: "Bob"})
	changed, ok := errors.AsType[*domain.ActiveModelChanged](err)
	if !ok || changed.Activation != out.Activation {
		t.Errorf("the second: %v", err)
	}
	if b.models.ActiveModelID() != "second-1" || b.models.Loaded() != 1 {
		t.Errorf("%q is active, %d loaded", b.models.ActiveModelID(), b.models.Loaded())
	}
	// What is wanted is the case already, by the first call, whose answer was lost.
	if again, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1", Expected: seen.ID}); err != nil || again.Activation != out.Activation {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestAWorseModelIsRefusedWithItsNumbersUnlessSomebodySaysWhy(t *testing.T) {
	b := newBench(t)
	worse := b.add(t, "worse", 13)
	_, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: worse})
	refused, ok := errors.AsType[*domain.SwitchRefused](err)
	if !ok || domain.CodeOf(err) != domain.CodeFailedPrecondition || !refused.Overridable() || len(refused.Checks) != 2 || refused.ModelID != worse || refused.ActiveModelID != "first-1" {
		t.Fatalf("%+v, %v", refused, err)
	}
	parity, success := refused.Checks[0], refused.Checks[1]
	if parity.Outcome != domain.GatePassed || parity.Parity.Vectors != 3 || success.Outcome != domain.GateFailed || success.Success.Successes != 13 || success.Success.PreviousSuccesses != 999 {
		t.Errorf("%+v", refused.Checks)
	}
	if a := b.active(t); a.ModelID != "first-1" || b.models.ActiveModelID() != "first-1" || b.models.Loaded() != 1 {
		t.Errorf("%+v is active, %d loaded", a, b.models.Loaded())
	}
	out, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: worse, OverrideReason: "to show why"})
	if err != nil || out.Activation.OverrideReason != "to show why" || out.Activation.Success != success.Success || out.Activation.Parity != parity.Parity || b.models.ActiveModelID() != worse {
		t.Errorf("%+v, %v", out, err)
	}
	// A reason that was not needed is none.
	if out, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "first-1", OverrideReason: "in case"}); err != nil || out.Activation.OverrideReason != "" || out.Activation.Success.SetID != "heldout" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestNoReasonPassesOverParity(t *testing.T) {
	b := newBench(t)
	b.loader.prepare = func(n *scriptedNetwork) { n.bias = 0.25 }
	_, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1", OverrideReason: "I insist"})
	refused, ok := errors.AsType[*domain.SwitchRefused](err)
	if !ok || !errors.Is(err, domain.ErrModelBroken) || refused.Overridable() || len(refused.Checks) != 1 {
		t.Fatalf("%+v, %v", refused, err)
	}
	if c := refused.Checks[0]; c.Outcome != domain.GateFailed || c.Parity.Vectors != 1 || c.Parity.LargestDeviation != 0.25 || !strings.Contains(c.Message, "parity") {
		t.Errorf("%+v", c)
	}
}

// overtakingRegistry lets another instance switch between the gate and the commit.
type overtakingRegistry struct {
	*memoryRegistry
	overtake func()
}

func (r *overtakingRegistry) ActivateModel(ctx context.Context, s domain.Switch) (domain.Activation, error) {
	if overtake := r.overtake; overtake != nil {
		r.overtake = nil
		overtake()
	}
	return r.memoryRegistry.ActivateModel(ctx, s)
}

func TestTheGateLooksAgainWhenAnotherInstanceWasFaster(t *testing.T) {
	b := newBench(t)
	worse, better := b.add(t, "worse", 900), b.add(t, "better", 1000)
	if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: worse, OverrideReason: "for the test"}); err != nil {
		t.Fatal(err)
	}
	middle := b.add(t, "middle", 950) // better than the active one, worse than the one that overtakes
	registry := &overtakingRegistry{memoryRegistry: b.registry, overtake: func() {
		if _, err := b.registry.ActivateModel(t.Context(), domain.Switch{ModelID: better}); err != nil {
			t.Error(err)
		}
	}}
	_, err := (&SetActiveModel{Registry: registry, Models: b.models}).Run(t.Context(), SetActiveModelInput{ModelID: middle})
	if refused, ok := errors.AsType[*domain.SwitchRefused](err); !ok || refused.ActiveModelID != better {
		t.Errorf("%v", err)
	}
}

func TestARollBackUndoesOnceAndCanBeUndone(t *testing.T) {
	b := newBench(t)
	worse := b.add(t, "worse", 13)
	first := b.active(t)
	if _, err := b.rollBack(t, first.ID); !errors.Is(err, domain.ErrNoEarlierModel) {
		t.Errorf("the first activation: %v", err)
	}
	out, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: worse, OverrideReason: "to see"})
	if err != nil {
		t.Fatal(err)
	}
	back, err := b.rollBack(t, out.Activation.ID)
	if err != nil || !back.InForce || back.Model.ID != "first-1" || back.Activation.Undoes != out.Activation.ID || back.Activation.PreviousModelID != worse ||
		back.Activation.Actor != "Ada" || back.Activation.Reason != "worse" || back.Activation.Success.Successes != 999 || b.models.ActiveModelID() != "first-1" {
		t.Fatalf("%+v, %v", back, err)
	}
	if again, err := b.rollBack(t, out.Activation.ID); err != nil || !again.InForce || again.Activation != back.Activation {
		t.Errorf("again: %+v, %v", again, err)
	}
	// Forward again: the gate does not stop who undoes a roll-back, and the evidence says what was known.
	forward, err := b.rollBack(t, back.Activation.ID)
	if err != nil || forward.Model.ID != worse || forward.Activation.Success.Successes != 13 {
		t.Errorf("%+v, %v", forward, err)
	}
	if again, err := b.rollBack(t, out.Activation.ID); err != nil || again.InForce || again.Activation != back.Activation {
		t.Errorf("the answer of the first call is kept: %+v, %v", again, err)
	}
	_, err = b.rollBack(t, first.ID)
	if changed, ok := errors.AsType[*domain.ActiveModelChanged](err); !ok || changed.Activation != forward.Activation {
		t.Errorf("an old one: %v", err)
	}
	page, err := (&ListActivations{Registry: b.registry}).Run(t.Context(), 0, "", time.Time{})
	if err != nil || len(page.Activations) != 4 || page.NextPageToken != "" {
		t.Fatalf("%+v, %v", page, err)
	}
	for i, a := range page.Activations[:3] {
		if a.PreviousModelID != page.Activations[i+1].ModelID {
			t.Errorf("%+v does not follow %+v", a, page.Activations[i+1])
		}
	}
}

func TestARollBackThatCanNotBeDoneChangesNothing(t *testing.T) {
	for name, damage := range map[string]func(*bench){
		"parity":   func(b *bench) { b.loader.prepare = func(n *scriptedNetwork) { n.bias = 1 } },
		"gone":     func(b *bench) { delete(b.store.bundles, "first-1") },
		"read":     func(b *bench) { b.registry.failNext["ActivationBefore"] = errDown },
		"commit":   func(b *bench) { b.registry.failNext["ActivateModel"] = errDown },
		"registry": func(b *bench) { b.registry.failNext["ActiveModel"] = errDown },
	} {
		b := newBench(t)
		out, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1"})
		if err != nil {
			t.Fatal(err)
		}
		damage(b)
		_, err = b.rollBack(t, out.Activation.ID)
		refused, ok := errors.AsType[*domain.SwitchRefused](err)
		if err == nil || ok != (name == "parity") || ok && refused.Overridable() {
			t.Errorf("%s: %v", name, err)
		}
		if a := b.active(t); a != out.Activation || b.models.ActiveModelID() != "second-1" || b.models.Loaded() != 1 {
			t.Errorf("%s: %+v is active, %q in memory of %d", name, a, b.models.ActiveModelID(), b.models.Loaded())
		}
	}
}

func TestTheHistoryComesInPages(t *testing.T) {
	b := newBench(t)
	for i := range 6 {
		if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: []string{"second-1", "first-1"}[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
	list := &ListActivations{Registry: b.registry}
	var ids []int64
	for token, pages := "", 1; ; pages++ {
		page, err := list.Run(t.Context(), 3, token, time.Time{})
		if err != nil || len(page.Activations) > 3 {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, a := range page.Activations {
			ids = append(ids, a.ID)
		}
		if token = page.NextPageToken; token == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	for i, id := range ids {
		if want := int64(7 - i); id != want || len(ids) != 7 {
			t.Fatalf("listed %v", ids)
		}
	}
	for _, bad := range []string{"?", "bm9uZQ", "LTE", "MA"} { // no base64, "none", "-1", "0"
		if _, err := list.Run(t.Context(), 3, bad, time.Time{}); !errors.Is(err, domain.ErrActivationPage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	b.registry.failNext["ListActivations"] = errDown
	if _, err := list.Run(t.Context(), 3, "", time.Time{}); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Error(err)
	}
}

// scriptedFeed brings what the test sends, again after an error.
type scriptedFeed struct{ news chan domain.Activation }

func (f scriptedFeed) FollowActivations(ctx context.Context, take func(context.Context, []domain.Activation) error, heard func(error)) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case a := <-f.news:
			for err := take(ctx, []domain.Activation{a}); err != nil; err = take(ctx, []domain.Activation{a}) {
				heard(err)
			}
		}
	}
}

func TestAnInstanceFollowsTheSwitchesOfAnother(t *testing.T) {
	b := newBench(t)
	feed := scriptedFeed{make(chan domain.Activation)}
	type followed struct {
		activations []domain.Activation
		err         error
	}
	done, lost := make(chan followed, 1), make(chan error, 1)
	follow := &FollowActiveModel{
		Feed: feed, Models: b.models,
		OnFollowed: func(activations []domain.Activation, err error) { done <- followed{activations, err} },
		OnHeard:    func(err error) { lost <- err },
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- follow.Run(ctx) }()
	elsewhere := func(id string) domain.Activation {
		t.Helper()
		a, err := b.registry.ActivateModel(t.Context(), domain.Switch{ModelID: id})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := elsewhere("second-1")
	feed.news <- a
	if f := <-done; f.err != nil || len(f.activations) != 1 || f.activations[0] != a || b.models.ActiveModelID() != "second-1" || b.models.Loaded() != 1 {
		t.Errorf("%+v, %q in memory", f, b.models.ActiveModelID())
	}
	// While the registry can't be asked the same one comes again.
	a = elsewhere("first-1")
	b.registry.mu.Lock()
	b.registry.failNext["ActiveModel"] = errDown
	b.registry.mu.Unlock()
	feed.news <- a
	if err := <-lost; domain.CodeOf(err) != domain.CodeUnavailable {
		t.Error(err)
	}
	if f := <-done; f.err != nil || b.models.ActiveModelID() != "first-1" {
		t.Errorf("%+v, %q in memory", f, b.models.ActiveModelID())
	}
	// A model that only this instance lacks: none acts here, and it is not broken for all.
	delete(b.store.bundles, "second-1")
	feed.news <- elsewhere("second-1")
	if f := <-done; !errors.Is(f.err, domain.ErrModelBroken) || b.models.ActiveModelID() != "" {
		t.Errorf("%+v, %q in memory", f, b.models.ActiveModelID())
	}
	if m, err := b.registry.GetModel(t.Context(), "second-1"); err != nil || m.State != domain.ModelStateReady {
		t.Errorf("%+v, %v", m, err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	b.models.Close()
}
