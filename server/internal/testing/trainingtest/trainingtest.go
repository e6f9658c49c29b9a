// Package trainingtest makes runs and events for tests. Only tests import it.
package trainingtest

import (
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Began is when the runs of tests were accepted.
var Began = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// Run returns a run that has been accepted by "trainer", without an event.
func Run(id string) domain.Training {
	return domain.Training{
		RunID: id, Trainer: "trainer", State: domain.TrainingQueued, Name: "a-run", Title: "A run", Algorithm: domain.AlgorithmPPO, Observation: domain.ObservationMemory,
		TotalTimesteps: 1_000_000, Seed: 4_294_967_295, Device: "cpu", ConfigYAML: "name: a-run\n", CreatedAt: Began, Notices: []string{},
	}
}

// Event numbers an event, a second after the one before.
func Event(sequence int64, e domain.TrainingEvent) domain.TrainingEvent {
	e.Sequence, e.HappenedAt = sequence, Began.Add(time.Duration(sequence)*time.Second)
	return e
}

// Change is an event of a state.
func Change(sequence int64, state domain.TrainingState, reason string) domain.TrainingEvent {
	phase := domain.PhaseNone
	if state == domain.TrainingRunning {
		phase = domain.PhaseLearning
	}
	return Event(sequence, domain.TrainingEvent{Change: &domain.StateChange{State: state, Phase: phase, Reason: reason}})
}

// Episodes is an event of n episodes, of which the first has a number.
func Episodes(sequence, first int64, n int) domain.TrainingEvent {
	c := domain.EpisodeColumns{FirstEpisode: first}
	for i := range int64(n) {
		episode := first + i
		c.Timesteps = append(c.Timesteps, 20*episode)
		c.Rewards = append(c.Rewards, float32(episode%7)/7)
		c.Lengths = append(c.Lengths, int32(10+episode%90))
		c.ReachedGoal = append(c.ReachedGoal, episode%3 != 0)
	}
	loss, success := 1/float64(sequence), 0.5
	last := first + int64(n) - 1
	return Event(sequence, domain.TrainingEvent{Episodes: &domain.EpisodesEnded{Columns: c, Progress: &domain.TrainingProgress{
		Timesteps: 20 * last, Episodes: last, SuccessRate: &success, Loss: &loss, StepsPerSecond: 9000, CPUPercent: 99, MemoryBytes: 1 << 30,
	}}})
}

// Applied returns the run after the events.
func Applied(t domain.Training, events ...domain.TrainingEvent) domain.Training {
	for _, e := range events {
		t.Apply(e)
	}
	return t
}
