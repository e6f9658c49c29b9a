package usecase

import (
	"context"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// look asks one trainer for its runs, again and again, and settles them while it is lost.
func (f *Trainers) look(ctx context.Context, link *trainerLink) {
	log := f.Logger.With("trainer", link.Name)
	for {
		wait := f.Times.Poll
		err := f.readList(ctx, link)
		if err != nil && ctx.Err() == nil {
			wait = f.Times.Retry
			log.Debug("the runs of the trainer could not be compared", "cause", err)
		}
		if silent := link.silence(); silent >= f.Times.Lost && ctx.Err() == nil {
			f.settleLost(ctx, link, silent)
		}
		if !pause(ctx, wait, link.poke) {
			return
		}
	}
}

// readList compares what the trainer lists with what is kept, and follows what there is to follow. It reads as many pages as it must: all of them when
// the trainer came up and once in a while, else until every open run was seen and a page held nothing new.
func (f *Trainers) readList(ctx context.Context, link *trainerLink) error {
	open, openErr := f.openRuns(ctx, link.Name) // before the list: each of them is on it
	unseen := map[string]domain.Training{}
	for _, t := range open {
		unseen[t.RunID] = t
	}
	all := link.wholeSince() >= f.Times.Whole
	var postponed bool
	for token := ""; ; {
		listed, next, err := link.Trainer.ListTrainings(ctx, token)
		if err != nil {
			if ctx.Err() == nil && link.failed(err) {
				f.Logger.Warn("the trainer is away", "trainer", link.Name, "cause", err)
			}
			return err
		}
		if link.heard() {
			f.Logger.Info("the trainer is up", "trainer", link.Name)
		}
		if link.lastDefaults() == nil {
			f.learnDefaults(ctx, link)
		}
		if openErr != nil {
			return openErr
		}
		news, later, err := f.take(ctx, link, listed)
		if err != nil {
			return err
		}
		postponed = postponed || later
		for _, t := range listed {
			delete(unseen, t.RunID)
		}
		if next == "" {
			break
		}
		if !all && !news && len(unseen) == 0 {
			return nil
		}
		token = next
	}
	for _, t := range unseen {
		f.settle(ctx, t, unknownRun)
	}
	if !postponed {
		link.readWhole()
	}
	return nil
}

// openRuns are the runs of a trainer that have not ended by its word.
func (f *Trainers) openRuns(ctx context.Context, trainer string) ([]domain.Training, error) {
	open, err := f.Store.OpenTrainings(ctx)
	if err != nil {
		return nil, err
	}
	var its []domain.Training
	for _, t := range open {
		if t.Trainer == trainer {
			its = append(its, t)
		}
	}
	return its, nil
}

// take keeps what is new in a page of the list, and follows the runs that have events we lack. News is true when there was anything, later when a run
// could not be followed yet.
func (f *Trainers) take(ctx context.Context, link *trainerLink, listed []domain.Training) (news, later bool, err error) {
	ids := make([]string, len(listed))
	for i, t := range listed {
		ids[i] = t.RunID
	}
	known, err := f.Store.FindTrainings(ctx, ids)
	if err != nil {
		return false, false, err
	}
	for _, t := range listed {
		t.Trainer = link.Name
		kept, found := known[t.RunID]
		if found && kept.Settled == nil && kept.SameFacts(withFacts(kept, t)) && kept.State.Final() && kept.LastSequence >= t.LastSequence {
			continue
		}
		changed, err := f.keep(ctx, t, kept, found)
		switch {
		case domain.CodeOf(err) == domain.CodeUnavailable && err != nil, ctx.Err() != nil:
			return news, later, err
		case err != nil:
			f.Logger.Warn("a run of the trainer can't be kept", "run_id", t.RunID, "trainer", link.Name, "cause", err)
			continue
		}
		news = news || changed
		later = f.follow(ctx, link, t) || later
	}
	return news, later, nil
}

// keep adds a run, or brings its facts up to date; true when something was written.
func (f *Trainers) keep(ctx context.Context, t, kept domain.Training, found bool) (bool, error) {
	if !found {
		return true, f.Store.AddTraining(ctx, beginning(t), "")
	}
	merged := withFacts(kept, t)
	if kept.Settled == nil && kept.SameFacts(merged) {
		return false, nil
	}
	if err := f.Store.AddTraining(ctx, merged, ""); err != nil {
		return false, err
	}
	if live, _ := f.live.find(t.RunID); live != nil {
		live.takeFacts(merged)
		live.settle(nil)
	}
	if kept.Settled != nil {
		f.Logger.Info("the trainer is back with a run that was settled", "run_id", t.RunID, "trainer", t.Trainer)
	}
	return true, nil
}

func withFacts(kept, listed domain.Training) domain.Training {
	kept.Trainer = listed.Trainer
	kept.TakeFacts(listed)
	return kept
}

// beginning is a run before its first event: its end comes with the events, so that nobody takes a run for whole whose events are still being read.
func beginning(t domain.Training) domain.Training {
	if t.State.Final() {
		t.State, t.Phase, t.Failure, t.EndedAt = domain.TrainingRunning, domain.PhaseNone, "", time.Time{}
	}
	t.LastSequence, t.Latest, t.BestCheckpoint, t.Settled = 0, nil, nil, nil
	return t
}

func (f *Trainers) learnDefaults(ctx context.Context, link *trainerLink) {
	defaults, err := link.Trainer.Defaults(ctx)
	if err != nil {
		f.Logger.Debug("the trainer's defaults are not known", "trainer", link.Name, "cause", err)
		return
	}
	link.setDefaults(defaults)
}
