package usecase

import (
	"context"
	"fmt"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// unknownRun is the reason of a run that its trainer does not list.
const unknownRun = "its trainer no longer knows this run"

// settleLost says that the open runs of a lost trainer have failed. When it comes back, its word counts again.
func (f *Trainers) settleLost(ctx context.Context, link *trainerLink, silent time.Duration) {
	open, err := f.openRuns(ctx, link.Name)
	if err != nil {
		f.Logger.Debug("the runs of a lost trainer are not settled yet", "trainer", link.Name, "cause", err)
		return
	}
	for _, t := range open {
		f.settle(ctx, t, fmt.Sprintf("its trainer does not answer for %.0f seconds; it goes on with its last word when the trainer is back", silent.Seconds()))
	}
}

func (f *Trainers) settle(ctx context.Context, t domain.Training, reason string) {
	settled := domain.Settlement{At: f.Now(), Reason: reason}
	changed, err := f.Store.SettleTraining(ctx, t.RunID, settled)
	if err != nil {
		f.Logger.Debug("a run is not settled yet", "run_id", t.RunID, "cause", err)
		return
	}
	if !changed {
		return
	}
	f.Logger.Warn("a run was settled as failed", "run_id", t.RunID, "trainer", t.Trainer, "reason", reason)
	if live, _ := f.live.find(t.RunID); live != nil {
		live.settle(&settled)
	}
	select {
	case f.unlucky <- struct{}{}:
	default:
	}
}

// settleInMLflow tells MLflow of settled runs, until it knows; and settles runs of trainers that this installation no longer names.
func (f *Trainers) settleInMLflow(ctx context.Context) {
	for pause(ctx, f.Times.Settle, f.unlucky) {
		if f.Now().Sub(f.started) >= f.Times.Lost {
			f.settleUnnamed(ctx)
		}
		if f.Settler == nil {
			continue
		}
		waiting, err := f.Store.UnsettledInMLflow(ctx)
		if err != nil {
			f.Logger.Debug("runs to be settled in MLflow are not known", "cause", err)
			continue
		}
		for _, t := range waiting {
			if link := f.link(t.Trainer); link != nil && link.unavailable() == nil && t.Settled.Reason != unknownRun {
				continue // the trainer is back: its word counts
			}
			if err := f.Settler.SettleRun(ctx, t.MLflowRunID, domain.TrainingFailed, t.Settled.Reason); err != nil {
				f.Logger.Debug("a run is not settled in MLflow yet", "run_id", t.RunID, "cause", err)
				break // the others would fail as well
			}
			if err := f.Store.MarkSettledInMLflow(ctx, t.RunID); err == nil {
				f.Logger.Info("a run was settled in MLflow", "run_id", t.RunID, "mlflow_run_id", t.MLflowRunID)
			}
		}
	}
}

// settleUnnamed settles the open runs of trainers that are not in TRAINER_URL any more.
func (f *Trainers) settleUnnamed(ctx context.Context) {
	open, err := f.Store.OpenTrainings(ctx)
	if err != nil {
		return // the next round
	}
	for _, t := range open {
		if f.link(t.Trainer) == nil && t.Settled == nil {
			f.settle(ctx, t, "its trainer is no longer configured")
		}
	}
}
