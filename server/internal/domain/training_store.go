package domain

import (
	"context"
	"iter"
	"time"
)

// TrainingCursor is a place in the list of runs, the newest first: behind the run with this time and id.
type TrainingCursor struct {
	CreatedAt time.Time
	RunID     string
}

// TrainingStore keeps runs and their events. PostgreSQL implements it. Every method may return an error of CodeUnavailable.
type TrainingStore interface {
	// GetTraining returns one run or ErrTrainingNotFound.
	GetTraining(ctx context.Context, runID string) (Training, error)
	// ListTrainings returns at most limit runs, the newest first, after the cursor; nil starts with the newest.
	ListTrainings(ctx context.Context, after *TrainingCursor, limit int) ([]Training, error)
	// FindTrainings returns those of the runs that are known, by id.
	FindTrainings(ctx context.Context, runIDs []string) (map[string]Training, error)
	// OpenTrainings returns the runs whose trainer has not said a final word, settled ones among them.
	OpenTrainings(ctx context.Context) ([]Training, error)

	// AddTraining keeps a run that is new, without any event; of one that is known only trainer, facts and RequestID are brought up to date.
	// It also takes a settlement back: who adds a run has heard of it from its trainer.
	AddTraining(ctx context.Context, t Training, requestID string) error
	// AppendEvents appends consecutive events and what they make of the run. Events that are kept already are left out, so that a repeated or an
	// overlapping call is harmless; a hole is CodeInternal (rule "training.hole"), and nothing is kept.
	AppendEvents(ctx context.Context, t Training, events []TrainingEvent) error
	// ForgetEvents removes all events of a run, for a trainer whose own log has become shorter than ours.
	ForgetEvents(ctx context.Context, runID string) error
	// ReadEvents returns events after a sequence, in order: some of them when there are many, none when there is none.
	ReadEvents(ctx context.Context, runID string, afterSequence int64) ([]TrainingEvent, error)
	// AllEvents ranges over all events up to a sequence, a bounded number of them in memory.
	AllEvents(ctx context.Context, runID string, upTo int64) iter.Seq2[TrainingEvent, error]

	// SettleTraining says that an open run has failed because its trainer is lost; false when the run is settled or final already.
	SettleTraining(ctx context.Context, runID string, settled Settlement) (bool, error)
	// UnsettledInMLflow returns settled runs that MLflow does not know to have failed yet.
	UnsettledInMLflow(ctx context.Context) ([]Training, error)
	// MarkSettledInMLflow notes that it does.
	MarkSettledInMLflow(ctx context.Context, runID string) error

	// TrainerOfRequest returns the trainer that a start with this request id went to; empty when there was none.
	TrainerOfRequest(ctx context.Context, requestID string) (string, error)
}
