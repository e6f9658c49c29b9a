package domain

import (
	"slices"
	"time"
)

// TrainingState says where a training run is.
type TrainingState string

// The training states, as the database spells them. Queued → running → completed is the ordinary way.
const (
	TrainingQueued    TrainingState = "queued"
	TrainingRunning   TrainingState = "running"
	TrainingStopping  TrainingState = "stopping"
	TrainingStopped   TrainingState = "stopped"
	TrainingCompleted TrainingState = "completed"
	TrainingFailed    TrainingState = "failed"
)

// Final tells whether a run in this state has ended.
func (s TrainingState) Final() bool {
	return s == TrainingStopped || s == TrainingCompleted || s == TrainingFailed
}

// TrainingPhase says what a running process does; empty while none runs.
type TrainingPhase string

// The training phases, as the database spells them.
const (
	PhaseNone        TrainingPhase = ""
	PhasePreparing   TrainingPhase = "preparing"
	PhaseLearning    TrainingPhase = "learning"
	PhaseExporting   TrainingPhase = "exporting"
	PhaseEvaluating  TrainingPhase = "evaluating"
	PhaseRegistering TrainingPhase = "registering"
)

// Training is one training run: what was asked for, and what its events add up to.
type Training struct {
	RunID          string
	Trainer        string // name of the trainer that has it
	State          TrainingState
	Phase          TrainingPhase
	Failure        string // why it failed, in words; empty otherwise
	Name           string // of the configuration; the model is registered under it
	Title          string
	Algorithm      Algorithm
	Observation    ObservationVersion
	TotalTimesteps int64
	Seed           uint32
	Device         string // "cpu", "cuda:0", …
	ConfigYAML     string
	QueuePosition  int // runs that are started before it, from 0; meaningful while queued
	CreatedAt      time.Time
	StartedAt      time.Time // zero while queued
	EndedAt        time.Time // zero before it has ended
	LastSequence   int64     // of its events
	Latest         *TrainingProgress
	BestCheckpoint *TrainingCheckpoint // by validation
	HeldOut        *SuccessRate        // of the exported file
	ModelID        string
	ResumedFrom    string
	Resumable      bool
	Notices        []string
	MLflowRunID    string

	// Settled is set while the server calls the run failed because its trainer is lost. The trainer's own word stands in State meanwhile.
	Settled *Settlement
}

// Settlement is what the server says of a run whose trainer is lost.
type Settlement struct {
	At     time.Time
	Reason string
}

// Shown is the run as everybody is told: one that is settled has failed, whatever its trainer said last.
func (t Training) Shown() Training {
	if t.Settled != nil && !t.State.Final() {
		t.State, t.Phase, t.Failure, t.EndedAt, t.QueuePosition = TrainingFailed, PhaseNone, t.Settled.Reason, t.Settled.At, 0
	}
	return t
}

// Apply brings the run up to date with its next event.
func (t *Training) Apply(e TrainingEvent) {
	t.LastSequence = e.Sequence
	switch {
	case e.Change != nil:
		t.change(*e.Change, e.HappenedAt)
	case e.Episodes != nil:
		if e.Episodes.Progress != nil {
			t.Latest = e.Episodes.Progress
		}
	case e.Checkpoint != nil:
		if t.BestCheckpoint == nil || !e.Checkpoint.worseThan(*t.BestCheckpoint) {
			t.BestCheckpoint = e.Checkpoint
		}
	case e.Facts != nil:
		t.ModelID, t.MLflowRunID, t.HeldOut, t.Notices = e.Facts.ModelID, e.Facts.MLflowRunID, e.Facts.HeldOut, e.Facts.Notices
	}
}

func (t *Training) change(to StateChange, at time.Time) {
	t.State, t.Phase, t.Failure = to.State, to.Phase, ""
	if to.State == TrainingFailed {
		t.Failure = to.Reason
	}
	if to.State == TrainingRunning && t.StartedAt.IsZero() {
		t.StartedAt = at
	}
	t.EndedAt = time.Time{}
	if to.State.Final() {
		t.Phase, t.EndedAt, t.QueuePosition = PhaseNone, at, 0
	}
}

// TakeFacts takes over what events do not say of a run, from a newer word of its trainer.
func (t *Training) TakeFacts(from Training) {
	t.QueuePosition, t.Resumable, t.Device = from.QueuePosition, from.Resumable, from.Device
	if t.StartedAt.IsZero() {
		t.StartedAt = from.StartedAt
	}
	if from.LastSequence >= t.LastSequence { // else our events are newer than these
		t.ModelID, t.MLflowRunID, t.HeldOut, t.Notices = from.ModelID, from.MLflowRunID, from.HeldOut, from.Notices
	}
}

// SameFacts tells whether TakeFacts would change nothing that is kept.
func (t Training) SameFacts(other Training) bool {
	return t.QueuePosition == other.QueuePosition && t.Resumable == other.Resumable && t.Device == other.Device &&
		t.ModelID == other.ModelID && t.MLflowRunID == other.MLflowRunID && slices.Equal(t.Notices, other.Notices) &&
		(t.HeldOut == nil) == (other.HeldOut == nil) && t.Trainer == other.Trainer
}

// TrainingProgress is where a run stands. Means are over the last 100 episodes; nil before there is one.
type TrainingProgress struct {
	Timesteps      int64
	Episodes       int64
	Reward         *float64
	EpisodeLength  *float64 // steps
	SuccessRate    *float64 // 0–1
	Loss           *float64 // of the latest update
	StepsPerSecond float64
	CPUPercent     float64 // 100 is one core
	MemoryBytes    int64
}

// TrainingCheckpoint is a saved state of a run and what it was worth.
type TrainingCheckpoint struct {
	Timesteps  int64
	Validation *SuccessRate
	Probe      *ProbeEpisode
}

// worseThan compares by mazes solved, then by path efficiency, as the trainer does when it chooses what to export.
func (c TrainingCheckpoint) worseThan(other TrainingCheckpoint) bool {
	if c.Validation == nil || other.Validation == nil {
		return c.Validation == nil && other.Validation != nil
	}
	if c.Validation.Successes != other.Validation.Successes {
		return c.Validation.Successes < other.Validation.Successes
	}
	return c.Validation.SPL < other.Validation.SPL
}

// ProbeEpisode is one played maze, the same at every checkpoint.
type ProbeEpisode struct {
	MazeID      string
	Actions     []byte // 0–3: up, down, left, right
	ReachedGoal bool
}
