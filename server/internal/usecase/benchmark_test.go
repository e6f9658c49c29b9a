package usecase

import (
	"context"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// discardLog stores nothing, so that the benchmark shows the use case and not a map that grows.
type discardLog struct{}

func (discardLog) AppendEpisode(context.Context, domain.EpisodeRecord) error { return nil }
func (discardLog) FindEpisode(context.Context, string) (domain.EpisodeRecord, error) {
	return domain.EpisodeRecord{}, nil
}
func (discardLog) ListEpisodes(context.Context, domain.EpisodeDay) ([]domain.EpisodeRecord, error) {
	return nil, nil
}

func benchmarkEpisode(b *testing.B, in RunEpisodeInput) {
	bench := newBench(b)
	bench.deps.Log = discardLog{}
	bench.run = NewRunEpisode(bench.deps)
	b.ReportAllocs()
	steps := 0
	for b.Loop() {
		for event, err := range bench.run.Run(b.Context(), in) {
			if err != nil {
				b.Fatal(err)
			}
			steps += len(event.Steps)
		}
	}
	b.ReportMetric(float64(steps)/float64(b.N), "steps/op")
}

func BenchmarkEpisodeOfCommittedMaze(b *testing.B) {
	benchmarkEpisode(b, RunEpisodeInput{Maze: mazeOf("puzzle-hidden")})
}

func BenchmarkEpisodeOfGeneratedMaze(b *testing.B) {
	benchmarkEpisode(b, RunEpisodeInput{Maze: mazeOf("generated-10x10-1")})
}

func BenchmarkOneStepOfAnEpisode(b *testing.B) {
	benchmarkEpisode(b, RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), MaxSteps: 1})
}
