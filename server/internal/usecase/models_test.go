package usecase

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func TestAFirstStartActivatesTheDefaultAndALaterOneKeepsTheActiveModel(t *testing.T) {
	b := newBench(t)
	activation, err := b.registry.ActiveModel(t.Context())
	if err != nil || activation.ModelID != "first-1" || activation.Reason != "default at first start" {
		t.Fatalf("%+v, %v", activation, err)
	}
	if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1", Reason: "better"}); err != nil {
		t.Fatal(err)
	}
	b.models.Close()
	models := NewLoadedModels(b.registry, b.store, b.loader)
	out, err := (&RegisterShippedModels{Registry: b.registry, Store: b.store, Models: models}).Run(t.Context())
	if err != nil || out.NotActive != nil || models.ActiveModelID() != "second-1" {
		t.Errorf("%+v, active %q, %v", out, models.ActiveModelID(), err)
	}
}

func TestASwitchKeepsRunningEpisodesOnTheirModelAndClosesItAfterTheLast(t *testing.T) {
	b := newBench(t)
	old := b.loader.last("first-1")
	var steps int
	for event, err := range b.run.Run(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), StepsPerSecond: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Started != nil {
			out, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1", Reason: "better"})
			if err != nil || out.Model.ID != "second-1" || out.Activation.PreviousModelID != "first-1" || out.Activation.Reason != "better" {
				t.Fatalf("%+v, %v", out, err)
			}
			if b.models.Loaded() != 2 || old.closed.Load() != 0 {
				t.Error("the old model went while its episode runs")
			}
		}
		steps += len(event.Steps)
	}
	if steps == 0 || old.infers.Load() < int64(steps) {
		t.Errorf("the old model inferred %d times in %d steps", old.infers.Load(), steps)
	}
	if old.closed.Load() != 1 || b.models.Loaded() != 1 {
		t.Errorf("the old model is closed %d times, %d are loaded", old.closed.Load(), b.models.Loaded())
	}
	if p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden")}); p.started.Policy.ModelID != "second-1" {
		t.Errorf("a new episode runs on %+v", p.started.Policy)
	}
}

func TestSettingTheActiveModelAgainChangesNothing(t *testing.T) {
	b := newBench(t)
	before, _ := b.registry.ActiveModel(t.Context())
	loads := b.store.loads
	out, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "first-1", Reason: "again"})
	if err != nil || out.Activation != before || b.store.loads != loads {
		t.Errorf("%+v, %v, %d loads", out, err, b.store.loads-loads)
	}
}

func TestAModelThatIsBrokenCanNotBecomeActiveAndSaysWhy(t *testing.T) {
	damage := func(change func(*domain.ModelBundle)) func(*bench) {
		return func(b *bench) {
			bundle := b.store.bundles["second-1"]
			change(&bundle)
			b.store.bundles["second-1"] = bundle
		}
	}
	for name, c := range map[string]struct {
		damage func(*bench)
		reason string
	}{
		"missing file": {func(b *bench) { b.store.broken["second-1"] = domain.BrokenModel("its policy.onnx is missing", nil) }, "its policy.onnx is missing"},
		"missing":      {func(b *bench) { delete(b.store.bundles, "second-1") }, "its folder is gone"},
		"another file": {damage(func(m *domain.ModelBundle) { m.Model.SHA256 = strings.Repeat("f", 64) }), "not the one that was registered"},
		"can't load":   {func(b *bench) { b.loader.err = domain.BrokenModel("its network has another shape", nil) }, "another shape"},
		"other scores": {func(b *bench) { b.loader.prepare = func(n *scriptedNetwork) { n.bias = 1 } }, "failed its parity check"},
		"no vectors":   {damage(func(m *domain.ModelBundle) { m.Parity = nil }), "no parity vectors"},
		"wrong value":  {damage(func(m *domain.ModelBundle) { m.Parity[2].StateValue += 1e-3 }), "vector 2"},
		"fails to run": {func(b *bench) {
			b.loader.prepare = func(n *scriptedNetwork) { err := errors.New("bad node"); n.err.Store(&err) }
		}, "failed on parity vector 0"},
		"other actions": {damage(func(m *domain.ModelBundle) { m.Parity[0].ActionScores = [4]float32{0, 1e-6, -1, -1} }), "parity"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c.damage(b)
			_, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1"})
			if !errors.Is(err, domain.ErrModelBroken) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v; want broken because %q", err, c.reason)
			}
			if m, err := b.registry.GetModel(t.Context(), "second-1"); err != nil || m.State != domain.ModelStateBroken || !strings.Contains(m.StateReason, c.reason) {
				t.Errorf("registered as %s because %q", m.State, m.StateReason)
			}
			if a, _ := b.registry.ActiveModel(t.Context()); a.ModelID != "first-1" || b.models.ActiveModelID() != "first-1" || b.models.Loaded() != 1 {
				t.Errorf("active %q and %q, %d loaded", a.ModelID, b.models.ActiveModelID(), b.models.Loaded())
			}
			if p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-fork")}); p.err != nil {
				t.Errorf("the server does not run on: %v", p.err)
			}
		})
	}
}

func TestAModelThatBreaksIsListedSoByWhoeverWantsToRunIt(t *testing.T) {
	b := newBench(t)
	b.store.broken["second-1"] = domain.BrokenModel("its policy.onnx is cut short", nil)
	p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-fork"), Policy: domain.PolicyRef{ModelID: "second-1"}})
	wantError(t, p.err, domain.CodeFailedPrecondition, "policy.model_id")
	if m, err := b.registry.GetModel(t.Context(), "second-1"); err != nil || m.State != domain.ModelStateBroken || m.StateReason != "its policy.onnx is cut short" {
		t.Errorf("registered as %s because %q, %v", m.State, m.StateReason, err)
	}
}

func TestAModelThatIsWholeAgainCanBecomeActive(t *testing.T) {
	b := newBench(t)
	b.store.broken["second-1"] = domain.BrokenModel("its policy.onnx is cut short", nil)
	if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1"}); !errors.Is(err, domain.ErrModelBroken) {
		t.Fatal(err)
	}
	delete(b.store.broken, "second-1")
	out, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1", Reason: "repaired"})
	if err != nil || out.Model.State != domain.ModelStateReady || out.Model.StateReason != "" || len(out.Model.Success) == 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestASwitchThatCanNotBeCommittedChangesNothing(t *testing.T) {
	for _, method := range []string{"GetModel", "ActivateModel"} {
		b := newBench(t)
		b.registry.failNext[method] = errDown
		if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1"}); domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("%s: %v", method, err)
		}
		if b.models.ActiveModelID() != "first-1" || b.models.Loaded() != 1 {
			t.Errorf("%s: active %q, %d loaded", method, b.models.ActiveModelID(), b.models.Loaded())
		}
	}
	b := newBench(t)
	if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "none-1"}); !errors.Is(err, domain.ErrModelNotFound) {
		t.Errorf("an unknown model gives %v", err)
	}
}

// fadingRegistry goes down after so many calls.
type fadingRegistry struct {
	*memoryRegistry
	left *int
}

func (r fadingRegistry) GetModel(ctx context.Context, id string) (domain.Model, error) {
	if *r.left--; *r.left < 0 {
		return domain.Model{}, errDown
	}
	return r.memoryRegistry.GetModel(ctx, id)
}

func (r fadingRegistry) ActivateModel(ctx context.Context, s domain.Switch) (domain.Activation, error) {
	if *r.left--; *r.left < 0 {
		return domain.Activation{}, errDown
	}
	return r.memoryRegistry.ActivateModel(ctx, s)
}

func TestASwitchEitherFailsOrHappens(t *testing.T) {
	for calls := range 6 {
		b := newBench(t)
		left := calls
		_, err := (&SetActiveModel{Registry: fadingRegistry{b.registry, &left}, Models: b.models}).Run(t.Context(), SetActiveModelInput{ModelID: "second-1"})
		want := "second-1"
		if err != nil {
			want = "first-1"
		}
		if a, _ := b.registry.ActiveModel(t.Context()); a.ModelID != want || b.models.ActiveModelID() != want || b.models.Loaded() != 1 {
			t.Errorf("a registry that goes down after %d calls: %v, and %q is active, %q in memory", calls, err, a.ModelID, b.models.ActiveModelID())
		}
	}
}

func TestAStartWithABrokenActiveModelRunsOnAndSaysWhy(t *testing.T) {
	b := newBench(t)
	b.models.Close()
	b.store.broken["first-1"] = domain.BrokenModel("its policy.onnx has another SHA-256 than its manifest says", nil)
	models := NewLoadedModels(b.registry, b.store, b.loader)
	out, err := (&RegisterShippedModels{Registry: b.registry, Store: b.store, Models: models}).Run(t.Context())
	if err != nil || !errors.Is(out.NotActive, domain.ErrModelBroken) || len(out.Broken) != 1 || out.Broken[0].ID != "first-1" {
		t.Errorf("%+v, %v", out, err)
	}
	if models.ActiveModelID() != "" {
		t.Errorf("%q is loaded", models.ActiveModelID())
	}
	active, err := (&GetActiveModel{Registry: b.registry}).Run(t.Context())
	if err != nil || active.Model.State != domain.ModelStateBroken || active.Model.StateReason == "" {
		t.Errorf("%+v, %v", active, err)
	}
}

func TestAStartTakesOverFilesThatWereReplaced(t *testing.T) {
	for _, active := range []string{"first-1", "second-1"} {
		b := newBench(t)
		if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: active}); err != nil {
			t.Fatal(err)
		}
		b.models.Close()
		bundle := b.store.bundles["second-1"]
		bundle.Model.SHA256, bundle.Model.Title = strings.Repeat("e", 64), "Trained again"
		b.store.bundles["second-1"] = bundle
		models := NewLoadedModels(b.registry, b.store, b.loader)
		register := &RegisterShippedModels{Registry: b.registry, Store: b.store, Models: models}
		out, err := register.Run(t.Context())
		if err != nil || len(out.Broken) != 0 || len(out.Replaced) != 1 || out.Replaced[0].ID != "second-1" || out.NotActive != nil || out.Fallback != nil {
			t.Errorf("%+v, %v", out, err)
		}
		if m, _ := b.registry.GetModel(t.Context(), "second-1"); m.State != domain.ModelStateReady || m.SHA256 != bundle.Model.SHA256 || m.Title != bundle.Model.Title {
			t.Errorf("registered %+v", m)
		}
		a, _ := b.registry.ActiveModel(t.Context())
		if a.ModelID != active || models.ActiveModelID() != active || (a.Reason == reasonReplaced) != (active == "second-1") {
			t.Errorf("%q is active, %q in memory, because %q", a.ModelID, models.ActiveModelID(), a.Reason)
		}
		if out, err := register.Run(t.Context()); err != nil || len(out.Replaced) != 0 {
			t.Errorf("a second time: %+v, %v", out, err)
		}
		models.Close()
	}
}

func TestAReplacedFileThatIsBrokenIsNotTakenOver(t *testing.T) {
	b := newBench(t)
	bundle := b.store.bundles["second-1"]
	was := bundle.Model.SHA256
	bundle.Model.SHA256 = strings.Repeat("e", 64)
	bundle.Parity = nil
	b.store.bundles["second-1"] = bundle
	out, err := b.register.Run(t.Context())
	if err != nil || len(out.Broken) != 1 || len(out.Replaced) != 0 || !strings.Contains(out.Broken[0].StateReason, "another file") || !strings.Contains(out.Broken[0].StateReason, "no parity vectors") {
		t.Errorf("%+v, %v", out, err)
	}
	if m, _ := b.registry.GetModel(t.Context(), "second-1"); m.State != domain.ModelStateBroken || m.SHA256 != was {
		t.Errorf("registered %+v", m)
	}
}

func TestAStartFallsBackToTheDefaultAndRecordsIt(t *testing.T) {
	for name, c := range map[string]struct {
		defaultID string
		damage    func(*bench)
		want      string
	}{
		"folder is gone":         {"first-1", func(b *bench) { delete(b.store.bundles, "second-1") }, "first-1"},
		"file is cut short":      {"first-1", func(b *bench) { b.store.broken["second-1"] = domain.BrokenModel("its policy.onnx is cut short", nil) }, "first-1"},
		"both are broken":        {"first-1", func(b *bench) { clear(b.store.bundles) }, ""},
		"it is the default":      {"second-1", func(b *bench) { delete(b.store.bundles, "second-1") }, ""},
		"there is no default":    {"", func(b *bench) { delete(b.store.bundles, "second-1") }, ""},
		"the default is unknown": {"none-1", func(b *bench) { delete(b.store.bundles, "second-1") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1", Reason: "better"}); err != nil {
				t.Fatal(err)
			}
			b.models.Close()
			b.store.defaultID = c.defaultID
			c.damage(b)
			models := NewLoadedModels(b.registry, b.store, b.loader)
			defer models.Close()
			out, err := (&RegisterShippedModels{Registry: b.registry, Store: b.store, Models: models}).Run(t.Context())
			a, _ := b.registry.ActiveModel(t.Context())
			if err != nil || models.ActiveModelID() != c.want {
				t.Fatalf("%+v, %v, %q in memory", out, err, models.ActiveModelID())
			}
			if c.want == "" {
				if !errors.Is(out.NotActive, domain.ErrModelBroken) || out.Fallback != nil || a.ModelID != "second-1" {
					t.Errorf("%+v, %q is active", out, a.ModelID)
				}
				return
			}
			if out.NotActive != nil || out.Fallback == nil || *out.Fallback != a || a.PreviousModelID != "second-1" || !strings.Contains(a.Reason, "second-1 can't be loaded") {
				t.Errorf("%+v, %+v", out, a)
			}
		})
	}
}

// Right files can hold a wrong network, and a registered model can lose its files: the list says so before anybody asks for the model.
func TestAStartListsModelsThatCanNotRunAsBroken(t *testing.T) {
	b := newBench(t)
	third := b.store.add("third", 1)
	if err := b.registry.RegisterModel(t.Context(), third); err != nil {
		t.Fatal(err)
	}
	delete(b.store.bundles, third.ID)
	b.store.bundles["second-1"].Parity[0].StateValue++
	for range 2 { // another start does not forget it
		out, err := b.register.Run(t.Context())
		if err != nil || len(out.Broken) != 2 || out.NotActive != nil {
			t.Fatalf("%+v, %v", out, err)
		}
		for id, reason := range map[string]string{"second-1": "failed its parity check", third.ID: "its folder is gone"} {
			if m, err := b.registry.GetModel(t.Context(), id); err != nil || m.State != domain.ModelStateBroken || !strings.Contains(m.StateReason, reason) {
				t.Errorf("%s is %s because %q, %v; want broken because %q", id, m.State, m.StateReason, err, reason)
			}
		}
	}
	b.store.bundles["second-1"].Parity[0].StateValue--
	b.store.add("third", 1)
	if out, err := b.register.Run(t.Context()); err != nil || len(out.Broken) != 0 {
		t.Errorf("after the repair: %+v, %v", out, err)
	}
	if m, err := b.registry.GetModel(t.Context(), third.ID); err != nil || m.State != domain.ModelStateReady {
		t.Errorf("%+v, %v", m, err)
	}
	if n := b.models.Loaded(); n != 1 {
		t.Errorf("%d models are loaded", n)
	}
}

func TestAStartFailsOnlyWhenAStoreIsAway(t *testing.T) {
	for name, damage := range map[string]func(*bench){
		"scan":     func(b *bench) { b.store.err = domain.Unavailable("the model folder", errors.New("gone")) },
		"list":     func(b *bench) { b.registry.failNext["ListModels"] = errDown },
		"register": func(b *bench) { b.registry.failNext["RegisterModel"] = errDown },
		"active":   func(b *bench) { b.registry.failNext["ActiveModel"] = errDown },
		"replace": func(b *bench) {
			bundle := b.store.bundles["second-1"]
			bundle.Model.SHA256 = strings.Repeat("e", 64)
			b.store.bundles["second-1"] = bundle
			b.registry.failNext["ReplaceModel"] = errDown
		},
		"down": func(b *bench) { b.registry.down.Store(true) },
	} {
		b := newBench(t)
		damage(b)
		if _, err := b.register.Run(t.Context()); domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := newBench(t)
	b.store.defaultID = "none-1"
	b.registry = newMemoryRegistry()
	b.models = NewLoadedModels(b.registry, b.store, b.loader)
	out, err := (&RegisterShippedModels{Registry: b.registry, Store: b.store, Models: b.models}).Run(t.Context())
	if err != nil || !errors.Is(out.NotActive, domain.ErrNoActiveModel) {
		t.Errorf("an unknown default: %+v, %v", out, err)
	}
}

func TestFewIdleModelsStayInMemory(t *testing.T) {
	b := newBench(t)
	for version := range 8 {
		m := b.store.add("other", version+1)
		if err := b.registry.RegisterModel(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	run := func(id string) {
		t.Helper()
		if p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-fork"), Policy: domain.PolicyRef{ModelID: id}}); p.err != nil || p.started.Policy.ModelID != id {
			t.Fatalf("%s: %v", id, p.err)
		}
	}
	for _, id := range []string{"other-1", "other-2", "other-3", "other-4", "other-1", "other-5", "other-1"} {
		run(id)
	}
	if n := b.models.Loaded(); n != 1+idleModels {
		t.Errorf("%d loaded", n)
	}
	if len(b.loader.networks["other-1"]) != 1 || b.loader.last("other-2").closed.Load() != 1 || b.loader.last("other-3").closed.Load() != 0 {
		t.Error("not the least recently used one was closed")
	}
	// A kept model that becomes active is not loaded again.
	if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "other-1"}); err != nil || len(b.loader.networks["other-1"]) != 1 {
		t.Errorf("%d loads, %v", len(b.loader.networks["other-1"]), err)
	}
	b.models.Close()
	b.models.Close()
	if n := b.models.Loaded(); n != 0 {
		t.Errorf("%d loaded after Close", n)
	}
}

// hangingRegistry answers nothing about one model until the caller gives up.
type hangingRegistry struct {
	*memoryRegistry
	asked chan struct{}
}

func (r hangingRegistry) GetModel(ctx context.Context, id string) (domain.Model, error) {
	if id != "hanging-1" {
		return r.memoryRegistry.GetModel(ctx, id)
	}
	close(r.asked)
	<-ctx.Done()
	return domain.Model{}, ctx.Err()
}

func TestARegistryThatHangsOnOneModelHoldsUpNoOther(t *testing.T) {
	b := newBench(t)
	registry := hangingRegistry{b.registry, make(chan struct{})}
	b.models.registry = registry
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		left <- b.play(ctx, RunEpisodeInput{Maze: mazeOf("puzzle-fork"), Policy: domain.PolicyRef{ModelID: "hanging-1"}}).err
	}()
	<-registry.asked
	if p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-fork"), Policy: domain.PolicyRef{ModelID: "second-1"}}); p.err != nil || p.finished == nil {
		t.Errorf("another model: %v", p.err)
	}
	if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1"}); err != nil {
		t.Errorf("a switch: %v", err)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller who left: %v", err)
	}
}

// Episodes, switches and named models at once: scriptedNetwork panics when it is used after Close or closed twice.
func TestSwitchesUnderLoadLoseNothing(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			ref := domain.PolicyRef{ModelID: []string{"", "", "first-1", "second-1"}[i%4]}
			for ctx.Err() == nil {
				if p := b.play(context.Background(), RunEpisodeInput{Maze: mazeOf("puzzle-fork"), Policy: ref}); p.err != nil || p.finished == nil {
					t.Errorf("episode: %v", p.err)
					return
				}
			}
		})
	}
	for i := 0; ctx.Err() == nil; i++ {
		if _, err := b.activate.Run(context.Background(), SetActiveModelInput{ModelID: []string{"first-1", "second-1"}[i%2]}); err != nil {
			t.Errorf("switch: %v", err)
		}
	}
	wait.Wait()
	b.models.Close()
	if n := b.models.Loaded(); n != 0 {
		t.Errorf("%d loaded at the end", n)
	}
}

func TestModelsAreListedWithTheActiveOne(t *testing.T) {
	b := newBench(t)
	list, err := (&ListModels{Registry: b.registry}).Run(t.Context())
	if err != nil || len(list.Models) != 2 || list.ActiveModelID != "first-1" {
		t.Errorf("%+v, %v", list, err)
	}
	for id, active := range map[string]bool{"first-1": true, "second-1": false} {
		if out, err := (&GetModel{Registry: b.registry}).Run(t.Context(), id); err != nil || out.Active != active || out.Model.ID != id {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if _, err := (&GetModel{Registry: b.registry}).Run(t.Context(), "none-1"); !errors.Is(err, domain.ErrModelNotFound) {
		t.Error(err)
	}
	if _, err := (&GetActiveModel{Registry: newMemoryRegistry()}).Run(t.Context()); !errors.Is(err, domain.ErrNoActiveModel) {
		t.Error(err)
	}
	if list, err := (&ListModels{Registry: newMemoryRegistry()}).Run(t.Context()); err != nil || list.ActiveModelID != "" {
		t.Errorf("%+v, %v", list, err)
	}
	for _, method := range []string{"ListModels", "GetModel", "ActiveModel"} {
		failing := func() *memoryRegistry { b.registry.failNext[method] = errDown; return b.registry }
		if _, err := (&ListModels{Registry: failing()}).Run(t.Context()); method != "GetModel" && domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("%s: %v", method, err)
		}
		if _, err := (&GetModel{Registry: failing()}).Run(t.Context(), "first-1"); method != "ListModels" && domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("%s: %v", method, err)
		}
		if _, err := (&GetActiveModel{Registry: failing()}).Run(t.Context()); method != "ListModels" && domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("%s: %v", method, err)
		}
		delete(b.registry.failNext, method)
	}
}
