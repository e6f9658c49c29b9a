package usecase

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// errDown is what a store that is away returns.
var errDown = domain.Unavailable("postgresql", errors.New("connection refused"))

// memoryRegistry keeps models in memory. It runs the suite of the real registry; down makes every call fail.
type memoryRegistry struct {
	mu          sync.Mutex
	models      map[string]domain.Model
	activations []domain.Activation
	down        atomic.Bool
	failNext    map[string]error // by method; taken once
}

func newMemoryRegistry() *memoryRegistry {
	return &memoryRegistry{models: map[string]domain.Model{}, failNext: map[string]error{}}
}

func TestMemoryRegistryKeepsTheContractOfTheRealOne(t *testing.T) {
	contract.RegistryContract(t, func(*testing.T) domain.ModelRegistry { return newMemoryRegistry() })
}

// enter returns the error that the call must return; with none the lock is held.
func (r *memoryRegistry) enter(ctx context.Context, method string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.down.Load() {
		return errDown
	}
	r.mu.Lock()
	if err := r.failNext[method]; err != nil {
		delete(r.failNext, method)
		r.mu.Unlock()
		return err
	}
	return nil
}

func (r *memoryRegistry) ListModels(ctx context.Context) ([]domain.Model, error) {
	if err := r.enter(ctx, "ListModels"); err != nil {
		return nil, err
	}
	defer r.mu.Unlock()
	var models []domain.Model
	for _, m := range r.models {
		models = append(models, m)
	}
	slices.SortFunc(models, func(a, b domain.Model) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(b.Version, a.Version), strings.Compare(a.ID, b.ID))
	})
	return models, nil
}

func (r *memoryRegistry) GetModel(ctx context.Context, id string) (domain.Model, error) {
	if err := r.enter(ctx, "GetModel"); err != nil {
		return domain.Model{}, err
	}
	defer r.mu.Unlock()
	m, ok := r.models[id]
	if !ok {
		return domain.Model{}, domain.ErrModelNotFound
	}
	return m, nil
}

func (r *memoryRegistry) RegisterModel(ctx context.Context, m domain.Model) error {
	if err := r.enter(ctx, "RegisterModel"); err != nil {
		return err
	}
	defer r.mu.Unlock()
	return r.registerModel(m)
}

// registerModel is RegisterModel under the lock.
func (r *memoryRegistry) registerModel(m domain.Model) error {
	if m.State == domain.ModelStateBroken {
		m.Success = nil
	}
	for _, other := range r.models {
		if m.Origin == domain.ModelOriginRegistered && m.State == domain.ModelStateReady && other.Origin == m.Origin && other.State == m.State &&
			other.ID != m.ID && other.Name == m.Name && other.SHA256 == m.SHA256 {
			return domain.ErrFileKnown
		}
	}
	known, ok := r.models[m.ID]
	switch {
	case !ok:
		if m.RegisteredAt.IsZero() {
			m.RegisteredAt = time.Now().UTC()
		}
		r.models[m.ID] = cleaned(m)
	case known.SHA256 != "" && m.SHA256 != "" && known.SHA256 != m.SHA256:
		return &domain.Error{Code: domain.CodeAlreadyExists, Field: "model_id", Rule: "model.id_taken", Message: "taken"}
	case m.State == domain.ModelStateBroken:
		known.State, known.StateReason, known.Success = m.State, cleaned(m).StateReason, nil
		r.models[m.ID] = known
	case known.State == domain.ModelStateBroken:
		m.RegisteredAt = known.RegisteredAt
		r.models[m.ID] = cleaned(m)
	}
	return nil
}

func (r *memoryRegistry) AddVersion(ctx context.Context, name string, add func(known []domain.Model, register func(domain.Model) error) error) error {
	if err := r.enter(ctx, "AddVersion"); err != nil {
		return err
	}
	defer r.mu.Unlock()
	var known []domain.Model
	for _, m := range r.models {
		if m.Name == name {
			m.Success = nil
			known = append(known, m)
		}
	}
	slices.SortFunc(known, func(a, b domain.Model) int { return cmp.Compare(a.Version, b.Version) })
	before := maps.Clone(r.models)
	err := add(known, r.registerModel)
	if failure := r.failNext["commit"]; err == nil && failure != nil {
		delete(r.failNext, "commit")
		err = failure
	}
	if err != nil {
		r.models = before
	}
	return err
}

func (r *memoryRegistry) ReplaceModel(ctx context.Context, m domain.Model, reason string) error {
	if err := r.enter(ctx, "ReplaceModel"); err != nil {
		return err
	}
	defer r.mu.Unlock()
	known, ok := r.models[m.ID]
	if !ok {
		return domain.ErrModelNotFound
	}
	m.RegisteredAt = known.RegisteredAt
	r.models[m.ID] = cleaned(m)
	if n := len(r.activations); n > 0 && r.activations[n-1].ModelID == m.ID {
		r.activations = append(r.activations, domain.Activation{ID: int64(n) + 1, ModelID: m.ID, Reason: reason, Actor: domain.ActorServer, ActivatedAt: time.Now().UTC()})
	}
	return nil
}

// cleaned is the model as text columns can hold it.
func cleaned(m domain.Model) domain.Model {
	v := reflect.ValueOf(&m).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			f.SetString(strings.ReplaceAll(strings.ToValidUTF8(f.String(), "\uFFFD"), "\x00", "\uFFFD"))
		}
	}
	return m
}

func (r *memoryRegistry) ActiveModel(ctx context.Context) (domain.Activation, error) {
	if err := r.enter(ctx, "ActiveModel"); err != nil {
		return domain.Activation{}, err
	}
	defer r.mu.Unlock()
	if len(r.activations) == 0 {
		return domain.Activation{}, domain.ErrNoActiveModel
	}
	return r.activations[len(r.activations)-1], nil
}

func (r *memoryRegistry) ActivateModel(ctx context.Context, s domain.Switch) (domain.Activation, error) {
	if err := r.enter(ctx, "ActivateModel"); err != nil {
		return domain.Activation{}, err
	}
	defer r.mu.Unlock()
	m, ok := r.models[s.ModelID]
	if !ok {
		return domain.Activation{}, domain.ErrModelNotFound
	}
	var last domain.Activation
	n := len(r.activations)
	if n > 0 {
		if last = r.activations[n-1]; s.Undoes == 0 && (s.OnlyIfNone || last.ModelID == s.ModelID) {
			return last, nil
		}
	}
	if s.Expected != 0 && s.Expected != max(last.ID, domain.ExpectNone) && (s.Expected != domain.ExpectNone || n > 0) {
		return domain.Activation{}, &domain.ActiveModelChanged{Activation: last}
	}
	if m.State == domain.ModelStateBroken {
		return domain.Activation{}, domain.ErrModelBroken
	}
	a := domain.Activation{
		ID: int64(n) + 1, ModelID: s.ModelID, PreviousModelID: last.ModelID, Reason: s.Reason, ActivatedAt: time.Now().UTC(),
		Actor: s.Actor, OverrideReason: s.OverrideReason, Undoes: s.Undoes, Parity: s.Parity, Success: s.Success,
	}
	r.activations = append(r.activations, a)
	return a, nil
}

func (r *memoryRegistry) ListActivations(ctx context.Context, before int64, at time.Time, limit int) ([]domain.Activation, error) {
	if err := r.enter(ctx, "ListActivations"); err != nil {
		return nil, err
	}
	defer r.mu.Unlock()
	var listed []domain.Activation
	for _, a := range slices.Backward(r.activations) {
		if len(listed) < limit && (before == 0 || a.ID < before) && (at.IsZero() || !a.ActivatedAt.After(at)) {
			listed = append(listed, a)
		}
	}
	return listed, nil
}

func (r *memoryRegistry) RollBackOf(ctx context.Context, id int64) (domain.Activation, error) {
	if err := r.enter(ctx, "RollBackOf"); err != nil {
		return domain.Activation{}, err
	}
	defer r.mu.Unlock()
	for _, a := range r.activations {
		if a.Undoes == id {
			return a, nil
		}
	}
	return domain.Activation{}, domain.ErrNotRolledBack
}

func (r *memoryRegistry) ActivationBefore(ctx context.Context, id int64) (domain.Activation, error) {
	if err := r.enter(ctx, "ActivationBefore"); err != nil {
		return domain.Activation{}, err
	}
	defer r.mu.Unlock()
	for _, a := range slices.Backward(r.activations) {
		if a.ID < id && id <= int64(len(r.activations)) && a.ModelID != r.activations[id-1].ModelID {
			return a, nil
		}
	}
	return domain.Activation{}, domain.ErrNoEarlierModel
}

// memoryLog keeps episodes in memory. It runs the suite of the real log.
type memoryLog struct {
	mu       sync.Mutex
	records  map[string]domain.EpisodeRecord
	appended int
	err      error
	appends  func(ctx context.Context) // called at each append; may be nil
	found    int                       // how often it was asked for an episode
	findErr  error
	listed   []string // the days that it was asked for
}

func (l *memoryLog) AppendEpisode(ctx context.Context, r domain.EpisodeRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.appends != nil {
		l.appends(ctx)
	}
	l.appended++
	if l.err != nil {
		return l.err
	}
	known, ok := l.records[r.EpisodeID]
	if !ok {
		l.records[r.EpisodeID] = r
		return nil
	}
	r.Timestamp, r.Duration = known.Timestamp, known.Duration
	if !reflect.DeepEqual(known, r) {
		return domain.ErrEpisodeConflict
	}
	return nil
}

func (l *memoryLog) FindEpisode(_ context.Context, id string) (domain.EpisodeRecord, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found++; l.findErr != nil {
		return domain.EpisodeRecord{}, l.findErr
	}
	if r, ok := l.records[id]; ok {
		return r, nil
	}
	return domain.EpisodeRecord{}, domain.ErrEpisodeUnknown
}

func (l *memoryLog) ListEpisodes(_ context.Context, d domain.EpisodeDay) ([]domain.EpisodeRecord, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listed = append(l.listed, d.Day.Format(time.DateOnly)); l.findErr != nil {
		return nil, l.findErr
	}
	fits := func(wanted, is string) bool { return wanted == "" || wanted == is }
	var records []domain.EpisodeRecord
	for _, r := range l.records {
		finished := r.Timestamp.UTC().Truncate(time.Millisecond)
		if finished.Format(time.DateOnly) == d.Day.UTC().Format(time.DateOnly) && fits(d.Filter.ModelID, r.ModelID) && fits(string(d.Filter.Baseline), string(r.Baseline)) &&
			fits(d.Filter.MazeID, r.MazeID) && fits(string(d.Filter.Outcome), string(r.Outcome)) &&
			(finished.Before(d.After.FinishedAt) || finished.Equal(d.After.FinishedAt) && r.EpisodeID < d.After.EpisodeID) {
			r.Timestamp, r.Actions = finished, nil
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(a, b domain.EpisodeRecord) int {
		return cmp.Or(b.Timestamp.Compare(a.Timestamp), strings.Compare(b.EpisodeID, a.EpisodeID))
	})
	return records[:min(d.Limit, len(records))], nil
}

func (l *memoryLog) TallyEpisodes(ctx context.Context, day time.Time, filter domain.EpisodeFilter) ([]domain.EpisodeTally, error) {
	fitting, err := l.ListEpisodes(ctx, domain.EpisodeDay{Day: day, Filter: filter, After: domain.EpisodePosition{FinishedAt: day.Add(24 * time.Hour)}, Limit: math.MaxInt})
	if err != nil {
		return nil, err
	}
	var tallies []domain.EpisodeTally
	for _, r := range fitting {
		failures := 0
		if r.Outcome != domain.OutcomeReachedGoal {
			failures = 1
		}
		same := func(t domain.EpisodeTally) bool {
			return t.ModelID == r.ModelID && t.Baseline == r.Baseline && t.MazeID == r.MazeID
		}
		if at := slices.IndexFunc(tallies, same); at >= 0 {
			tallies[at].Episodes++
			tallies[at].Failures += failures
		} else {
			tallies = append(tallies, domain.EpisodeTally{ModelID: r.ModelID, Baseline: r.Baseline, MazeID: r.MazeID, Episodes: 1, Failures: failures})
		}
	}
	return tallies, nil
}

// of are the ids of a day's episodes.
func (l *memoryLog) of(day time.Time) []string {
	var ids []string
	for id, r := range l.records {
		if r.Timestamp.UTC().Format(time.DateOnly) == day.UTC().Format(time.DateOnly) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (l *memoryLog) CountEpisodes(_ context.Context, day time.Time) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.of(day))), l.findErr
}

func (l *memoryLog) DeleteEpisodes(_ context.Context, day time.Time) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.findErr != nil {
		return 0, l.findErr
	}
	ids := l.of(day)
	for _, id := range ids {
		delete(l.records, id)
	}
	return int64(len(ids)), nil
}

func TestMemoryLogKeepsTheContractOfTheRealOne(t *testing.T) {
	contract.EpisodeLogContract(t, func(*testing.T) (domain.EpisodeLog, func() int) {
		l := &memoryLog{records: map[string]domain.EpisodeRecord{}}
		return l, func() int { return len(l.records) }
	})
	contract.EpisodeListContract(t, func(*testing.T) domain.EpisodeLog {
		return &memoryLog{records: map[string]domain.EpisodeRecord{}}
	})
	contract.EpisodeTalliesContract(t, func(*testing.T) contract.TalliedLog {
		return &memoryLog{records: map[string]domain.EpisodeRecord{}}
	})
	contract.EpisodePrunerContract(t, func(*testing.T) contract.PrunedLog {
		return &memoryLog{records: map[string]domain.EpisodeRecord{}}
	})
}

// memoryStore holds the bundles of models; an entry of broken makes loading fail.
type memoryStore struct {
	mu        sync.Mutex
	bundles   map[string]domain.ModelBundle
	broken    map[string]error
	defaultID string
	err       error
	loads     int
}

func (s *memoryStore) ScanModels(context.Context) ([]domain.ModelBundle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var bundles []domain.ModelBundle
	for id, b := range s.bundles {
		if broken, ok := errors.AsType[*domain.Error](s.broken[id]); ok {
			b.Model.State, b.Model.StateReason = domain.ModelStateBroken, broken.Message
		}
		bundles = append(bundles, b)
	}
	slices.SortFunc(bundles, func(a, b domain.ModelBundle) int { return strings.Compare(a.Model.ID, b.Model.ID) })
	return bundles, s.err
}

func (s *memoryStore) LoadModel(_ context.Context, id string) (domain.ModelBundle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	if s.err != nil {
		return domain.ModelBundle{}, s.err
	}
	b, ok := s.bundles[id]
	if !ok {
		return domain.ModelBundle{}, domain.ErrModelNotFound
	}
	return b, s.broken[id]
}

func (s *memoryStore) DefaultModelID(context.Context) (string, error) { return s.defaultID, s.err }

// add puts a whole model into the store.
func (s *memoryStore) add(name string, version int) domain.Model {
	m := contract.ReadyModel(name, version)
	m.Observation = domain.ObservationTrail
	b := domain.ModelBundle{Model: m, ONNX: []byte(m.ID)}
	for i := range 3 {
		v := domain.ParityVector{}
		v.Observation[7], v.Observation[13] = float32(i)/4, -1
		scoreScripted(v.Observation[:], v.ActionScores[:], &v.StateValue)
		b.Parity = append(b.Parity, v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bundles[m.ID] = b
	return m
}

// scriptedLoader makes networks that follow a script instead of weights.
type scriptedLoader struct {
	mu       sync.Mutex
	networks map[string][]*scriptedNetwork // by the bytes of the file
	err      error
	prepare  func(*scriptedNetwork)
}

func (l *scriptedLoader) LoadNetwork(onnx []byte) (domain.Network, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	n := &scriptedNetwork{}
	if l.prepare != nil {
		l.prepare(n)
	}
	l.networks[string(onnx)] = append(l.networks[string(onnx)], n)
	return n, nil
}

// last is the network that was loaded last for a model.
func (l *scriptedLoader) last(id string) *scriptedNetwork {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.networks[id]
	return all[len(all)-1]
}

// scriptedNetwork goes to the neighbour that looks best, so that on trail/1 it explores and finds its way. It checks that it is not used after Close.
type scriptedNetwork struct {
	closed atomic.Int32
	err    atomic.Pointer[error]
	bias   float32 // on the first score
	infers atomic.Int64
}

func scoreScripted(observation, scores []float32, value *float32) {
	for a, at := range [4]int{7, 17, 11, 13} {
		scores[a] = observation[at] - float32(a)/1000
	}
	*value = observation[12]
}

func (n *scriptedNetwork) Infer(observations, scores, values []float32) error {
	if n.closed.Load() > 0 {
		panic("a closed network was used")
	}
	if err := n.err.Load(); err != nil {
		return *err
	}
	n.infers.Add(1)
	for i := range values {
		scoreScripted(observations[25*i:], scores[4*i:], &values[i])
		scores[4*i] += n.bias
	}
	return nil
}

func (n *scriptedNetwork) Opset() int { return 18 }

func (n *scriptedNetwork) Close() error {
	if n.closed.Add(1) > 1 {
		panic("a network was closed twice")
	}
	return nil
}

// memoryCatalog holds one set of drawn mazes.
type memoryCatalog struct{ set domain.MazeSet }

func newMemoryCatalog(t testing.TB) *memoryCatalog {
	c := &memoryCatalog{set: domain.MazeSet{ID: "puzzles"}}
	for id, rows := range map[string][]string{
		"puzzle-corridor": {"S....", "####.", "G...."},
		"puzzle-fork":     {"S...#", ".##.#", ".#..G", ".##.#", "....#"},
		"puzzle-hidden":   {"S.#.....", "..#.###.", "......#.", ".###..#.", ".#G#..#.", ".#.#.##.", ".#......", "......#."},
	} {
		m, problems := domain.ParseMaze(rows)
		if problems != nil {
			t.Fatal(id, problems)
		}
		m.ID, m.SetID = id, c.set.ID
		c.set.Mazes = append(c.set.Mazes, m)
	}
	slices.SortFunc(c.set.Mazes, func(a, b *domain.Maze) int { return strings.Compare(a.ID, b.ID) })
	return c
}

func (c *memoryCatalog) MazeSets() []domain.MazeSet { return []domain.MazeSet{c.set} }

func (c *memoryCatalog) FindMaze(id string) (*domain.Maze, bool) {
	for _, m := range c.set.Mazes {
		if m.ID == id {
			return m, true
		}
	}
	return nil, false
}

func (c *memoryCatalog) FindMazeByHash(hash string) (*domain.Maze, bool) {
	for _, m := range c.set.Mazes {
		if m.Hash() == hash {
			return m, true
		}
	}
	return nil, false
}

type memorySecrets struct {
	secret []byte
	err    error
	asked  int
}

func (s *memorySecrets) ResumeSecret(context.Context) ([]byte, error) {
	s.asked++
	return s.secret, s.err
}

// bench is a server's worth of fakes with model "first-1" active and "second-1" registered.
type bench struct {
	registry *memoryRegistry
	store    *memoryStore
	loader   *scriptedLoader
	log      *memoryLog
	secrets  *memorySecrets
	models   *LoadedModels
	deps     EpisodeDeps
	run      *RunEpisode
	register *RegisterShippedModels
	activate *SetActiveModel
}

func newBench(t testing.TB) *bench {
	b := &bench{
		registry: newMemoryRegistry(),
		store:    &memoryStore{bundles: map[string]domain.ModelBundle{}, broken: map[string]error{}, defaultID: "first-1"},
		loader:   &scriptedLoader{networks: map[string][]*scriptedNetwork{}},
		log:      &memoryLog{records: map[string]domain.EpisodeRecord{}},
		secrets:  &memorySecrets{secret: []byte("0123456789abcdef0123456789abcdef")},
	}
	b.store.add("first", 1)
	b.store.add("second", 1)
	b.models = NewLoadedModels(b.registry, b.store, b.loader)
	b.register = &RegisterShippedModels{Registry: b.registry, Store: b.store, Models: b.models}
	b.activate = &SetActiveModel{Registry: b.registry, Models: b.models}
	b.deps = EpisodeDeps{
		Catalog:  newMemoryCatalog(t),
		Models:   b.models,
		Log:      b.log,
		Secrets:  b.secrets,
		Counters: &Counters{},
		Capacity: NewCapacity(Limits{}),
		Now:      time.Now,
	}
	b.run = NewRunEpisode(b.deps)
	if out, err := b.register.Run(context.Background()); err != nil || out.NotActive != nil || out.Registered != 2 {
		t.Fatalf("register: %+v, %v", out, err)
	}
	return b
}

// played is what one stream gave, copied.
type played struct {
	started    *EpisodeStarted
	steps      []Step
	messages   [][]Step
	at         []time.Time // when each message came
	finished   *EpisodeFinished
	heartbeats []time.Time
	err        error
}

// play ranges over a whole stream.
func (b *bench) play(ctx context.Context, in RunEpisodeInput) played {
	var p played
	for event, err := range b.run.Run(ctx, in) {
		if err != nil {
			p.err = err
			break
		}
		p.take(event)
	}
	return p
}

func (p *played) take(event Event) {
	switch {
	case event.Started != nil:
		p.started = event.Started
	case event.Finished != nil:
		p.finished = event.Finished
	case event.Heartbeat != nil:
		p.heartbeats = append(p.heartbeats, time.Now())
	default:
		message := slices.Clone(event.Steps)
		p.steps = append(p.steps, message...)
		p.messages = append(p.messages, message)
		p.at = append(p.at, time.Now())
	}
}

func (p played) actions() []byte {
	actions := make([]byte, len(p.steps))
	for i, s := range p.steps {
		actions[i] = byte(s.Action)
	}
	return actions
}
