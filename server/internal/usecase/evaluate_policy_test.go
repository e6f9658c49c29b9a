package usecase

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mazeset"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/modelfolder"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnx"
	"github.com/rlmaze/rlmaze/server/internal/testing/contract"
)

// memoryEvaluations keeps evaluations in memory, of the models of a registry. It runs the suite of the real store.
type memoryEvaluations struct {
	registry *memoryRegistry

	mu   sync.Mutex
	kept map[evaluationKey]domain.Evaluation
	fail map[string]error // by method
}

type evaluationKey struct {
	policy  domain.PolicyRef
	setHash string
}

func newMemoryEvaluations(registry *memoryRegistry) *memoryEvaluations {
	return &memoryEvaluations{registry: registry, kept: map[evaluationKey]domain.Evaluation{}, fail: map[string]error{}}
}

func TestMemoryEvaluationsKeepTheContractOfTheRealStore(t *testing.T) {
	contract.EvaluationContract(t, func(*testing.T) (domain.EvaluationStore, func(context.Context, domain.Model) error) {
		registry := newMemoryRegistry()
		return newMemoryEvaluations(registry), registry.RegisterModel
	})
}

func (s *memoryEvaluations) SaveEvaluation(ctx context.Context, e domain.Evaluation) error {
	if err := cmp.Or(ctx.Err(), s.fail["SaveEvaluation"]); err != nil {
		return err
	}
	if e.Policy.ModelID != "" {
		if _, err := s.registry.GetModel(ctx, e.Policy.ModelID); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[evaluationKey{e.Policy, e.SetHash}] = e
	return nil
}

func (s *memoryEvaluations) ListEvaluations(ctx context.Context, setHash string) ([]domain.Evaluation, error) {
	if err := cmp.Or(ctx.Err(), s.fail["ListEvaluations"]); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	listed := slices.Collect(maps.Values(s.kept))
	listed = slices.DeleteFunc(listed, func(e domain.Evaluation) bool { return e.SetHash != setHash })
	slices.SortFunc(listed, func(a, b domain.Evaluation) int {
		if (a.Policy.ModelID == "") != (b.Policy.ModelID == "") {
			return strings.Compare(b.Policy.ModelID, a.Policy.ModelID)
		}
		return strings.Compare(a.Policy.ModelID+string(a.Policy.Baseline), b.Policy.ModelID+string(b.Policy.Baseline))
	})
	return listed, nil
}

// evaluator is the use case over the fakes of a bench.
func (b *bench) evaluator() (*EvaluatePolicy, *memoryEvaluations) {
	store := newMemoryEvaluations(b.registry)
	return &EvaluatePolicy{Catalog: b.deps.Catalog, Models: b.models, Evaluations: store, Capacity: b.deps.Capacity, Now: time.Now}, store
}

// evaluate ranges over a whole evaluation.
func evaluate(ctx context.Context, u *EvaluatePolicy, in EvaluatePolicyInput) (evaluated *Evaluated, progress []EvaluationProgress, err error) {
	for event, err := range u.Run(ctx, in) {
		switch {
		case err != nil:
			return evaluated, progress, err
		case event.Evaluated != nil:
			evaluated = event.Evaluated
		default:
			progress = append(progress, event.Progress)
		}
	}
	return evaluated, progress, nil
}

func TestAnEvaluationSumsUpTheEpisodesOfItsPolicyAndKeepsThem(t *testing.T) {
	b := newBench(t)
	u, store := b.evaluator()
	refs := []domain.PolicyRef{{}, {ModelID: "second-1"}}
	for _, baseline := range domain.Baselines() {
		refs = append(refs, domain.PolicyRef{Baseline: baseline})
	}
	for _, ref := range refs {
		evaluated, _, err := evaluate(t.Context(), u, EvaluatePolicyInput{Policy: ref, SetID: "puzzles"})
		if err != nil {
			t.Fatalf("%+v: %v", ref, err)
		}
		var want domain.Tally
		for position, m := range evaluated.Set.Mazes {
			p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf(m.ID), Policy: ref, Seed: seedOf(uint64(position))})
			if p.err != nil {
				t.Fatal(p.err)
			}
			one := domain.Tally{Episodes: 1, Steps: p.finished.Steps, Bumps: p.finished.Bumps, SPLSum: p.finished.SPL}
			if p.finished.Outcome == domain.OutcomeReachedGoal {
				one.Successes = 1
			}
			want = want.Plus(one)
		}
		e := evaluated.Evaluation
		got := e.Total()
		if math.Abs(got.SPLSum-want.SPLSum) < 1e-12 { // it was added up in another order
			want.SPLSum = got.SPLSum
		}
		want.Revisits = got.Revisits // RunEpisode does not tell them
		if got != want || len(e.FailedPositions) != want.Episodes-want.Successes || e.SetID != "puzzles" || e.EvaluatedAt.IsZero() || e.MeanStep <= 0 {
			t.Errorf("%+v: evaluated %+v, its episodes have %+v", ref, e, want)
		}
		if ref == (domain.PolicyRef{}) {
			ref.ModelID = "first-1"
		}
		if e.Policy != ref || (ref.ModelID != "") != (e.ModelSHA256 != "") {
			t.Errorf("%+v was evaluated as %+v with the file %q", ref, e.Policy, e.ModelSHA256)
		}
		if kept := store.kept[evaluationKey{e.Policy, e.SetHash}]; !reflect.DeepEqual(kept, e) {
			t.Errorf("%+v is kept as %+v", e, kept)
		}
	}
}

func TestAnEvaluationIsMadeOnceUnlessItIsAskedForAgain(t *testing.T) {
	b := newBench(t)
	u, store := b.evaluator()
	in := EvaluatePolicyInput{Policy: domain.PolicyRef{ModelID: "first-1"}, SetID: "puzzles"}
	first, _, err := evaluate(t.Context(), u, in)
	if err != nil {
		t.Fatal(err)
	}
	infers := b.loader.last("first-1").infers.Load()
	second, _, err := evaluate(t.Context(), u, in)
	if err != nil || !reflect.DeepEqual(first, second) || b.loader.last("first-1").infers.Load() != infers {
		t.Errorf("the second call measured: %+v, %v", second, err)
	}
	in.Again = true
	third, _, err := evaluate(t.Context(), u, in)
	if err != nil || b.loader.last("first-1").infers.Load() == infers || third.Evaluation.Total() != first.Evaluation.Total() {
		t.Errorf("the third call did not measure: %+v, %v", third, err)
	}
	// What another file under the same id reached says nothing about this one.
	in.Again = false
	other := third.Evaluation
	other.ModelSHA256 = strings.Repeat("e", 64)
	store.kept[evaluationKey{other.Policy, other.SetHash}] = other
	if fourth, _, err := evaluate(t.Context(), u, in); err != nil || fourth.Evaluation.ModelSHA256 == other.ModelSHA256 {
		t.Errorf("the figures of another file were returned: %+v, %v", fourth, err)
	}
}

func TestAnEvaluationThatEndsEarlyKeepsNothing(t *testing.T) {
	failure := errors.New("out of memory")
	for name, c := range map[string]struct {
		end  func(b *bench, leave context.CancelCauseFunc, store *memoryEvaluations)
		want error
	}{
		"the client leaves": {func(b *bench, leave context.CancelCauseFunc, _ *memoryEvaluations) { leave(context.Canceled) }, context.Canceled},
		"the server drains": {func(b *bench, leave context.CancelCauseFunc, _ *memoryEvaluations) { leave(domain.ErrDraining) }, domain.ErrDraining},
		"the network fails": {func(b *bench, _ context.CancelCauseFunc, _ *memoryEvaluations) {
			b.loader.last("first-1").err.Store(&failure)
		}, failure},
		"the store is away at the end": {func(_ *bench, _ context.CancelCauseFunc, store *memoryEvaluations) {
			store.fail["SaveEvaluation"] = errDown
		}, errDown},
		"the store is away at the start": {func(_ *bench, _ context.CancelCauseFunc, store *memoryEvaluations) {
			store.fail["ListEvaluations"] = errDown
		}, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			u, store := b.evaluator()
			ctx, leave := context.WithCancelCause(t.Context())
			defer leave(nil)
			// The clock is read before the first round, when store and model were found.
			began := false
			u.Now = func() time.Time {
				if !began {
					began = true
					c.end(b, leave, store)
				}
				return time.Now()
			}
			if name == "the store is away at the start" {
				c.end(b, leave, store)
			}
			evaluated, _, err := evaluate(ctx, u, EvaluatePolicyInput{SetID: "puzzles"})
			if !errors.Is(err, c.want) || evaluated != nil || len(store.kept) != 0 {
				t.Errorf("%+v, %v, %d are kept", evaluated, err, len(store.kept))
			}
			if uses := b.models.active.Load().uses.Load(); uses != 1 || len(b.deps.Capacity.evaluations.slots) != 0 {
				t.Errorf("the model has %d uses, %d places are taken", uses, len(b.deps.Capacity.evaluations.slots))
			}
		})
	}
}

func TestProgressIsToldTenTimesASecondAndItsConsumerMayLeave(t *testing.T) {
	b := newBench(t)
	u, store := b.evaluator()
	now := time.Unix(0, 0)
	u.Now = func() time.Time { now = now.Add(10 * time.Millisecond); return now } // a round reads it twice
	in := EvaluatePolicyInput{Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}, SetID: "puzzles"}
	evaluated, progress, err := evaluate(t.Context(), u, in)
	if err != nil || len(progress) == 0 {
		t.Fatalf("%d messages, %v", len(progress), err)
	}
	if most := int(now.Sub(time.Unix(0, 0))/progressInterval) + 1; len(progress) > most {
		t.Errorf("%d messages in %v", len(progress), now.Sub(time.Unix(0, 0)))
	}
	for i, p := range progress {
		if p.Total != len(evaluated.Set.Mazes) || p.Done >= p.Total || p.Successes > p.Done || i > 0 && p.Done < progress[i-1].Done {
			t.Errorf("message %d says %+v", i, p)
		}
	}
	clear(store.kept)
	for range u.Run(t.Context(), in) {
		break
	}
	if len(store.kept) != 0 || len(b.deps.Capacity.evaluations.slots) != 0 {
		t.Error("an evaluation that nobody waited for was kept, or still has its place")
	}
}

func TestAnEvaluationThatCanNotBeIsRefused(t *testing.T) {
	b := newBench(t)
	b.deps.Capacity = NewCapacity(Limits{Evaluations: 1})
	u, _ := b.evaluator()
	for name, c := range map[string]struct {
		in    EvaluatePolicyInput
		code  domain.Code
		field string
	}{
		"set":      {EvaluatePolicyInput{SetID: "none"}, domain.CodeNotFound, "set_id"},
		"model":    {EvaluatePolicyInput{SetID: "puzzles", Policy: domain.PolicyRef{ModelID: "none-1"}}, domain.CodeNotFound, "policy.model_id"},
		"baseline": {EvaluatePolicyInput{SetID: "puzzles", Policy: domain.PolicyRef{Baseline: "clever"}}, domain.CodeInvalidArgument, "policy.baseline"},
	} {
		_, _, err := evaluate(t.Context(), u, c.in)
		t.Run(name, func(t *testing.T) { wantError(t, err, c.code, c.field) })
	}
	b.deps.Capacity.evaluations.slots <- struct{}{}
	if _, _, err := evaluate(t.Context(), u, EvaluatePolicyInput{SetID: "puzzles"}); domain.CodeOf(err) != domain.CodeResourceExhausted {
		t.Errorf("beyond the capacity: %v", err)
	}
	b.deps.Capacity.evaluations.release()
}

func TestTheLeaderboardRanksWhatIsKeptForTheFilesOfNow(t *testing.T) {
	b := newBench(t)
	u, store := b.evaluator()
	board := &GetLeaderboard{Catalog: b.deps.Catalog, Registry: b.registry, Evaluations: store}
	if out, err := board.Run(t.Context(), "puzzles"); err != nil || len(out.Rows) != 0 {
		t.Errorf("before the first evaluation: %+v, %v", out, err)
	}
	for _, ref := range []domain.PolicyRef{{Baseline: domain.BaselineRandom}, {ModelID: "second-1"}, {Baseline: domain.BaselineShortestPath}, {ModelID: "first-1"}} {
		if _, _, err := evaluate(t.Context(), u, EvaluatePolicyInput{Policy: ref, SetID: "puzzles"}); err != nil {
			t.Fatal(err)
		}
	}
	names := func() (names []string) {
		out, err := board.Run(t.Context(), "puzzles")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range out.Rows {
			names = append(names, row.Policy.ModelID+string(row.Policy.Baseline))
		}
		return names
	}
	if got := names(); !slices.Equal(got, []string{"shortest_path", "first-1", "second-1", "random"}) {
		t.Errorf("the order is %v", got)
	}
	replaced := b.registry.models["first-1"]
	replaced.SHA256 = strings.Repeat("e", 64)
	b.registry.models["first-1"] = replaced
	if got := names(); !slices.Equal(got, []string{"shortest_path", "second-1", "random"}) {
		t.Errorf("after the file of first-1 was replaced the order is %v", got)
	}
	if _, err := board.Run(t.Context(), "none"); !errors.Is(err, domain.ErrMazeSetNotFound) {
		t.Error(err)
	}
	b.registry.failNext["ListModels"] = errDown
	if _, err := board.Run(t.Context(), "puzzles"); !errors.Is(err, errDown) {
		t.Error(err)
	}
	store.fail["ListEvaluations"] = errDown
	if _, err := board.Run(t.Context(), "puzzles"); !errors.Is(err, errDown) {
		t.Error(err)
	}
}

func TestScoresThatAreNearEachOtherAreACloseCall(t *testing.T) {
	for name, c := range map[string]struct {
		scores []float32
		want   bool
	}{
		"equal":         {[]float32{0, 1, 1, -2}, true},
		"last bits":     {[]float32{0, 1, 1.00001, -2}, true},
		"far":           {[]float32{0, 1, 1.01, -2}, false},
		"large":         {[]float32{0, 1000, 1000.05, -2}, true},
		"second later":  {[]float32{5, 1, 2, 5}, true},
		"losers alike":  {[]float32{5, 1, 1, 1}, false},
		"all but equal": {[]float32{-1, -1, -1, -1}, true},
	} {
		if got := isCloseCall(c.scores); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// shippedModels loads the repository's models on the real runtime.
func shippedModels(t testing.TB) (*LoadedModels, *mazeset.Catalog, []domain.Model) {
	t.Helper()
	library := os.Getenv("ONNXRUNTIME_LIB")
	if library == "" {
		found, _ := filepath.Glob("../../../.tools/light/lib/python*/site-packages/onnxruntime/capi/libonnxruntime.so.*")
		if len(found) == 0 {
			t.Fatal("no ONNX Runtime: run `make tools`, or set ONNXRUNTIME_LIB")
		}
		library = found[0]
	}
	runtime, err := onnx.Open(library)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runtime.Close() })
	catalog, err := mazeset.Load()
	if err != nil {
		t.Fatal(err)
	}
	folder := modelfolder.New("../../../ml/models")
	bundles, err := folder.ScanModels(t.Context())
	if err != nil || len(bundles) == 0 {
		t.Fatalf("%d models, %v", len(bundles), err)
	}
	registry := newMemoryRegistry()
	var shipped []domain.Model
	for _, bundle := range bundles {
		if err := registry.RegisterModel(t.Context(), bundle.Model); err != nil {
			t.Fatal(err)
		}
		shipped = append(shipped, bundle.Model)
	}
	models := NewLoadedModels(registry, folder, runtime)
	t.Cleanup(models.Close)
	return models, catalog, shipped
}

// An evaluation plays many mazes in one call of the network; what it decides is what RunEpisode decides, in every maze and at every step.
func TestAnEvaluationPlaysTheEpisodesThatRunEpisodePlays(t *testing.T) {
	models, catalog, shipped := shippedModels(t)
	sets := []string{"heldout", "puzzles", "showcase", "large20"}
	if testing.Short() {
		sets = sets[1:3]
	}
	episodes := NewRunEpisode(EpisodeDeps{
		Catalog: catalog, Models: models, Log: &memoryLog{records: map[string]domain.EpisodeRecord{}}, Secrets: &memorySecrets{secret: make([]byte, 32)},
		Counters: &Counters{}, Capacity: NewCapacity(Limits{}), Now: time.Now,
	})
	for _, m := range shipped {
		for _, id := range sets {
			set, _ := findMazeSet(catalog, id)
			actor, err := newActor(t.Context(), models, domain.PolicyRef{ModelID: m.ID}, domain.Sampling{}, 0)
			if err != nil {
				t.Fatal(err)
			}
			run := newEvaluationRun(set.Mazes, actor, time.Now)
			err = run.play(t.Context(), func(EvaluationProgress) bool { return true })
			actor.release()
			if err != nil {
				t.Fatal(err)
			}
			differ := 0
			for position, maze := range set.Mazes {
				var actions []byte
				for event, err := range episodes.Run(t.Context(), RunEpisodeInput{Maze: mazeOf(maze.ID), Policy: domain.PolicyRef{ModelID: m.ID}}) {
					if err != nil {
						t.Fatal(err)
					}
					for _, s := range event.Steps {
						actions = append(actions, byte(s.Action))
					}
				}
				if !slices.Equal(actions, run.played[position].Actions()) {
					differ++
				}
			}
			if differ > 0 {
				t.Errorf("%s on %s: %d of %d episodes differ", m.ID, id, differ, len(set.Mazes))
			}
		}
	}
}

func BenchmarkEvaluation(b *testing.B) {
	models, catalog, _ := shippedModels(b)
	for _, id := range []string{"heldout", "large50"} {
		set, _ := findMazeSet(catalog, id)
		for _, ref := range []domain.PolicyRef{{ModelID: "ppo-memory-1"}, {ModelID: "dqn-memory-1"}, {Baseline: domain.BaselineNearestFrontier}} {
			b.Run(fmt.Sprintf("%s/%s%s", id, ref.ModelID, ref.Baseline), func(b *testing.B) {
				for range b.N {
					actor, err := newActor(b.Context(), models, ref, domain.Sampling{}, 0)
					if err != nil {
						b.Fatal(err)
					}
					run := newEvaluationRun(set.Mazes, actor, time.Now)
					if err := run.play(b.Context(), func(EvaluationProgress) bool { return true }); err != nil {
						b.Fatal(err)
					}
					actor.release()
				}
			})
		}
	}
}
