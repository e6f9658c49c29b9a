package usecase

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// idleModels is how many models that are not active stay in memory after their last episode, so that comparing a few models does not
// load them again for each episode.
const idleModels = 4

// LoadedModels are the networks in memory. Each counts its users: it is closed when it is neither active nor kept and its last episode has
// ended. Safe for concurrent use.
type LoadedModels struct {
	registry domain.ModelRegistry
	store    domain.ModelStore
	loader   domain.NetworkLoader

	active atomic.Pointer[loadedModel] // nil when none is active or the active one can't be loaded
	open   atomic.Int64
	swaps  atomic.Int64

	mu   sync.Mutex
	kept []*loadedModel // not active ones, least recently used first; each holds one use

	changing sync.Mutex // held while a model is loaded or the active one is changed
}

// NewLoadedModels starts with none.
func NewLoadedModels(registry domain.ModelRegistry, store domain.ModelStore, loader domain.NetworkLoader) *LoadedModels {
	return &LoadedModels{registry: registry, store: store, loader: loader}
}

// loadedModel is a model with its network.
type loadedModel struct {
	model   domain.Model
	network domain.Network
	parity  domain.ParityEvidence // measured when it was loaded
	uses    atomic.Int64          // 0 means closed
	closed  func()
}

// use counts a user in; false when the network is closed already.
func (l *loadedModel) use() bool {
	for {
		n := l.uses.Load()
		if n == 0 {
			return false
		}
		if l.uses.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release counts a user out and closes the network after the last one.
func (l *loadedModel) release() {
	if l.uses.Add(-1) == 0 {
		_ = l.network.Close() // nobody is left to be told
		l.closed()
	}
}

// ActiveModelID is the model that new episodes get when they name none; empty when none is loaded.
func (s *LoadedModels) ActiveModelID() string {
	if l := s.active.Load(); l != nil {
		return l.model.ID
	}
	return ""
}

// Switches counts how often the active model of this instance has changed; the first one, and that none is active any more, are no switches.
func (s *LoadedModels) Switches() int64 { return s.swaps.Load() }

// Loaded is the number of networks in memory.
func (s *LoadedModels) Loaded() int64 { return s.open.Load() }

// acquire returns the model with that id, or the active one where id is empty; release must be called once.
// Errors: CodeFailedPrecondition when no model is active; ErrModelNotFound; ErrModelBroken; CodeUnavailable when the registry was never there
// to say which one is active.
func (s *LoadedModels) acquire(ctx context.Context, id string) (*loadedModel, error) {
	for {
		l := s.active.Load()
		if l == nil || id != "" && l.model.ID != id {
			break
		}
		if l.use() {
			return l, nil
		}
	}
	if id == "" {
		if _, err := s.registry.ActiveModel(ctx); domain.CodeOf(err) == domain.CodeUnavailable {
			return nil, err // It was away since the start: which model is active is not known, and will be.
		}
		return nil, &domain.Error{Code: domain.CodeFailedPrecondition, Field: "policy", Rule: domain.ErrNoActiveModel.Rule, Message: "no model is active; name one, or activate one with SetActiveModel"}
	}
	if l := s.findKept(id); l != nil {
		return l, nil
	}
	load, err := s.findRegistered(ctx, id) // before the lock: a registry that hangs, and ids that do not exist, hold up nobody else
	if err != nil {
		return nil, err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if l := s.active.Load(); l != nil && l.model.ID == id && l.use() {
		return l, nil
	}
	if l := s.findKept(id); l != nil {
		return l, nil
	}
	l, err := load()
	if err != nil {
		return nil, err
	}
	l.uses.Add(1)
	s.keep(l)
	return l, nil
}

// findKept returns a kept model, counted in, and makes it the most recently used.
func (s *LoadedModels) findKept(id string) *loadedModel {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range s.kept {
		if l.model.ID == id {
			copy(s.kept[i:], s.kept[i+1:])
			s.kept[len(s.kept)-1] = l
			l.uses.Add(1) // it can't be closed: being kept is a use
			return l
		}
	}
	return nil
}

// keep takes over one use of the model, and lets go of the least recently used ones beyond the limit.
func (s *LoadedModels) keep(l *loadedModel) {
	s.mu.Lock()
	s.kept = append(s.kept, l)
	var dropped []*loadedModel
	if n := len(s.kept) - idleModels; n > 0 {
		dropped = append(dropped, s.kept[:n]...)
		s.kept = append(s.kept[:0:0], s.kept[n:]...)
	}
	s.mu.Unlock()
	for _, d := range dropped {
		d.release()
	}
}

// takeKept removes the model from the kept ones and hands its use over; nil when it is not kept.
func (s *LoadedModels) takeKept(id string) *loadedModel {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, l := range s.kept {
		if l.model.ID == id {
			s.kept = append(s.kept[:i:i], s.kept[i+1:]...)
			return l
		}
	}
	return nil
}

// findRegistered returns how to load a model that the registry knows. While the registry is away the store alone decides, so that episodes
// still run.
func (s *LoadedModels) findRegistered(ctx context.Context, id string) (load func() (*loadedModel, error), err error) {
	m, err := s.registry.GetModel(ctx, id)
	switch {
	case domain.CodeOf(err) == domain.CodeUnavailable:
		return func() (*loadedModel, error) {
			bundle, err := s.store.LoadModel(ctx, id)
			if err != nil {
				return nil, err
			}
			return s.loadBundle(bundle)
		}, nil
	case err != nil:
		return nil, err
	case m.State == domain.ModelStateBroken:
		return nil, domain.BrokenModel(fmt.Sprintf("model %s is broken: %s", id, m.StateReason), nil)
	}
	return func() (*loadedModel, error) { return s.loadOrBreak(ctx, m) }, nil
}

// reasonGone is why a registered model whose files are no longer there is broken.
const reasonGone = "its folder is gone"

// load reads the model's file again, requires it to be the one that was registered, and checks what it computes.
func (s *LoadedModels) load(ctx context.Context, m domain.Model) (*loadedModel, error) {
	bundle, err := s.store.LoadModel(ctx, m.ID)
	if errors.Is(err, domain.ErrModelNotFound) {
		return nil, domain.BrokenModel(reasonGone, err)
	}
	if err != nil {
		return nil, err
	}
	if m.SHA256 != "" && bundle.Model.SHA256 != m.SHA256 { // empty when its manifest could not be read at the registration
		return nil, domain.BrokenModel("its file is not the one that was registered", nil)
	}
	return s.loadBundle(bundle)
}

// loadBundle loads the network and replays its parity vectors. The result has one use.
func (s *LoadedModels) loadBundle(b domain.ModelBundle) (*loadedModel, error) {
	network, err := s.loader.LoadNetwork(b.ONNX)
	if err != nil {
		return nil, err
	}
	if said, is := b.Model.Opset, network.Opset(); said != is {
		_ = network.Close() // the difference says more
		return nil, domain.BrokenModel(fmt.Sprintf("its manifest.json says opset %d and its network asks for %d", said, is), &domain.NetworkFault{Rule: "model.opset"})
	}
	parity, err := checkParity(network, b.Parity)
	if err != nil {
		_ = network.Close() // the parity error says more
		return nil, err
	}
	s.open.Add(1)
	l := &loadedModel{model: b.Model, network: network, parity: parity, closed: func() { s.open.Add(-1) }}
	l.uses.Store(1)
	return l, nil
}

// check loads a bundle whose files are whole, replays its parity vectors and lets go of it. It returns the model, broken with the reason where
// that fails: right files can hold a network of another shape.
func (s *LoadedModels) check(b domain.ModelBundle) domain.Model {
	if b.Model.State == domain.ModelStateBroken {
		return b.Model
	}
	err := s.tryOut(b)
	if err == nil {
		return b.Model
	}
	broken := domain.ErrModelBroken
	if known, ok := errors.AsType[*domain.Error](err); ok {
		broken = known
	}
	b.Model.State, b.Model.StateReason = domain.ModelStateBroken, broken.Message
	return b.Model
}

// tryOut loads a bundle, replays its parity vectors and lets go of it. Errors: ErrModelBroken with the reason, errParity among its causes where
// the network computes something else.
func (s *LoadedModels) tryOut(b domain.ModelBundle) error {
	l, err := s.loadBundle(b)
	if err == nil {
		l.release()
	}
	return err
}

// errParity is the cause of a broken model whose network does not compute what its vectors say.
var errParity = errors.New("parity")

// parityError carries the numbers of a failed parity check. It is errParity.
type parityError struct {
	evidence domain.ParityEvidence
	cause    error // why the network failed to compute; nil where it computed something else
}

func (e *parityError) Error() string { return errors.Join(errParity, e.cause).Error() }

// Unwrap returns errParity, and the cause where there is one.
func (e *parityError) Unwrap() []error {
	if e.cause == nil {
		return []error{errParity}
	}
	return []error{errParity, e.cause}
}

// immeasurable stands for a deviation that is no number.
const immeasurable = 1e308

// checkParity replays what PyTorch computed. It returns ErrModelBroken with the reason, and a parityError among its causes.
func checkParity(network domain.Network, vectors []domain.ParityVector) (domain.ParityEvidence, error) {
	var evidence domain.ParityEvidence
	fail := func(reason string, cause error) (domain.ParityEvidence, error) {
		return evidence, domain.BrokenModel(reason, &parityError{evidence: evidence, cause: cause})
	}
	if len(vectors) == 0 {
		return fail("it has no parity vectors", nil)
	}
	measure := func(got, want float32) {
		deviation := math.Abs(float64(got)-float64(want)) / max(1, math.Abs(float64(want)))
		if math.IsNaN(deviation) || math.IsInf(deviation, 0) {
			deviation = immeasurable
		}
		evidence.LargestDeviation = max(evidence.LargestDeviation, deviation)
	}
	var scores, value = make([]float32, 4), make([]float32, 1)
	for i, v := range vectors {
		evidence.Vectors = i + 1
		if err := network.Infer(v.Observation[:], scores, value); err != nil {
			return fail(fmt.Sprintf("it failed on parity vector %d", i), err)
		}
		got := domain.ActionScores{Values: [4]float32(scores), StateValue: value[0]}
		want := domain.ActionScores{Values: v.ActionScores}
		measure(got.StateValue, v.StateValue)
		for a := range 4 {
			measure(got.Values[a], v.ActionScores[a])
		}
		if evidence.LargestDeviation > domain.ParityTolerance || got.Choose(domain.Sampling{}, 0, 0) != want.Choose(domain.Sampling{}, 0, 0) {
			return fail(fmt.Sprintf("it failed its parity check: vector %d gives other scores than at its export", i), nil)
		}
	}
	return evidence, nil
}

// swap makes l, with one use that it takes over, the active model; nil means that none is loaded. The old one is closed after its last episode.
func (s *LoadedModels) swap(l *loadedModel) {
	if old := s.active.Swap(l); old != nil {
		if l != nil {
			s.swaps.Add(1)
		}
		old.release()
	}
}

// LoadActive loads the model that the registry names as active, unless it is loaded already. Errors: ErrNoActiveModel; ErrModelBroken, whose
// reason is also written to the registry; CodeUnavailable.
func (s *LoadedModels) LoadActive(ctx context.Context) error { return s.loadActive(ctx, s.prepare) }

// followActive is LoadActive of a switch that another instance made. A model that only this instance can't load is not broken for all, so
// nothing is written to the registry.
func (s *LoadedModels) followActive(ctx context.Context) error {
	return s.loadActive(ctx, func(ctx context.Context, m domain.Model) (*loadedModel, error) {
		if l := s.takeKept(m.ID); l != nil {
			return l, nil
		}
		return s.load(ctx, m)
	})
}

func (s *LoadedModels) loadActive(ctx context.Context, prepare func(context.Context, domain.Model) (*loadedModel, error)) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	activation, err := s.registry.ActiveModel(ctx)
	if err != nil {
		return err
	}
	if s.ActiveModelID() == activation.ModelID {
		return nil
	}
	m, err := s.registry.GetModel(ctx, activation.ModelID)
	if err != nil {
		return err
	}
	l, err := prepare(ctx, m)
	if err != nil {
		s.swap(nil) // another instance may have switched away from what this one has
		return err
	}
	s.swap(l)
	return nil
}

// switchTo prepares the model, lets commit make it the active one in the registry, and swaps. Where commit fails nothing is changed. The caller
// holds changing.
func (s *LoadedModels) switchTo(ctx context.Context, m domain.Model, commit func(domain.ParityEvidence) (domain.Activation, error)) (domain.Activation, error) {
	if l := s.active.Load(); l != nil && l.model.ID == m.ID {
		return commit(l.parity)
	}
	l, err := s.prepare(ctx, m)
	if err != nil {
		return domain.Activation{}, err
	}
	activation, err := commit(l.parity)
	if err != nil {
		l.release()
		return domain.Activation{}, err
	}
	s.swap(l)
	return activation, nil
}

// prepare returns the model with a use to take over, loaded and checked. It keeps the registry's state of the model true: broken with the reason, or ready again.
func (s *LoadedModels) prepare(ctx context.Context, m domain.Model) (*loadedModel, error) {
	if l := s.takeKept(m.ID); l != nil {
		return l, nil
	}
	l, err := s.loadOrBreak(ctx, m)
	if err != nil {
		return nil, err
	}
	if m.State == domain.ModelStateBroken { // its files are whole again
		if err := s.registry.RegisterModel(ctx, l.model); err != nil {
			l.release()
			return nil, err
		}
	}
	return l, nil
}

// loadOrBreak is load; a model that turns out to be broken is so in the registry, too.
func (s *LoadedModels) loadOrBreak(ctx context.Context, m domain.Model) (*loadedModel, error) {
	l, err := s.load(ctx, m)
	if errors.Is(err, domain.ErrModelBroken) {
		broken, _ := errors.AsType[*domain.Error](err)
		m.State, m.StateReason = domain.ModelStateBroken, broken.Message
		err = errors.Join(err, s.registry.RegisterModel(ctx, m))
	}
	return l, err
}

// Close lets go of all models; each is closed after its last episode.
func (s *LoadedModels) Close() {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.swap(nil)
	s.mu.Lock()
	kept := s.kept
	s.kept = nil
	s.mu.Unlock()
	for _, l := range kept {
		l.release()
	}
}
