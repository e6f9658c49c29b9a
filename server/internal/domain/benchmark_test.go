package domain

import "testing"

// benchmarkEpisode plays one maze over and over by a baseline that explores, so that marks, ages and dead ends are those of real episodes.
func benchmarkEpisode(b *testing.B, size int, during func(e *Episode)) {
	m := GenerateMaze(GeneratorParams{Rows: size, Cols: size, Seed: 7})
	p, _ := NewBaselinePolicy(BaselineLeastRecentlyVisited, 0)
	e := NewEpisode(m)
	for b.Loop() {
		if e.Outcome() != OutcomeRunning {
			b.StopTimer()
			e = NewEpisode(m)
			b.StartTimer()
		}
		a, _, _ := p.Decide(e)
		e.Apply(a)
		during(e)
	}
}

func BenchmarkApply10(b *testing.B) { benchmarkEpisode(b, 10, func(*Episode) {}) }

func BenchmarkApplyAndObserveMemory10(b *testing.B) {
	var o [ObservationLength]float32
	benchmarkEpisode(b, 10, func(e *Episode) { e.Observe(ObservationMemory, &o) })
}

func BenchmarkApplyAndObserveMemory100(b *testing.B) {
	var o [ObservationLength]float32
	benchmarkEpisode(b, 100, func(e *Episode) { e.Observe(ObservationMemory, &o) })
}

func BenchmarkApplyAndObserveTrail10(b *testing.B) {
	var o [ObservationLength]float32
	benchmarkEpisode(b, 10, func(e *Episode) { e.Observe(ObservationTrail, &o) })
}

func BenchmarkNewEpisode10(b *testing.B) {
	m := GenerateMaze(GeneratorParams{Rows: 10, Cols: 10, Seed: 7})
	b.ReportAllocs()
	for b.Loop() {
		NewEpisode(m)
	}
}

func BenchmarkGenerate10(b *testing.B) {
	seed := uint64(0)
	for b.Loop() {
		seed++
		GenerateMaze(GeneratorParams{Rows: 10, Cols: 10, Seed: seed})
	}
}

func BenchmarkNearestFrontier30(b *testing.B) {
	m := GenerateMaze(GeneratorParams{Rows: 30, Cols: 30, Seed: 7})
	e := NewEpisode(m)
	p := &nearestFrontier{}
	for b.Loop() {
		_, _, _ = p.Decide(e)
	}
}
