package usecase

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// EvaluatePolicy plays every maze of a set with one policy, greedily, and keeps what came of it.
type EvaluatePolicy struct {
	Catalog     domain.MazeCatalog
	Models      *LoadedModels
	Evaluations domain.EvaluationStore
	Capacity    *Capacity
	Now         func() time.Time
}

// EvaluatePolicyInput says who is measured on what.
type EvaluatePolicyInput struct {
	Policy domain.PolicyRef // empty means the active model
	SetID  string
	Again  bool // measure also what is kept already
}

// EvaluationEvent is one message of an evaluation: Evaluated is nil until the last one.
type EvaluationEvent struct {
	Progress  EvaluationProgress
	Evaluated *Evaluated
}

// EvaluationProgress counts the episodes that have ended.
type EvaluationProgress struct {
	Done      int
	Total     int
	Successes int
}

// Evaluated is an evaluation with the set whose mazes it names by position.
type Evaluated struct {
	Evaluation domain.Evaluation
	Set        domain.MazeSet
}

// Run returns the evaluation's events. An error ends the range: ErrMazeSetNotFound; those of newActor; CodeResourceExhausted; CodeUnavailable; the
// context's cause. Ending the range or the context before the last event ends the evaluation, and nothing is kept.
func (u *EvaluatePolicy) Run(ctx context.Context, in EvaluatePolicyInput) iter.Seq2[EvaluationEvent, error] {
	return func(yield func(EvaluationEvent, error) bool) {
		if err := u.run(ctx, in, yield); err != nil && !errors.Is(err, errConsumerGone) {
			yield(EvaluationEvent{}, err)
		}
	}
}

func (u *EvaluatePolicy) run(ctx context.Context, in EvaluatePolicyInput, yield func(EvaluationEvent, error) bool) error {
	set, ok := findMazeSet(u.Catalog, in.SetID)
	if !ok {
		return domain.ErrMazeSetNotFound
	}
	actor, err := newActor(ctx, u.Models, in.Policy, domain.Sampling{}, 0)
	if err != nil {
		return err
	}
	defer actor.release()
	// The store is asked in any case: what could not be kept afterwards need not be measured.
	kept, err := u.Evaluations.ListEvaluations(ctx, set.Hash)
	if err != nil {
		return fmt.Errorf("look for the evaluation: %w", err)
	}
	for _, e := range kept {
		if !in.Again && e.Policy == actor.ref && e.ModelSHA256 == actor.sha256() {
			yield(EvaluationEvent{Evaluated: &Evaluated{Evaluation: e, Set: set}}, nil)
			return nil
		}
	}
	if err := u.Capacity.evaluations.acquire(ctx); err != nil {
		return err
	}
	defer u.Capacity.evaluations.release()
	run := newEvaluationRun(set.Mazes, actor, u.Now)
	if err := run.play(ctx, func(p EvaluationProgress) bool { return yield(EvaluationEvent{Progress: p}, nil) }); err != nil {
		return err
	}
	e := run.evaluation()
	e.Policy, e.ModelSHA256, e.SetID, e.SetHash = actor.ref, actor.sha256(), set.ID, set.Hash
	if err := u.Evaluations.SaveEvaluation(ctx, e); err != nil {
		return fmt.Errorf("keep the evaluation: %w", err)
	}
	yield(EvaluationEvent{Evaluated: &Evaluated{Evaluation: e, Set: set}}, nil)
	return nil
}
