package domain

import "time"

// TrainingEvent is one thing that happened in a run; exactly one of the pointers is set, none when a newer trainer sent what this server does
// not know. Sequences count from 1, without a hole. An event is never changed once it exists, so it may be shared.
type TrainingEvent struct {
	Sequence   int64
	HappenedAt time.Time // by the trainer's clock

	Change     *StateChange
	Episodes   *EpisodesEnded
	Checkpoint *TrainingCheckpoint
	Line       *LogLine
	Facts      *TrainingFacts
}

// EndsRun tells whether the event made the run final.
func (e TrainingEvent) EndsRun() bool { return e.Change != nil && e.Change.State.Final() }

// Size estimates the memory of the event in bytes: what is bounded by bytes counts with it.
func (e TrainingEvent) Size() int {
	const fixed, episode = 160, 17 // timesteps 8, reward 4, length 4, goal 1
	size := fixed
	switch {
	case e.Episodes != nil:
		size += episode * len(e.Episodes.Columns.Timesteps)
	case e.Change != nil:
		size += len(e.Change.Reason)
	case e.Line != nil:
		size += len(e.Line.Text)
	case e.Checkpoint != nil && e.Checkpoint.Probe != nil:
		size += len(e.Checkpoint.Probe.Actions)
	}
	return size
}

// StateChange tells that state or phase changed.
type StateChange struct {
	State  TrainingState
	Phase  TrainingPhase
	Reason string // the failure of a failed run
}

// EpisodesEnded is one batch of finished episodes.
type EpisodesEnded struct {
	Columns  EpisodeColumns
	Progress *TrainingProgress // after them
}

// EpisodeColumns holds finished episodes, in order; all columns have the same length.
type EpisodeColumns struct {
	FirstEpisode int64
	Timesteps    []int64 // of the whole run when the episode ended, ascending
	Rewards      []float32
	Lengths      []int32
	ReachedGoal  []bool
}

// LogLevel of a line.
type LogLevel string

// The log levels.
const (
	LogInfo    LogLevel = "info"
	LogWarning LogLevel = "warning"
	LogError   LogLevel = "error"
)

// LogLine is one line of the run's log.
type LogLine struct {
	Level LogLevel
	Text  string
}

// TrainingFacts is what is known of a run beside its learning; it replaces the facts before it as a whole.
type TrainingFacts struct {
	ModelID     string
	MLflowRunID string
	HeldOut     *SuccessRate
	Notices     []string
}
