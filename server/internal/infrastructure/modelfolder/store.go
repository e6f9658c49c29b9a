// Package modelfolder keeps models as folders, one a model, as ml/models/README.md describes them. It answers for the files being whole and being
// what their manifest says; whether a network computes the right thing is checked by those who load it.
package modelfolder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// The files of a model, with the largest sizes that are read: policies of this project have some ten kilobytes.
const (
	networkFile  = "policy.onnx"
	manifestFile = "manifest.json"
	parityFile   = "parity.json"
	defaultFile  = "default.json"

	largestNetwork  = 64 << 20
	largestManifest = 1 << 20
	largestParity   = 16 << 20
	mostVectors     = 4096
)

// runsFolder holds what trainings leave behind; it is no model.
const runsFolder = "runs"

// modelID is how a model's folder is called: <name>-<version>. It leaves no way out of the folder.
var modelID = regexp.MustCompile(`^([a-z0-9]+(?:[.-][a-z0-9]+)*)-([1-9][0-9]{0,8})$`)

const longestModelID = 128

// Store reads models from one folder. It keeps no file open and may be used by many goroutines.
type Store struct {
	path   string
	origin domain.ModelOrigin
}

// New makes a store of shipped models; the folder is looked at when it is read.
func New(path string) *Store { return &Store{path: path, origin: domain.ModelOriginShipped} }

// ScanModels reads every model folder, in the order of their names. Files, hidden folders, the folder "runs" and names that are no model_id are skipped.
func (s *Store) ScanModels(ctx context.Context) ([]domain.ModelBundle, error) {
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return nil, domain.Unavailable("the model folder", err)
	}
	var bundles []domain.ModelBundle
	for _, e := range entries {
		if !e.IsDir() || e.Name() == runsFolder || !validID(e.Name()) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := s.LoadModel(ctx, e.Name())
		if broken, ok := errors.AsType[*domain.Error](err); ok {
			b.Model.State, b.Model.StateReason = domain.ModelStateBroken, broken.Message
			b.ONNX, b.Parity = nil, nil
		} else if err != nil {
			return nil, err
		}
		bundles = append(bundles, b)
	}
	return bundles, nil
}

// LoadModel reads one folder. With ErrModelBroken the bundle holds what could be read of the manifest, under the id that was asked for.
func (s *Store) LoadModel(_ context.Context, id string) (domain.ModelBundle, error) {
	if !validID(id) {
		return domain.ModelBundle{}, domain.ErrModelNotFound
	}
	root, err := os.OpenRoot(s.path)
	if err != nil {
		return domain.ModelBundle{}, domain.Unavailable("the model folder", err)
	}
	defer root.Close()
	folder, err := root.OpenRoot(id) // a root lets no link lead out of it
	if errors.Is(err, fs.ErrNotExist) {
		return domain.ModelBundle{}, domain.ErrModelNotFound
	}
	b := domain.ModelBundle{Model: named(id)}
	if err == nil {
		defer folder.Close()
		err = readBundle(folder, &b)
	} else {
		err = domain.BrokenModel("its folder can't be read", err)
	}
	b.Model.Origin = s.origin
	return b, err
}

// DefaultModelID reads default.json; a folder without one has no default.
func (s *Store) DefaultModelID(context.Context) (string, error) {
	root, err := os.OpenRoot(s.path)
	if err != nil {
		return "", domain.Unavailable("the model folder", err)
	}
	defer root.Close()
	content, err := readFile(root, defaultFile, largestManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var f struct {
		ModelID string `json:"model_id"`
	}
	if err == nil {
		err = decodeStrictly(content, &f)
	}
	if err == nil && !validID(f.ModelID) {
		err = fmt.Errorf("%q is no model_id", f.ModelID)
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", defaultFile, err)
	}
	return f.ModelID, nil
}

func validID(id string) bool { return len(id) <= longestModelID && modelID.MatchString(id) }

// named is what is known of a model by its folder alone.
func named(id string) domain.Model {
	m := domain.Model{ID: id, State: domain.ModelStateReady}
	parts := modelID.FindStringSubmatch(id)
	m.Name = parts[1]
	m.Version, _ = strconv.Atoi(parts[2]) // nine digits at most
	return m
}

// readBundle fills the bundle as far as the files can be read; its error is ErrModelBroken with the first thing that is wrong.
func readBundle(folder *os.Root, b *domain.ModelBundle) error {
	content, err := readFile(folder, manifestFile, largestManifest)
	if err != nil {
		return unreadable(manifestFile, err)
	}
	f, wrong := readManifest(content)
	if wrong == nil {
		wrong = f.fill(&b.Model)
	}
	if wrong != nil {
		return wrong.broken()
	}
	network, err := readFile(folder, networkFile, largestNetwork)
	if err != nil {
		return unreadable(networkFile, err)
	}
	if wrong := f.checkNetwork(network); wrong != nil {
		return wrong.broken()
	}
	if content, err = readFile(folder, parityFile, largestParity); err != nil {
		return unreadable(parityFile, err)
	}
	vectors, wrong := readParity(content)
	if wrong != nil {
		return wrong.broken()
	}
	b.ONNX, b.Parity = network, vectors
	return nil
}

// fault is what is wrong with one file of a model.
type fault struct {
	file  string
	what  string // "can't be read: it is cut short"
	cause error
}

// broken says it of a model that lies in its folder.
func (f *fault) broken() *domain.Error {
	return domain.BrokenModel("its "+f.file+" "+f.what, f.cause)
}

// refused says it to who sent the file.
func (f *fault) refused() *domain.Error {
	return &domain.Error{Code: domain.CodeInvalidArgument, Field: fields[f.file], Rule: rules[f.file], Message: f.file + " " + f.what, Cause: f.cause}
}

// Where a file stands in a request, and what its faults are called.
var (
	fields = map[string]string{networkFile: "policy_onnx", manifestFile: "manifest_json", parityFile: "parity_json"}
	rules  = map[string]string{networkFile: "model.network", manifestFile: "model.manifest", parityFile: "model.parity"}
)

// readFile reads a regular file of at most so many bytes.
func readFile(root *os.Root, name string, largest int64) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	facts, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !facts.Mode().IsRegular() {
		return nil, errNotRegular
	}
	content, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err == nil && int64(len(content)) > largest {
		return nil, errTooLarge
	}
	return content, err
}

var (
	errNotRegular = errors.New("it is no regular file")
	errTooLarge   = errors.New("it is too large")
)

// unreadable says why a file can't be read, without its path.
func unreadable(name string, err error) *domain.Error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return domain.BrokenModel("its "+name+" is missing", err)
	case errors.Is(err, errTooLarge), errors.Is(err, errNotRegular):
		return domain.BrokenModel("its "+name+" can't be read: "+err.Error(), err)
	default:
		return domain.BrokenModel("its "+name+" can't be read", err)
	}
}

// describe puts a decoding error into words for people.
func describe(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("it is no JSON at byte %d", syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it is cut short"
	case errors.As(err, &kind):
		return fmt.Sprintf("%s should not be a %s", kind.Field, kind.Value)
	default:
		return strings.TrimPrefix(err.Error(), "json: ")
	}
}

// decodeStrictly takes one JSON value without unknown fields and nothing after it.
func decodeStrictly(content []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// manifest is manifest.json.
type manifest struct {
	ModelID     string            `json:"model_id"`
	Name        string            `json:"name"`
	Version     int               `json:"version"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Algorithm   string            `json:"algorithm"`
	Observation string            `json:"observation"`
	ScoreKind   string            `json:"score_kind"`
	ActionOrder []string          `json:"action_order"`
	TrainedAt   time.Time         `json:"trained_at"`
	Timesteps   int64             `json:"timesteps"`
	TrainingRun string            `json:"training_run"`
	Seed        uint64            `json:"seed,string"`
	Config      string            `json:"config"`
	GitRevision string            `json:"git_revision"`
	SHA256      string            `json:"sha256"`
	SizeBytes   int64             `json:"size_bytes"`
	Opset       int               `json:"opset"`
	MazeSets    map[string]string `json:"maze_sets"`
	Success     []success         `json:"success"`
}

type success struct {
	SetID     string  `json:"set_id"`
	SetHash   string  `json:"set_hash"`
	Episodes  int     `json:"episodes"`
	Successes int     `json:"successes"`
	MeanSteps float64 `json:"mean_steps"`
	SPL       float64 `json:"spl"`
}

var (
	actionOrder = []string{"UP", "DOWN", "LEFT", "RIGHT"}
	hexSHA256   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func readManifest(content []byte) (*manifest, *fault) {
	var f manifest
	if err := decodeStrictly(content, &f); err != nil {
		return nil, &fault{file: manifestFile, what: "can't be read: " + describe(err), cause: err}
	}
	return &f, nil
}

// checkNetwork compares the network's bytes with what the manifest says of them.
func (f *manifest) checkNetwork(network []byte) *fault {
	if got := int64(len(network)); got != f.SizeBytes {
		return &fault{file: networkFile, what: fmt.Sprintf("has %d bytes and should have %d", got, f.SizeBytes)}
	}
	if sum := sha256.Sum256(network); hex.EncodeToString(sum[:]) != f.SHA256 {
		return &fault{file: networkFile, what: "has another SHA-256 than its manifest says"}
	}
	return nil
}

// fill writes the manifest into the model, which has its folder's id, name and version.
func (f *manifest) fill(m *domain.Model) *fault {
	if reason := f.fillAll(m); reason != "" {
		return &fault{file: manifestFile, what: "is wrong: " + reason}
	}
	return nil
}

// fillAll returns what is wrong, or nothing.
func (f *manifest) fillAll(m *domain.Model) string {
	id, name, version := m.ID, m.Name, m.Version
	*m = domain.Model{
		ID: id, Name: name, Version: version, Title: f.Title, Description: f.Description, State: domain.ModelStateReady,
		Algorithm: domain.Algorithm(f.Algorithm), Observation: domain.ObservationVersion(f.Observation), ScoreKind: domain.ScoreKind(f.ScoreKind),
		TrainedAt: f.TrainedAt, Timesteps: f.Timesteps, TrainingRun: f.TrainingRun, Seed: f.Seed, SHA256: f.SHA256, SizeBytes: f.SizeBytes, Opset: f.Opset, Config: f.Config,
	}
	if !hexSHA256.MatchString(f.SHA256) {
		m.SHA256 = "" // unknown: it must not stand in the way of the right one later
	}
	switch {
	case f.ModelID != id:
		return fmt.Sprintf("model_id is %q and the folder is %q", f.ModelID, id)
	case f.Name != name || f.Version != version:
		return fmt.Sprintf("name %q and version %d do not make %q", f.Name, f.Version, id)
	case f.Algorithm == string(domain.AlgorithmPPO) && f.ScoreKind != string(domain.ScoreKindLogit), f.Algorithm == string(domain.AlgorithmDQN) && f.ScoreKind != string(domain.ScoreKindQValue):
		return fmt.Sprintf("score_kind %q does not go with algorithm %q", f.ScoreKind, f.Algorithm)
	case f.Algorithm != string(domain.AlgorithmPPO) && f.Algorithm != string(domain.AlgorithmDQN):
		return fmt.Sprintf("algorithm is %q; PPO and DQN are known", f.Algorithm)
	case !m.Observation.Valid():
		return fmt.Sprintf("observation is %q; plain/1, trail/1 and memory/1 are known", f.Observation)
	case !slices.Equal(f.ActionOrder, actionOrder):
		return "action_order must be UP, DOWN, LEFT, RIGHT"
	case f.TrainedAt.IsZero():
		return "trained_at is missing"
	case f.Timesteps < 0:
		return "timesteps is negative"
	case m.SHA256 == "":
		return "sha256 must be 64 lower-case hex digits"
	case f.SizeBytes <= 0:
		return "size_bytes must be positive"
	case f.Opset <= 0:
		return "opset must be positive"
	}
	seen := map[[2]string]bool{}
	for _, s := range f.Success {
		key := [2]string{s.SetID, s.SetHash}
		if s.SetID == "" || seen[key] || s.Episodes <= 0 || s.Successes < 0 || s.Successes > s.Episodes || s.MeanSteps < 0 || s.SPL < 0 || s.SPL > 1 {
			m.Success = nil
			return fmt.Sprintf("success on %q makes no sense", s.SetID)
		}
		seen[key] = true
		m.Success = append(m.Success, domain.SuccessRate(s))
	}
	return ""
}

// readParity reads parity.json. Lists of another length than an observation or four scores are errors.
func readParity(content []byte) ([]domain.ParityVector, *fault) {
	vectors, err := decodeParity(content)
	if err != nil {
		return nil, &fault{file: parityFile, what: "can't be read: " + describe(err), cause: err}
	}
	return vectors, nil
}

func decodeParity(content []byte) ([]domain.ParityVector, error) {
	var f struct {
		Tolerance float64 `json:"tolerance"`
		Vectors   []struct {
			Observation  []float32 `json:"observation"`
			ActionScores []float32 `json:"action_scores"`
			StateValue   float32   `json:"state_value"`
		} `json:"vectors"`
	}
	if err := decodeStrictly(content, &f); err != nil {
		return nil, err
	}
	if len(f.Vectors) == 0 || len(f.Vectors) > mostVectors {
		return nil, fmt.Errorf("it has %d vectors; 1 to %d are allowed", len(f.Vectors), mostVectors)
	}
	vectors := make([]domain.ParityVector, len(f.Vectors))
	for i, v := range f.Vectors {
		if len(v.Observation) != domain.ObservationLength || len(v.ActionScores) != 4 {
			return nil, fmt.Errorf("vector %d has %d observed values and %d scores", i, len(v.Observation), len(v.ActionScores))
		}
		vectors[i] = domain.ParityVector{Observation: [domain.ObservationLength]float32(v.Observation), ActionScores: [4]float32(v.ActionScores), StateValue: v.StateValue}
	}
	return vectors, nil
}
