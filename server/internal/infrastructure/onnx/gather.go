package onnx

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Hundreds of live streams wake at the same moments and each asks for one observation. A call costs some four microseconds, of which a
// further row is a tenth, so calls that are ready at the same time go through the network together: the first one steps aside once, lets
// everybody else who is ready to run come forward, and then runs all rows in one call. A lone caller pays for none of this but a lock.
const (
	// mostRows of one call. 64 rows take about 20 µs, which is how long the first caller may have to wait.
	mostRows = 64
	// aloneRetry is how many lone calls pass before it is tried again whether there is company.
	aloneRetry = 8
)

// gatherer brings simultaneous callers of one network together.
type gatherer struct {
	session   *ort.DynamicAdvancedSession
	counts    *counts
	company   atomic.Bool // the last gathering was joined
	gathering atomic.Bool // one is open now
	alone     atomic.Uint32

	mu   sync.Mutex
	open *rows   // takes callers in; nil while nobody gathers
	idle []*rows // as many as were ever in use at once
}

// rows are the observations of one gathering and their results, with a binding to the session for each number of rows that was needed.
type rows struct {
	session  *ort.DynamicAdvancedSession
	bindings [mostRows + 1]*binding
	input    []float32
	scores   []float32
	values   []float32

	count int           // guarded by gatherer.mu while open
	done  chan struct{} // closed when the results are there; nil until someone joins
	err   error
	users atomic.Int32 // who still reads; the last one gives the rows back
}

func newRows(session *ort.DynamicAdvancedSession) *rows {
	return &rows{
		session: session,
		input:   make([]float32, mostRows*domain.ObservationLength),
		scores:  make([]float32, mostRows*scoreCount),
		values:  make([]float32, mostRows),
	}
}

func (r *rows) destroy() {
	for _, b := range r.bindings {
		if b != nil {
			b.destroy()
		}
	}
}

// run scores the rows that are in.
func (r *rows) run() error {
	b := r.bindings[r.count]
	if b == nil {
		var err error
		n := int64(r.count)
		b, err = bind(r.session, n, r.input[:n*domain.ObservationLength], r.scores[:n*scoreCount], r.values[:n])
		if err != nil {
			return err
		}
		r.bindings[r.count] = b
	}
	return r.session.RunWithBinding(b.binding)
}

// worthWhile tells whether the caller should look for company: when somebody gathers, when there was company a moment ago, and now and
// then to see.
func (g *gatherer) worthWhile() bool {
	return g.company.Load() || g.gathering.Load() || g.alone.Add(1)%aloneRetry == 0
}

// infer scores one observation together with whoever else is about to.
func (g *gatherer) infer(observation, scores, value []float32) error {
	r, row := g.enter(observation)
	if row == 0 {
		runtime.Gosched() // Whoever is ready to run gets here first.
		g.closeGathering(r)
		g.company.Store(r.count > 1)
		began := time.Now()
		r.err = r.run()
		g.counts.call(r.count, began)
		if r.done != nil {
			close(r.done)
		}
	} else {
		<-r.done
	}
	err := r.err
	if err == nil {
		copy(scores, r.scores[row*scoreCount:(row+1)*scoreCount])
		value[0] = r.values[row]
	}
	if r.users.Add(-1) == 0 {
		g.giveBack(r)
	}
	return err
}

// enter adds the observation to the open gathering, or opens one. It returns the caller's row; row 0 leads.
func (g *gatherer) enter(observation []float32) (r *rows, row int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r = g.open; r == nil {
		r = g.take()
		g.open = r
		g.gathering.Store(true)
	} else if r.done == nil {
		r.done = make(chan struct{})
	}
	row = r.count
	r.count++
	r.users.Add(1)
	copy(r.input[row*domain.ObservationLength:], observation)
	if r.count == mostRows {
		g.open = nil
	}
	return r, row
}

// take returns rows that are in nobody's use; the caller holds mu.
func (g *gatherer) take() *rows {
	last := len(g.idle) - 1
	if last < 0 {
		return newRows(g.session)
	}
	r := g.idle[last]
	g.idle = g.idle[:last]
	r.count, r.done, r.err = 0, nil, nil
	return r
}

func (g *gatherer) closeGathering(r *rows) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == r {
		g.open = nil
	}
	g.gathering.Store(g.open != nil)
}

func (g *gatherer) giveBack(r *rows) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = append(g.idle, r)
}

// destroy frees all rows; nobody may be inferring.
func (g *gatherer) destroy() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.idle {
		r.destroy()
	}
	g.idle = nil
}

// gathersExactly tells whether a row's result has the same bits in whatever company it is computed. Resumed and replayed episodes depend
// on that; ONNX Runtime does not promise it, so it is tried on the loaded network, on this processor, for every number of rows.
func gathersExactly(session *ort.DynamicAdvancedSession) bool {
	r, single := newRows(session), newRows(session)
	defer r.destroy()
	defer single.destroy()
	state := domain.NewSplitMix64(1)
	for i := range r.input {
		r.input[i] = float32(state.Next()>>40)/(1<<23) - 1 // in [-1, 1), as observations are
	}
	var wanted [mostRows * (scoreCount + 1)]uint32
	single.count = 1
	for row := range mostRows {
		copy(single.input, r.input[row*domain.ObservationLength:(row+1)*domain.ObservationLength])
		if single.run() != nil {
			return false
		}
		bitsOf(single, 0, wanted[row*(scoreCount+1):])
	}
	for r.count = 2; r.count <= mostRows; r.count++ {
		if r.run() != nil {
			return false
		}
		for row := range r.count {
			var got [scoreCount + 1]uint32
			bitsOf(r, row, got[:])
			if got != [scoreCount + 1]uint32(wanted[row*(scoreCount+1):]) {
				return false
			}
		}
	}
	return true
}

func bitsOf(r *rows, row int, to []uint32) {
	for i, score := range r.scores[row*scoreCount : (row+1)*scoreCount] {
		to[i] = math.Float32bits(score)
	}
	to[scoreCount] = math.Float32bits(r.values[row])
}
