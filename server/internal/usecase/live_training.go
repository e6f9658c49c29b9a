package usecase

import (
	"context"
	"sync"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// WindowLimits bound what is kept in memory of one run that is followed. Zero values mean the defaults.
type WindowLimits struct {
	Events   int // that viewers may lag behind before they get a gap; 2,000 by default, some minutes of a run
	Bytes    int // likewise; 4 MiB by default
	Unstored int // bytes of events that wait for the store, before the trainer has to wait; 16 MiB by default
}

func (l WindowLimits) withDefaults() WindowLimits {
	set := func(n *int, byDefault int) {
		if *n <= 0 {
			*n = byDefault
		}
	}
	set(&l.Events, 2000)
	set(&l.Bytes, 4<<20)
	set(&l.Unstored, 16<<20)
	return l
}

// errHole: a trainer's stream left out events. The stream is opened again.
var errHole = &domain.Error{Code: domain.CodeInternal, Rule: "training.hole", Message: "the trainer's stream left out events"}

// liveTraining is a run that is followed now: its newest events, one window for all its viewers. A viewer is a number, the last event that it has;
// nothing is kept for it, so any number of them cost nothing but what they are sent, and a slow one holds up nobody.
type liveTraining struct {
	limits WindowLimits

	mu        sync.Mutex
	training  domain.Training        // after the newest event; the trainer's word
	kept      domain.Training        // after the last event that is stored
	window    []domain.TrainingEvent // consecutive, up to training.LastSequence; at least all that kept lacks
	bytes     int                    // of the window
	unstored  int                    // bytes of what kept lacks
	changed   chan struct{}          // closed, and made anew, at each change
	unwritten chan struct{}          // holds one token when there is something to store
}

func newLiveTraining(t domain.Training, limits WindowLimits) *liveTraining {
	return &liveTraining{limits: limits.withDefaults(), training: t, kept: t, changed: make(chan struct{}), unwritten: make(chan struct{}, 1)}
}

// wake tells everybody who waits; mu is held.
func (l *liveTraining) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// last is the newest event.
func (l *liveTraining) last() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.training.LastSequence
}

// snapshot is the run after the newest event.
func (l *liveTraining) snapshot() domain.Training {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.training
}

// publish shows events to the viewers and queues them for the store. Events that are known are left out. It waits while too much is unstored: then
// the trainer keeps what comes.
func (l *liveTraining) publish(ctx context.Context, events []domain.TrainingEvent) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.unstored > l.limits.Unstored {
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	for _, e := range events {
		if e.Sequence <= l.training.LastSequence {
			continue
		}
		if e.Sequence != l.training.LastSequence+1 {
			return errHole
		}
		l.training.Apply(e)
		l.training.Settled, l.kept.Settled = nil, nil // its trainer speaks of it
		l.window = append(l.window, e)
		l.bytes += e.Size()
		l.unstored += e.Size()
	}
	l.trim()
	l.wake()
	select {
	case l.unwritten <- struct{}{}:
	default:
	}
	return nil
}

// trim lets go of the oldest events that are stored; mu is held.
func (l *liveTraining) trim() {
	n := 0
	for n < len(l.window) && l.window[n].Sequence <= l.kept.LastSequence && (len(l.window)-n > l.limits.Events || l.bytes > l.limits.Bytes) {
		l.bytes -= l.window[n].Size()
		l.window[n] = domain.TrainingEvent{} // the memory behind the slice lives until it is copied
		n++
	}
	l.window = l.window[n:]
}

// batch returns the oldest events that are not stored, some bytes of them, and the run after them.
func (l *liveTraining) batch(mostBytes int) (domain.Training, []domain.TrainingEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	after := l.kept
	missing := int(l.training.LastSequence - l.kept.LastSequence)
	events := l.window[len(l.window)-missing:]
	size := 0
	for i, e := range events {
		if size += e.Size(); size > mostBytes && i > 0 {
			events = events[:i]
			break
		}
		after.Apply(e)
	}
	return after, append([]domain.TrainingEvent(nil), events...)
}

// stored notes that the events up to this state of the run are stored.
func (l *liveTraining) stored(after domain.Training) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.window {
		if e.Sequence > l.kept.LastSequence && e.Sequence <= after.LastSequence {
			l.unstored -= e.Size()
		}
	}
	facts := l.kept
	l.kept = after
	l.kept.QueuePosition, l.kept.Resumable, l.kept.Settled = facts.QueuePosition, facts.Resumable, facts.Settled
	l.trim()
	l.wake()
}

// takeFacts takes over what events do not say.
func (l *liveTraining) takeFacts(from domain.Training) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.training.TakeFacts(from)
	l.kept.TakeFacts(from)
	l.training.Trainer, l.kept.Trainer = from.Trainer, from.Trainer
}

// settle shows the run as failed, or, with nil, takes that back.
func (l *liveTraining) settle(s *domain.Settlement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (l.training.Settled == nil) == (s == nil) {
		return
	}
	l.training.Settled, l.kept.Settled = s, s
	l.wake()
}

// glance is what a viewer sees of the window.
type glance struct {
	training domain.Training
	events   []domain.TrainingEvent // after the viewer's last one; empty when it has all, or is behind
	behind   bool                   // the viewer's next event is older than the window
	middle   int64                  // where a viewer that fell behind goes on
	changed  <-chan struct{}        // closed at the next change
}

// look returns what comes after a sequence, a bounded number of events.
func (l *liveTraining) look(after int64) glance {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := glance{training: l.training, changed: l.changed}
	first := l.training.LastSequence - int64(len(l.window)) + 1
	switch {
	case after >= l.training.LastSequence:
	case after+1 < first:
		g.behind, g.middle = true, first+int64(len(l.window)/2)-1
	default:
		g.events = atMost(l.window[after+1-first:], viewerEvents, viewerBytes)
		g.events = append([]domain.TrainingEvent(nil), g.events...) // trim writes into the window
	}
	return g
}

// atMost returns the first events, as many as the limits allow, and one at least if there is one.
func atMost(events []domain.TrainingEvent, most, mostBytes int) []domain.TrainingEvent {
	size := 0
	for i, e := range events {
		if size += e.Size(); i > 0 && (i >= most || size > mostBytes) {
			return events[:i]
		}
	}
	return events
}

// liveTrainings are the runs that are followed now.
type liveTrainings struct {
	mu      sync.Mutex
	byRun   map[string]*liveTraining
	changed chan struct{} // closed, and made anew, when one comes or goes
}

func newLiveTrainings() *liveTrainings {
	return &liveTrainings{byRun: map[string]*liveTraining{}, changed: make(chan struct{})}
}

// find returns the run, nil when it is not followed, and a channel that closes when that may have changed.
func (l *liveTrainings) find(runID string) (*liveTraining, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byRun[runID], l.changed
}

// open adds a run; false when it is followed already.
func (l *liveTrainings) open(runID string, live *liveTraining) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byRun[runID] != nil {
		return false
	}
	l.byRun[runID] = live
	l.wake()
	return true
}

// close takes a run out; its viewers go on with what is stored.
func (l *liveTrainings) close(runID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	live := l.byRun[runID]
	delete(l.byRun, runID)
	l.wake()
	if live != nil {
		live.mu.Lock()
		live.wake()
		live.mu.Unlock()
	}
}

func (l *liveTrainings) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}
