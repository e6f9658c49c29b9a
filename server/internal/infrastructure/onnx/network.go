package onnx

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// network is one session, shared by all goroutines. It keeps as many sets of batch-1 tensors as goroutines ever infer at once, up to twice the number of processors.
type network struct {
	session  *ort.DynamicAdvancedSession
	opset    int
	handy    atomic.Pointer[single] // one of the idle ones, within reach of an atomic exchange
	idle     chan *single
	gatherer *gatherer // nil where gathered rows would not have the bits of single ones
	closed   atomic.Bool
	counts   *counts
}

func newNetwork(session *ort.DynamicAdvancedSession, opset int, counts *counts) *network {
	n := &network{session: session, opset: opset, idle: make(chan *single, 2*runtime.GOMAXPROCS(0)), counts: counts}
	if gathersExactly(session) {
		n.gatherer = &gatherer{session: session, counts: counts}
	}
	return n
}

// single is a set of tensors for one observation, bound to the session once.
type single struct {
	*binding
	input  []float32
	scores []float32
	value  []float32
}

// binding ties tensors over slices of ours to the session, so that a call needs nothing but the call.
type binding struct {
	binding *ort.IoBinding
	tensors [3]*ort.Tensor[float32]
}

// Opset implements domain.Network.
func (n *network) Opset() int { return n.opset }

// Infer scores n observations. For n = 1 it allocates nothing once as many goroutines as now have inferred before.
func (n *network) Infer(observations, scores, values []float32) error {
	batch := len(observations) / domain.ObservationLength
	if batch == 0 || len(observations) != batch*domain.ObservationLength || len(scores) != batch*scoreCount || len(values) != batch {
		return fmt.Errorf("infer: %d observations' values, %d scores and %d state values do not fit together", len(observations), len(scores), len(values))
	}
	if n.closed.Load() {
		return errors.New("infer: the network is closed")
	}
	if batch > 1 {
		return n.inferBatch(int64(batch), observations, scores, values)
	}
	if n.gatherer != nil && n.gatherer.worthWhile() {
		if err := n.gatherer.infer(observations, scores, values); err != nil {
			return fmt.Errorf("infer: %w", err)
		}
		return nil
	}
	s, err := n.take()
	if err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	copy(s.input, observations)
	// Of lone calls the gatherer takes, and times, one in so many itself.
	timed := n.counts.lone.Add(1)%aloneRetry == 0 && n.gatherer == nil
	var began time.Time
	if timed {
		began = time.Now()
	}
	if err := n.session.RunWithBinding(s.binding.binding); err != nil {
		s.destroy()
		return fmt.Errorf("infer: %w", err)
	}
	if timed {
		n.counts.time(began)
	}
	copy(scores, s.scores)
	values[0] = s.value[0]
	n.give(s)
	return nil
}

func (n *network) take() (*single, error) {
	if s := n.handy.Swap(nil); s != nil {
		return s, nil
	}
	select {
	case s := <-n.idle:
		return s, nil
	default:
		return newSingle(n.session)
	}
}

func (n *network) give(s *single) {
	if n.handy.CompareAndSwap(nil, s) {
		return
	}
	select {
	case n.idle <- s:
	default:
		s.destroy()
	}
}

func newSingle(session *ort.DynamicAdvancedSession) (*single, error) {
	s := &single{input: make([]float32, domain.ObservationLength), scores: make([]float32, scoreCount), value: make([]float32, 1)}
	b, err := bind(session, 1, s.input, s.scores, s.value)
	if err != nil {
		return nil, err
	}
	s.binding = b
	return s, nil
}

// bind ties the slices, which must live as long as the binding, to inputs and outputs of n rows.
func bind(session *ort.DynamicAdvancedSession, n int64, input, scores, values []float32) (b *binding, err error) {
	b = &binding{}
	defer func() {
		if err != nil {
			b.destroy()
		}
	}()
	if b.binding, err = session.CreateIoBinding(); err != nil {
		return nil, err
	}
	for i, data := range [][]float32{input, scores, values} {
		if b.tensors[i], err = ort.NewTensor(ort.NewShape(n, int64(len(data))/n), data); err != nil {
			return nil, err
		}
	}
	if err = b.binding.BindInput(inputName, b.tensors[0]); err != nil {
		return nil, err
	}
	if err = b.binding.BindOutput(scoresName, b.tensors[1]); err != nil {
		return nil, err
	}
	return b, b.binding.BindOutput(valueName, b.tensors[2])
}

func (b *binding) destroy() {
	if b.binding != nil {
		_ = b.binding.Destroy() // it never fails
	}
	for _, t := range b.tensors {
		if t != nil {
			_ = t.Destroy() // nor does this
		}
	}
}

// inferBatch makes its tensors over the caller's slices, so that nothing is copied.
func (n *network) inferBatch(batch int64, observations, scores, values []float32) error {
	input, err := ort.NewTensor(ort.NewShape(batch, domain.ObservationLength), observations)
	if err != nil {
		return fmt.Errorf("infer a batch of %d: %w", batch, err)
	}
	defer func() { _ = input.Destroy() }()
	scoresOut, err := ort.NewTensor(ort.NewShape(batch, scoreCount), scores)
	if err != nil {
		return fmt.Errorf("infer a batch of %d: %w", batch, err)
	}
	defer func() { _ = scoresOut.Destroy() }()
	valuesOut, err := ort.NewTensor(ort.NewShape(batch, 1), values)
	if err != nil {
		return fmt.Errorf("infer a batch of %d: %w", batch, err)
	}
	defer func() { _ = valuesOut.Destroy() }()
	began := time.Now()
	if err := n.session.Run([]ort.Value{input}, []ort.Value{scoresOut, valuesOut}); err != nil {
		return fmt.Errorf("infer a batch of %d: %w", batch, err)
	}
	n.counts.call(int(batch), began)
	return nil
}

// Close frees the session and its tensors. No Infer may be under way; one that comes later gets an error. Closing twice is harmless.
func (n *network) Close() error {
	if n.closed.Swap(true) {
		return nil
	}
	if n.gatherer != nil {
		n.gatherer.destroy()
	}
	if s := n.handy.Swap(nil); s != nil {
		s.destroy()
	}
	for {
		select {
		case s := <-n.idle:
			s.destroy()
		default:
			return n.session.Destroy()
		}
	}
}
