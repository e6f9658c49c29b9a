package usecase

import (
	"context"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Limits bound the work that callers can ask for at one time. Zero values mean the defaults.
type Limits struct {
	Streams int           // open episode streams; 4096 by default
	Replays int           // replays to after_step at one time; 8 by default
	Maps    int           // policy maps computed at one time; 8 by default
	Lists   int           // walks through the log at one time; 8 by default
	Wait    time.Duration // how long a replay, a map or a walk may wait for its turn; 5 s by default

	Evaluations int // evaluations of whole sets at one time, each of which takes a core; 2 by default
}

func (l Limits) withDefaults() Limits {
	set := func(n *int, byDefault int) {
		if *n <= 0 {
			*n = byDefault
		}
	}
	set(&l.Streams, 4096)
	set(&l.Replays, 8)
	set(&l.Maps, 8)
	set(&l.Lists, 8)
	set(&l.Evaluations, 2)
	if l.Wait <= 0 {
		l.Wait = 5 * time.Second
	}
	return l
}

// Capacity is the shared, counted room for that work.
type Capacity struct {
	streams, replays, maps, lists, evaluations semaphore
}

// NewCapacity makes the room.
func NewCapacity(l Limits) *Capacity {
	l = l.withDefaults()
	return &Capacity{
		streams: semaphore{slots: make(chan struct{}, l.Streams), full: "too many open streams"},
		replays: semaphore{slots: make(chan struct{}, l.Replays), full: "too many replays at once", wait: l.Wait},
		maps:    semaphore{slots: make(chan struct{}, l.Maps), full: "too many policy maps at once", wait: l.Wait},
		lists:   semaphore{slots: make(chan struct{}, l.Lists), full: "too many lists of the log at once", wait: l.Wait},

		evaluations: semaphore{slots: make(chan struct{}, l.Evaluations), full: "too many evaluations at once"},
	}
}

type semaphore struct {
	slots chan struct{}
	full  string
	wait  time.Duration
}

// acquire takes a slot, waiting for one if the semaphore allows it. The error is CodeResourceExhausted with rule "capacity.full", or the context's cause.
func (s *semaphore) acquire(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	if s.wait > 0 {
		timer := time.NewTimer(s.wait)
		defer timer.Stop()
		select {
		case s.slots <- struct{}{}:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
	return &domain.Error{Code: domain.CodeResourceExhausted, Rule: "capacity.full", Message: s.full + "; try again in a moment"}
}

// tryAcquire takes a slot if one is free.
func (s *semaphore) tryAcquire() bool {
	select {
	case s.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *semaphore) release() { <-s.slots }
