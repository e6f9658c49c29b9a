package usecase

import (
	"context"
	"iter"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// One message of a viewer's stream holds so many events at most.
const (
	viewerEvents = 500
	viewerBytes  = 256 << 10
)

// TrainingMessage is one message of a viewer's stream; exactly one field is set.
type TrainingMessage struct {
	Training  *domain.Training
	Events    []domain.TrainingEvent
	Gap       *EventGap
	Heartbeat time.Time
}

// EventGap tells a viewer who read too slowly what was left out.
type EventGap struct{ First, Last int64 }

// WatchTraining streams a run to a viewer: old events from the store, then live ones.
type WatchTraining struct{ Trainers *Trainers }

// Run streams the run, then every event after a sequence, until after the event that made it final, or until it is settled because its trainer is lost.
// Errors: ErrTrainingNotFound; ErrAfterSequence; CodeUnavailable while the store is away; CodeResourceExhausted when there are too many viewers.
func (u *WatchTraining) Run(ctx context.Context, runID string, afterSequence int64) iter.Seq2[TrainingMessage, error] {
	return func(yield func(TrainingMessage, error) bool) {
		leave, err := u.Trainers.admit(ctx)
		if err != nil {
			yield(TrainingMessage{}, err)
			return
		}
		defer leave()
		v := &viewer{trainers: u.Trainers, runID: runID, cursor: afterSequence, yield: yield, lastSent: time.Now()}
		if err := v.run(ctx); err != nil {
			yield(TrainingMessage{}, err)
		}
	}
}

// viewer is one stream. All that it keeps is the last event that it sent.
type viewer struct {
	trainers *Trainers
	runID    string
	cursor   int64
	yield    func(TrainingMessage, error) bool
	lastSent time.Time
	caughtUp bool // it has had all events once: from then on it is told what it misses, instead of reading it from the store
	settled  bool // it was told that the run is settled
	left     bool // the range has ended
}

func (v *viewer) send(m TrainingMessage) bool {
	v.lastSent = time.Now()
	v.left = !v.yield(m, nil)
	return !v.left
}

func (v *viewer) run(ctx context.Context) error {
	training, err := v.begin(ctx)
	if err != nil {
		return err
	}
	v.settled = training.Settled != nil
	shown := training.Shown()
	if !v.send(TrainingMessage{Training: &shown}) {
		return nil
	}
	for {
		live, changed := v.trainers.live.find(v.runID)
		var ended bool
		if live != nil {
			ended, err = v.followed(ctx, live)
		} else {
			ended, err = v.unfollowed(ctx, changed)
		}
		if err != nil || ended || v.left {
			return err
		}
	}
}

// begin returns the run. A viewer that has more events than we know of was served by a server that had not stored them yet: they come again from the
// trainer in a moment.
func (v *viewer) begin(ctx context.Context) (domain.Training, error) {
	patience, cancel := context.WithTimeout(ctx, v.trainers.Times.CatchUp)
	defer cancel()
	for {
		live, changed := v.trainers.live.find(v.runID)
		var training domain.Training
		if live != nil {
			g := live.look(v.cursor)
			training, changed = g.training, g.changed
		} else {
			var err error
			if training, err = v.trainers.Store.GetTraining(ctx, v.runID); err != nil {
				return training, err
			}
		}
		if v.cursor <= training.LastSequence {
			return training, nil
		}
		if live == nil && training.State.Final() {
			return training, domain.ErrAfterSequence
		}
		select {
		case <-changed:
		case <-patience.Done():
			if ctx.Err() != nil {
				return training, context.Cause(ctx)
			}
			return training, domain.ErrAfterSequence
		}
	}
}

// followed does one thing for a run whose window is in memory.
func (v *viewer) followed(ctx context.Context, live *liveTraining) (ended bool, err error) {
	g := live.look(v.cursor)
	switch {
	case len(g.events) > 0:
		return v.show(g.events), nil
	case g.behind && v.caughtUp && g.middle > v.cursor:
		gap := &EventGap{First: v.cursor + 1, Last: g.middle}
		v.cursor = g.middle
		v.send(TrainingMessage{Gap: gap})
		return false, nil
	case g.behind:
		return v.readStored(ctx)
	}
	v.caughtUp = true
	if g.training.State.Final() && v.cursor >= g.training.LastSequence {
		return true, nil
	}
	if g.training.Settled != nil {
		v.tellSettled(g.training)
		return true, nil
	}
	v.settled = false
	return false, v.wait(ctx, g.changed)
}

// readStored sends some events from the store.
func (v *viewer) readStored(ctx context.Context) (ended bool, err error) {
	events, err := v.trainers.Store.ReadEvents(ctx, v.runID, v.cursor)
	if err != nil {
		return false, err
	}
	if len(events) == 0 {
		return false, v.wait(ctx, nil)
	}
	for len(events) > 0 && !v.left && !ended {
		part := atMost(events, viewerEvents, viewerBytes)
		ended = v.show(part)
		events = events[len(part):]
	}
	return ended, nil
}

// unfollowed does one thing for a run that nobody follows here: it has ended, its trainer is lost, or the server has just started.
func (v *viewer) unfollowed(ctx context.Context, changed <-chan struct{}) (ended bool, err error) {
	training, err := v.trainers.Store.GetTraining(ctx, v.runID)
	if err != nil {
		return false, err
	}
	switch {
	case training.LastSequence > v.cursor:
		return v.readStored(ctx)
	case training.State.Final():
		return true, nil
	case training.Settled != nil:
		v.tellSettled(training)
		return true, nil
	}
	return false, v.wait(ctx, changed)
}

// show sends events, and tells whether they end the run.
func (v *viewer) show(events []domain.TrainingEvent) (ended bool) {
	v.cursor = events[len(events)-1].Sequence
	if !v.send(TrainingMessage{Events: events}) {
		return true
	}
	for _, e := range events {
		ended = ended || e.EndsRun()
	}
	return ended
}

func (v *viewer) tellSettled(t domain.Training) {
	if !v.settled {
		shown := t.Shown()
		v.send(TrainingMessage{Training: &shown})
	}
}

// wait waits for a change, and sends a heartbeat where nothing else is due; a second without either is a reason to look as well.
func (v *viewer) wait(ctx context.Context, changed <-chan struct{}) error {
	const look = time.Second // for what another server stores
	timer := time.NewTimer(min(look, time.Until(v.lastSent.Add(v.trainers.Times.Heartbeat))))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
		if time.Since(v.lastSent) >= v.trainers.Times.Heartbeat {
			v.send(TrainingMessage{Heartbeat: v.trainers.Now()})
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
