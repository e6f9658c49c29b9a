package domain

import (
	"context"
	"time"
)

// Algorithm that trained a model.
type Algorithm string

// The algorithms.
const (
	AlgorithmPPO Algorithm = "PPO"
	AlgorithmDQN Algorithm = "DQN"
)

// ScoreKind says what a network's four scores are.
type ScoreKind string

// The score kinds, as manifests and ONNX metadata spell them.
const (
	ScoreKindQValue ScoreKind = "q_value"
	ScoreKindLogit  ScoreKind = "logit"
)

// ModelState says whether a model can run.
type ModelState string

// The model states, as the database spells them.
const (
	ModelStateReady  ModelState = "ready"
	ModelStateBroken ModelState = "broken"
)

// ModelOrigin says how a model came to this server.
type ModelOrigin string

// The origins, as the database spells them.
const (
	ModelOriginShipped    ModelOrigin = "shipped"    // it lies in the repository; its file may be replaced while no server looks
	ModelOriginRegistered ModelOrigin = "registered" // somebody registered it; its version stays what it is
)

// Sentinels of the model ports; compare with errors.Is.
var (
	ErrModelNotFound = &Error{Code: CodeNotFound, Field: "model_id", Rule: "model.unknown", Message: "no such model; ListModels names those that exist"}
	ErrNoActiveModel = &Error{Code: CodeNotFound, Rule: "model.none_active", Message: "no model is active; activate one with SetActiveModel"}
	// ErrFileKnown: a registered name holds a file once.
	ErrFileKnown   = &Error{Code: CodeAlreadyExists, Field: "policy_onnx", Rule: "model.file_known", Message: "the same file is registered as another version of the name"}
	ErrModelBroken = &Error{Code: CodeFailedPrecondition, Field: "model_id", Rule: "model.broken", Message: "the model is broken; GetModel says why"}
)

// BrokenModel is ErrModelBroken with a reason in words; reason must hold no path.
func BrokenModel(reason string, cause error) *Error {
	return &Error{Code: ErrModelBroken.Code, Field: ErrModelBroken.Field, Rule: ErrModelBroken.Rule, Message: reason, Cause: cause}
}

// NetworkFault is the cause of a broken model whose network was refused: Rule says by which check, short and stable ("model.walk.sparse").
type NetworkFault struct {
	Rule  string
	Cause error // for the log; nil where there is nothing more to say
}

func (f *NetworkFault) Error() string {
	if f.Cause != nil {
		return f.Rule + ": " + f.Cause.Error()
	}
	return f.Rule
}

// Unwrap returns the cause.
func (f *NetworkFault) Unwrap() error { return f.Cause }

// SuccessRate is success measured on one set of unseen mazes; interval and rate follow from the two counts.
type SuccessRate struct {
	SetID     string
	SetHash   string
	Episodes  int
	Successes int
	MeanSteps float64
	SPL       float64
}

// Model is one immutable version of a policy network.
type Model struct {
	ID           string // "<name>-<version>"
	Name         string
	Version      int
	Origin       ModelOrigin
	Title        string
	Description  string
	State        ModelState
	StateReason  string // why it is broken, in words; empty when ready
	Algorithm    Algorithm
	Observation  ObservationVersion
	ScoreKind    ScoreKind
	TrainedAt    time.Time
	RegisteredAt time.Time
	Timesteps    int64
	TrainingRun  string
	Seed         uint64
	SHA256       string // of policy.onnx, lower-case hex
	SizeBytes    int64
	Opset        int
	Success      []SuccessRate
	Config       string // path of the YAML in the repository
}

// ModelRegistry keeps which models exist and which one is active. PostgreSQL implements it.
// Every method may return an error of CodeUnavailable.
type ModelRegistry interface {
	// ListModels returns all models by name, then newest version first.
	ListModels(ctx context.Context) ([]Model, error)
	// GetModel returns one model or ErrModelNotFound.
	GetModel(ctx context.Context, id string) (Model, error)
	// RegisterModel inserts the model, or brings State and StateReason up to date where the same id with the same hash is known.
	// The same id with another hash is CodeAlreadyExists (rule "model.id_taken"); a ready, registered model whose file the name holds already is
	// ErrFileKnown.
	RegisterModel(ctx context.Context, m Model) error
	// AddVersion runs add in one transaction, under a lock that only one caller has at a time, whatever the instance. known are the models of the
	// name, by version; register is RegisterModel inside the transaction. What was registered stays when add returns nil and is gone when it
	// returns an error, which AddVersion passes on. add must be quick: the database waits for it no longer than for a statement.
	AddVersion(ctx context.Context, name string, add func(known []Model, register func(Model) error) error) error
	// ReplaceModel takes over another, ready file under a known id: all that is kept of the model is that of the new file, and where it is the
	// active one the history gets an entry with the reason, in the same transaction. It is for a model store whose file was replaced while no
	// server looked; a version that somebody registers is never replaced. ErrModelNotFound.
	ReplaceModel(ctx context.Context, m Model, reason string) error
	// ActiveModel returns the latest activation or ErrNoActiveModel.
	ActiveModel(ctx context.Context) (Activation, error)
	// ActivateModel makes the model the active one and appends to the history, in one transaction. It returns ErrModelNotFound, ErrModelBroken,
	// or ActiveModelChanged where another activation is in force than the expected one. Activating the active model again returns its
	// activation unchanged, whatever was expected; not so a roll-back, which is for the expected activation only.
	ActivateModel(ctx context.Context, s Switch) (Activation, error)
	// ListActivations returns at most limit activations, the newest first: those before an id (0: from the newest), and where at is not zero
	// none that came later.
	ListActivations(ctx context.Context, before int64, at time.Time, limit int) ([]Activation, error)
	// RollBackOf returns the activation that undid the given one, or ErrNotRolledBack.
	RollBackOf(ctx context.Context, id int64) (Activation, error)
	// ActivationBefore returns the last activation of another model before the given one, or ErrNoEarlierModel.
	ActivationBefore(ctx context.Context, id int64) (Activation, error)
}

// ActivationFeed tells of switches, whichever instance makes them. PostgreSQL implements it.
type ActivationFeed interface {
	// FollowActivations calls take, one call after the other, with the activation in force and from then on with all that are new, oldest first:
	// none is left out, and none comes again once take has returned nil. After an error of take the same ones come again, after a
	// pause. heard is called with nil when the feed has a connection and has caught up, and with each failure of it, and of take; the feed goes on
	// by itself. It returns when ctx ends, with its cause.
	FollowActivations(ctx context.Context, take func(ctx context.Context, activations []Activation) error, heard func(error)) error
}

// ModelBundle is what lies in the folder of a model.
type ModelBundle struct {
	Model  Model  // as the manifest says, State ready, or broken with the reason
	ONNX   []byte // nil when broken
	Parity []ParityVector
}

// ParityVector is one observation with the outputs that PyTorch gave for it.
type ParityVector struct {
	Observation  [ObservationLength]float32
	ActionScores [4]float32
	StateValue   float32
}

// ModelStore gives the bytes of models. A folder implements it.
type ModelStore interface {
	// ScanModels reads every model folder; a broken one is returned with its reason, never as an error.
	ScanModels(ctx context.Context) ([]ModelBundle, error)
	// LoadModel reads one folder again. ErrModelNotFound when it is gone; ErrModelBroken with the reason as Message when a file is missing, cut short or its hash is wrong.
	LoadModel(ctx context.Context, id string) (ModelBundle, error)
	// DefaultModelID names the model to activate where none is active; empty when the store names none.
	DefaultModelID(ctx context.Context) (string, error)
}

// ModelFiles are the files of a model as somebody sends them.
type ModelFiles struct {
	ONNX     []byte
	Manifest []byte
	Parity   []byte
}

// ModelKeeper takes in models beside the shipped ones. A folder implements it; only one process at a time uses it.
type ModelKeeper interface {
	// ReadModel makes a bundle of files under a name, as LoadModel does of a folder; the model_id, name and version that the manifest gives don't
	// count. CodeInvalidArgument with the file's field and the first thing that is wrong with it.
	ReadModel(name string, files ModelFiles) (ModelBundle, error)
	// NameShipped says whether a shipped model has the name. CodeUnavailable.
	NameShipped(name string) (bool, error)
	// StageModel writes the files aside, where nothing acts by them and a crash leaves nothing that the next start does not remove.
	// CodeResourceExhausted when the disk is full; CodeUnavailable.
	StageModel(name string, files ModelFiles) (StagedModel, error)
}

// StagedModel are files that wait for their place. It is for one goroutine; Discard must be called once at the end.
type StagedModel interface {
	// Place makes the files the model of m's id and returns that model: at once, for good, and whole or not at all. A whole model that lies there
	// already stays and is returned instead; a broken one is replaced. Errors as of StageModel.
	Place(m Model) (Model, error)
	// Withdraw takes the files from their place again, where Place put them.
	Withdraw()
	// Discard removes what was staged and not placed.
	Discard()
}

// Network is a loaded policy network. It may be used by many goroutines at once; after Close it must not be used.
type Network interface {
	// Infer scores n = len(observations)/25 observations in one call: it fills scores (4·n) and values (n). It allocates nothing for n = 1.
	Infer(observations, scores, values []float32) error
	// Opset is the version of the ONNX operators that the file asks for.
	Opset() int
	Close() error
}

// NetworkLoader turns the bytes of an ONNX file into a Network. ONNX Runtime implements it.
// A file that can't be loaded, that uses operators which no policy needs, that keeps data outside of itself, or whose inputs or outputs have another
// name, type or shape, is ErrModelBroken with the reason as Message.
type NetworkLoader interface {
	LoadNetwork(onnx []byte) (Network, error)
}

// NetworkTrial tries a network that somebody sent where it can do no harm, before this process loads it. A child process implements it.
type NetworkTrial interface {
	// TryNetwork returns nil when the network may be loaded here. ErrModelBroken with a NetworkFault when the file is not a policy's, can't be loaded,
	// needs more memory or time than a policy may, or computes what is not finite; CodeUnavailable when it could not be tried.
	TryNetwork(ctx context.Context, onnx []byte) error
}
