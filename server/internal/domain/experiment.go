package domain

import (
	"context"
	"strings"
	"time"
)

// Experiment is a group of runs in MLflow.
type Experiment struct {
	ID          string
	Name        string
	Description string
	CreatedAt   time.Time
	UpdatedAt   time.Time // by MLflow's word, which does not count new runs
}

// RunState is MLflow's status of a run.
type RunState string

// The run states.
const (
	RunScheduled RunState = "scheduled"
	RunRunning   RunState = "running"
	RunFinished  RunState = "finished"
	RunFailed    RunState = "failed"
	RunKilled    RunState = "killed"
)

// The names under which a training writes its facts into MLflow; the trainer has the same list.
const (
	TagTrainingRun = "rlmaze.training_run_id"
	TagModel       = "rlmaze.model_id"
	TagConfig      = "rlmaze.config_yaml"
	TagSweep       = "rlmaze.sweep"
	TagFailure     = "rlmaze.failure"

	MetricReward                = "reward"
	MetricEpisodeLength         = "episode_length"
	MetricSuccessRate           = "success_rate"
	MetricLoss                  = "loss"
	MetricValidationSuccessRate = "validation_success_rate"
	MetricValidationSPL         = "validation_spl"
	MetricHeldOutSuccessRate    = "held_out_success_rate"
)

// ExperimentRun is one run in MLflow.
type ExperimentRun struct {
	ID           string // 32 hex digits
	ExperimentID string
	Name         string
	State        RunState
	StartedAt    time.Time
	EndedAt      time.Time // zero while it goes on
	Params       map[string]string
	Metrics      []Metric          // the latest value of each, by key
	Tags         map[string]string // MLflow's own are left out
}

// HasMetric tells whether the run has logged the figure at all.
func (r ExperimentRun) HasMetric(key string) bool {
	for _, m := range r.Metrics {
		if m.Key == key {
			return true
		}
	}
	return false
}

// Metric is the latest value of one figure of a run.
type Metric struct {
	Key   string
	Value float64 // may be NaN or infinite
	Step  int64
}

// MetricPoint is one logged value.
type MetricPoint struct {
	Step  int64
	Value float64
	At    time.Time
}

// MetricHistory is the course of one figure of one run, ascending by step, finite values only.
type MetricHistory struct {
	RunID     string
	Key       string
	StartedAt time.Time // of the run
	Points    []MetricPoint
	Logged    int // points before some were put together; 0 when unknown
}

// RunOrder says how runs are sorted.
type RunOrder int

// The orders.
const (
	RunsNewestFirst RunOrder = iota
	RunsBestFirst            // by held-out success, then validation success, then path efficiency
)

// RunSearch asks for a page of runs.
type RunSearch struct {
	ExperimentIDs []string
	Filter        string // in MLflow's language
	Order         RunOrder
	PageSize      int
	PageToken     string // empty for the first page
}

// RunCount is how many runs an experiment has.
type RunCount struct {
	Runs   int
	Newest time.Time // start of the newest one; zero when there is none
}

// Sentinels of the tracker; compare with errors.Is.
var (
	ErrExperimentUnknown = &Error{Code: CodeNotFound, Field: "experiment_id", Rule: "experiment.unknown", Message: "MLflow has no such experiment; ListExperiments names those that exist"}
	ErrRunUnknown        = &Error{Code: CodeNotFound, Field: "run_id", Rule: "run.unknown", Message: "MLflow has no such run; ListRuns names those that exist"}
	ErrMLflowAway        = &Error{Code: CodeUnavailable, Rule: "mlflow.away", Message: "MLflow does not answer; try again in a moment"}
)

// MLflowAway is ErrMLflowAway in other words; message holds no address.
func MLflowAway(message string, cause error) *Error {
	return &Error{Code: ErrMLflowAway.Code, Rule: ErrMLflowAway.Rule, Message: message, Cause: cause}
}

// ExperimentTracker reads experiments and runs. MLflow's REST client implements it. Every method may return ErrMLflowAway.
type ExperimentTracker interface {
	// ListExperiments returns all that are not deleted, in no order.
	ListExperiments(ctx context.Context) ([]Experiment, error)
	// GetExperiment returns one or ErrExperimentUnknown.
	GetExperiment(ctx context.Context, id string) (Experiment, error)
	// CountRuns counts the newest runs of the experiments, ten thousand of them together. Experiments without any are left out.
	CountRuns(ctx context.Context, experimentIDs []string) (map[string]RunCount, error)
	// SearchRuns returns a page of runs and the token of the next one; empty on the last. CodeInvalidArgument with the field filter or page_token and
	// MLflow's words when it does not understand them.
	SearchRuns(ctx context.Context, search RunSearch) ([]ExperimentRun, string, error)
	// GetRun returns one or ErrRunUnknown.
	GetRun(ctx context.Context, id string) (ExperimentRun, error)
	// MetricPoints returns what a run logged under a key, in no order, values that are not finite among them. Of a history too long to be read they
	// are some points, spread over its steps, with the last one among them; complete is false then. A run without the figure has no points.
	MetricPoints(ctx context.Context, runID, key string) (points []MetricPoint, complete bool, err error)
}

// ShownTags are the tags for people: the configuration is a document of its own.
func (r ExperimentRun) ShownTags() map[string]string {
	shown := make(map[string]string, len(r.Tags))
	for key, value := range r.Tags {
		if key != TagConfig && !strings.HasPrefix(key, "mlflow.") {
			shown[key] = value
		}
	}
	return shown
}
