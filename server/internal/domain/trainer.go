package domain

import (
	"context"
	"iter"
	"time"
)

// Sentinels of the training ports; compare with errors.Is.
var (
	ErrTrainingNotFound  = &Error{Code: CodeNotFound, Field: "run_id", Rule: "training.unknown", Message: "no such training; ListTrainings names those that exist"}
	ErrNoTrainer         = &Error{Code: CodeUnavailable, Rule: "trainer.not_configured", Message: "this installation has no trainer; start one, and name it in TRAINER_URL"}
	ErrAfterSequence     = &Error{Code: CodeInvalidArgument, Field: "after_sequence", Rule: "after_sequence.beyond", Message: "after_sequence is beyond the last event of the run; ask again with 0 for all of them"}
	ErrTrainingPageToken = &Error{Code: CodeInvalidArgument, Field: "page_token", Rule: "page_token.unknown", Message: "page_token is none of this list; start with an empty one"}
)

// TrainerAway is the error of a trainer that can't be asked; message says what it waits for, without an address.
func TrainerAway(message string, cause error) *Error {
	return &Error{Code: CodeUnavailable, Rule: "trainer.away", Message: message, Cause: cause}
}

// TrainingBusy refuses a start for lack of room.
type TrainingBusy struct {
	Refusal    *Error
	Running    []Training // that hold the devices
	Queued     int
	QueueLimit int
	RetryAfter time.Duration // after which another try makes sense
}

func (b *TrainingBusy) Error() string { return b.Refusal.Error() }

// Unwrap returns the refusal.
func (b *TrainingBusy) Unwrap() error { return b.Refusal }

// TrainingOrder asks for a run: by a configuration, or by ResumeFrom.
type TrainingOrder struct {
	ConfigYAML string
	Seed       *uint32 // instead of the first one of the configuration
	ResumeFrom string
	RequestID  string // the same id is the same run; empty: every call starts one
}

// TrainingNews is one message of a run's stream: the run, events, or nothing (a sign of life).
type TrainingNews struct {
	Training *Training
	Events   []TrainingEvent
}

// TrainingPreset is a configuration to start from.
type TrainingPreset struct {
	Name, Title, Description, ConfigYAML string
}

// TrainingDefaults is what a form needs.
type TrainingDefaults struct {
	Presets    []TrainingPreset
	SchemaJSON string
	Devices    []string
	MazeSets   []string
	QueueLimit int
}

// Trainer trains. The Python service implements it. Every method may return a *TrainingBusy or an *Error with the trainer's own code, words and
// violations; CodeUnavailable when it can't be reached.
type Trainer interface {
	// StartTraining accepts a run.
	StartTraining(ctx context.Context, order TrainingOrder) (Training, error)
	// StopTraining ends a run and returns when it has ended.
	StopTraining(ctx context.Context, runID string) (Training, error)
	// ListTrainings returns a page of runs, the newest first, and the token of the next one; empty on the last.
	ListTrainings(ctx context.Context, pageToken string) ([]Training, string, error)
	// WatchTraining streams a run after a sequence, until after its final event. A stream that is silent for longer than it may be ends with
	// CodeUnavailable.
	WatchTraining(ctx context.Context, runID string, afterSequence int64) iter.Seq2[TrainingNews, error]
	// WatchGPU streams readings of the GPUs until the range ends.
	WatchGPU(ctx context.Context, interval time.Duration) iter.Seq2[GPUSample, error]
	// Defaults returns what a form needs.
	Defaults(ctx context.Context) (TrainingDefaults, error)
}

// RunSettler ends runs in MLflow for a trainer that is lost. MLflow's REST client implements it.
type RunSettler interface {
	// SettleRun gives the MLflow run the state (completed, stopped or failed) and the reason. A run that MLflow does not know is no error.
	// CodeUnavailable while MLflow is away: try again later.
	SettleRun(ctx context.Context, mlflowRunID string, state TrainingState, reason string) error
}

// GPUState says what is known about the GPUs of a trainer.
type GPUState string

// The GPU states.
const (
	GPUOK         GPUState = "ok"
	GPUNoDriver   GPUState = "no_driver"
	GPUNone       GPUState = "no_gpu"
	GPUTimedOut   GPUState = "timed_out"
	GPUUnreadable GPUState = "unreadable"
)

// GPU is one device at one moment; what the driver does not report is nil.
type GPU struct {
	Index              int
	Name               string
	Utilisation        *float64 // 0–1
	MemoryUsedBytes    *int64
	MemoryTotalBytes   *int64
	TemperatureCelsius *float64
	PowerWatts         *float64
	PowerLimitWatts    *float64
}

// GPUSample is one reading of all GPUs of a trainer.
type GPUSample struct {
	TakenAt time.Time
	State   GPUState
	Message string // what is wrong and what to do; empty when OK
	GPUs    []GPU
}
