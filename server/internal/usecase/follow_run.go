package usecase

import (
	"context"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	writeBytes = 1 << 20         // events stored in one transaction
	lastWrite  = 2 * time.Second // for what is unstored when the server ends
)

// follow follows a run unless somebody does, or its end is stored. An ended run may have to wait for its turn: postponed is true then.
func (f *Trainers) follow(ctx context.Context, link *trainerLink, listed domain.Training) (postponed bool) {
	if live, _ := f.live.find(listed.RunID); live != nil {
		return false
	}
	kept, err := f.Store.GetTraining(ctx, listed.RunID)
	if err != nil || kept.State.Final() && kept.LastSequence >= listed.LastSequence {
		return err != nil
	}
	release := func() {}
	if listed.State.Final() {
		select {
		case f.past <- struct{}{}:
			release = func() {
				<-f.past
				link.hurry() // for the next one
			}
		default:
			return true
		}
	}
	live := newLiveTraining(kept, f.Window)
	if !f.live.open(kept.RunID, live) {
		release()
		return false
	}
	f.follows.Go(func() {
		defer release()
		defer f.live.close(kept.RunID)
		f.followRun(ctx, link, live, listed.LastSequence)
	})
	return false
}

// followRun reads the run's events from its trainer, and stores them, until its end is stored, the run is lost, or the context ends.
func (f *Trainers) followRun(ctx context.Context, link *trainerLink, live *liveTraining, until int64) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	read := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() { f.write(ctx, cancel, live, read) })
	f.readEvents(ctx, link, live, until)
	close(read)
	writing.Wait()
}

// readEvents shows what the trainer streams; it comes back after each cut.
func (f *Trainers) readEvents(ctx context.Context, link *trainerLink, live *liveTraining, until int64) {
	t := live.snapshot()
	log := f.Logger.With("run_id", t.RunID, "trainer", link.Name)
	for wait := f.Times.Retry; ; wait = min(2*wait, 8*f.Times.Retry) {
		var failure error
		for news, err := range link.Trainer.WatchTraining(ctx, t.RunID, live.last()) {
			if failure = err; err != nil {
				break
			}
			if link.heard() {
				log.Info("the trainer is up")
			}
			if len(news.Events) > 0 {
				wait = f.Times.Retry
				if failure = live.publish(ctx, news.Events); failure != nil {
					break
				}
			}
		}
		now := live.snapshot()
		switch {
		case ctx.Err() != nil:
			return
		case failure == nil && now.State.Final() && now.LastSequence >= until:
			log.Info("the run has ended", "state", string(now.State), "failure", now.Failure, "events", now.LastSequence, "model_id", now.ModelID)
			return
		case domain.CodeOf(failure) == domain.CodeNotFound && failure != nil:
			return // the list tells whether it is gone
		case domain.CodeOf(failure) == domain.CodeInvalidArgument && failure != nil:
			f.forget(ctx, t.RunID)
			return
		}
		log.Debug("the stream of the run was cut", "after_sequence", now.LastSequence, "cause", failure)
		if !pause(ctx, wait, nil) {
			return
		}
	}
}

// forget starts again with a run whose trainer has fewer events than we have: its disk lost some in a crash.
func (f *Trainers) forget(ctx context.Context, runID string) {
	f.Logger.Warn("the trainer has fewer events of a run than are kept; they are read again", "run_id", runID)
	if err := f.Store.ForgetEvents(ctx, runID); err != nil {
		f.Logger.Debug("the events of a run could not be forgotten", "run_id", runID, "cause", err)
	}
}

// write stores events as they come, some at a time, and the rest when reading has ended.
func (f *Trainers) write(ctx context.Context, giveUp context.CancelCauseFunc, live *liveTraining, read <-chan struct{}) {
	for reading := true; reading; {
		select {
		case <-live.unwritten:
			timer := time.NewTimer(f.Times.Write)
			select {
			case <-timer.C:
			case <-read:
				reading = false
			}
			timer.Stop()
		case <-read:
			reading = false
		}
		if err := f.store(ctx, live); err != nil && ctx.Err() == nil {
			giveUp(err)
			return
		}
	}
	if ctx.Err() != nil { // the server ends: one last attempt; what it misses is read from the trainer again
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
		defer cancel()
		_ = f.storeOnce(last, live)
	}
}

// store stores everything that is unstored, and tries again while the store is away. The error is one that trying again does not mend.
func (f *Trainers) store(ctx context.Context, live *liveTraining) error {
	runID := live.snapshot().RunID
	for wait := f.Times.Retry; ; wait = min(2*wait, 8*f.Times.Retry) {
		err := f.storeOnce(ctx, live)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if domain.CodeOf(err) != domain.CodeUnavailable {
			f.Logger.Error("events of a run can't be stored; they are read again", "run_id", runID, "cause", err)
			return err
		}
		if wait == f.Times.Retry {
			f.Logger.Warn("events of a run are not stored yet", "run_id", runID, "cause", err)
		}
		if !pause(ctx, wait, nil) {
			return context.Cause(ctx)
		}
	}
}

func (f *Trainers) storeOnce(ctx context.Context, live *liveTraining) error {
	for {
		after, events := live.batch(writeBytes)
		if len(events) == 0 {
			return nil
		}
		if err := f.Store.AppendEvents(ctx, after, events); err != nil {
			return err
		}
		live.stored(after)
	}
}
