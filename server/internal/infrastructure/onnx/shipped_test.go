package onnx

import (
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mazeset"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/modelfolder"
)

// shipped loads every model of the repository.
func shipped(t testing.TB, r *Runtime, run func(t testing.TB, m *domain.Model, n domain.Network)) {
	t.Helper()
	bundles, err := modelfolder.New("../../../../ml/models").ScanModels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(bundles) == 0 {
		t.Fatal("no model is shipped")
	}
	for _, b := range bundles {
		if b.Model.State != domain.ModelStateReady {
			t.Errorf("%s is broken: %s", b.Model.ID, b.Model.StateReason)
			continue
		}
		n, err := r.LoadNetwork(b.ONNX)
		if err != nil {
			t.Errorf("%s: %v", b.Model.ID, err)
			continue
		}
		run(t, &b.Model, n)
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

func setOf(t testing.TB, id string) domain.MazeSet {
	t.Helper()
	c, err := mazeset.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range c.MazeSets() {
		if set.ID == id {
			return set
		}
	}
	t.Fatalf("no set %s", id)
	return domain.MazeSet{}
}

// evaluate plays every maze greedily.
func evaluate(t testing.TB, m *domain.Model, n domain.Network, mazes []*domain.Maze) []*domain.Episode {
	episodes := make([]*domain.Episode, len(mazes))
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(mazes); i += workers {
				e := domain.NewEpisode(mazes[i])
				p := domain.NewNetworkPolicy(n, m, domain.Sampling{}, 0)
				for e.Outcome() == domain.OutcomeRunning {
					a, _, err := p.Decide(e)
					if err != nil {
						t.Error(err)
						return
					}
					e.Apply(a)
				}
				episodes[i] = e
			}
		})
	}
	wait.Wait()
	return episodes
}

// Success in the manifest was measured by Python on the exported file. Go plays the same episodes, so it comes to the same figures.
func TestGoReachesWhatPythonMeasured(t *testing.T) {
	catalog, err := mazeset.Load()
	if err != nil {
		t.Fatal(err)
	}
	shipped(t, openRuntime(t), func(t testing.TB, m *domain.Model, n domain.Network) {
		compared := 0
		for _, set := range catalog.MazeSets() {
			for _, want := range m.Success {
				if want.SetID != set.ID {
					continue
				}
				if want.SetHash != set.Hash || want.Episodes != len(set.Mazes) {
					t.Errorf("%s was measured on another %s: %s", m.ID, set.ID, want.SetHash)
					continue
				}
				if testing.Short() && set.ID != "heldout" {
					continue
				}
				successes, steps, spl := 0, 0, 0.0
				for _, e := range evaluate(t, m, n, set.Mazes) {
					if e.Outcome() == domain.OutcomeReachedGoal {
						successes++
					}
					steps += e.Steps()
					spl += e.SPL()
				}
				meanSteps := float64(steps) / float64(len(set.Mazes))
				spl /= float64(len(set.Mazes))
				t.Logf("%s on %s: %d of %d, mean steps %.3f, SPL %.6f", m.ID, set.ID, successes, len(set.Mazes), meanSteps, spl)
				if successes != want.Successes || math.Abs(meanSteps-want.MeanSteps) > 0.001 || math.Abs(spl-want.SPL) > 1e-5 {
					t.Errorf("%s on %s: Python has %d, %.3f, %.6f", m.ID, set.ID, want.Successes, want.MeanSteps, want.SPL)
				}
				compared++
			}
		}
		if compared == 0 {
			t.Errorf("the manifest of %s has no success on a committed set", m.ID)
		}
	})
}

// Batches may differ from single observations in the last bits; what is decided may not.
func TestBatchedAndSingleInferenceDecideAlike(t *testing.T) {
	mazes := setOf(t, "heldout").Mazes
	if testing.Short() {
		mazes = mazes[:100]
	}
	shipped(t, openRuntime(t), func(t testing.TB, m *domain.Model, n domain.Network) {
		decisions, differ := 0, 0
		var input [domain.ObservationLength]float32
		var batch []float32
		for _, maze := range mazes {
			e := domain.NewEpisode(maze)
			p := domain.NewNetworkPolicy(n, m, domain.Sampling{}, 0)
			var single []domain.Action
			batch = batch[:0]
			for e.Outcome() == domain.OutcomeRunning {
				e.Observe(m.Observation, &input)
				batch = append(batch, input[:]...)
				a, _, err := p.Decide(e)
				if err != nil {
					t.Fatal(err)
				}
				single = append(single, a)
				e.Apply(a)
			}
			scores, values := make([]float32, 4*len(single)), make([]float32, len(single))
			if err := n.Infer(batch, scores, values); err != nil {
				t.Fatal(err)
			}
			for i, want := range single {
				s := domain.ActionScores{Values: [4]float32(scores[4*i:])}
				if s.Choose(domain.Sampling{}, 0, 0) != want {
					differ++
				}
				decisions++
			}
		}
		t.Logf("%s: %d decisions", m.ID, decisions)
		if differ > 0 {
			t.Errorf("%s: %d of %d decisions differ between batch and single", m.ID, differ, decisions)
		}
	})
}

func TestParityVectorsOfShippedModelsHold(t *testing.T) {
	r := openRuntime(t)
	bundles, err := modelfolder.New("../../../../ml/models").ScanModels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bundles {
		n, err := r.LoadNetwork(b.ONNX)
		if err != nil {
			t.Fatalf("%s: %v", b.Model.ID, err)
		}
		worst := 0.0
		for i, v := range b.Parity {
			var scores [4]float32
			var value [1]float32
			if err := n.Infer(v.Observation[:], scores[:], value[:]); err != nil {
				t.Fatal(err)
			}
			for a := range 4 {
				worst = max(worst, math.Abs(float64(scores[a])-float64(v.ActionScores[a])))
			}
			if worst = max(worst, math.Abs(float64(value[0])-float64(v.StateValue))); worst > 1e-4 {
				t.Errorf("%s: vector %d is off by %g", b.Model.ID, i, worst)
			}
		}
		t.Logf("%s: worst difference to PyTorch %.2g", b.Model.ID, worst)
		_ = n.Close()
	}
}

func BenchmarkStepOfShippedModel(b *testing.B) {
	maze := setOf(b, "heldout").Mazes[0]
	shipped(b, openRuntime(b), func(t testing.TB, m *domain.Model, n domain.Network) {
		b.Run(m.ID, func(b *testing.B) {
			b.ReportAllocs()
			e := domain.NewEpisode(maze)
			p := domain.NewNetworkPolicy(n, m, domain.Sampling{}, 0)
			for b.Loop() {
				if e.Outcome() != domain.OutcomeRunning {
					e = domain.NewEpisode(maze)
				}
				a, _, err := p.Decide(e)
				if err != nil {
					b.Fatal(err)
				}
				e.Apply(a)
			}
		})
	})
}
