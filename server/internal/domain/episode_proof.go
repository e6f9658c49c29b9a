package domain

import (
	"fmt"
	"strings"
)

// EpisodeProof compares a logged episode with what running it again came to.
type EpisodeProof struct {
	// FirstDifferentStep is the index of the first step whose action differs; 0 when none does.
	FirstDifferentStep int
	// Logged and Recomputed are the actions of that step; nil where that side has ended before it.
	Logged, Recomputed *Action
	// DifferentFields of the result, by their names in the contract.
	DifferentFields []string
}

// Identical says whether the log told the truth.
func (p *EpisodeProof) Identical() bool {
	return p.FirstDifferentStep == 0 && len(p.DifferentFields) == 0
}

// Err is nil for an identical episode, else CodeFailedPrecondition with what differs first.
func (p *EpisodeProof) Err() error {
	if p.FirstDifferentStep > 0 {
		return StepDiffers(p.FirstDifferentStep, p.Logged, p.Recomputed)
	}
	if len(p.DifferentFields) > 0 {
		return &Error{Code: CodeFailedPrecondition, Field: "episode_id", Rule: "episode.result_differs", Message: "the actions are those of the log, but not the result: " + strings.Join(p.DifferentFields, ", ")}
	}
	return nil
}

// StepDiffers names the first step whose action is not the logged one; nil stands for an episode that has ended before it.
func StepDiffers(step int, logged, recomputed *Action) error {
	return &Error{
		Code: CodeFailedPrecondition, Field: "episode_id", Rule: "episode.step_differs",
		Message: fmt.Sprintf("step %d differs: %s is logged, and running the episode again gives %s", step, actionWord(logged), actionWord(recomputed)),
	}
}

func actionWord(a *Action) string {
	if a == nil {
		return "no step"
	}
	return [...]string{"UP", "DOWN", "LEFT", "RIGHT"}[*a&3]
}

// LoggedAction of a step (from 1), or nil beyond the last one.
func (r *EpisodeRecord) LoggedAction(step int) *Action {
	if step > len(r.Actions) {
		return nil
	}
	a := Action(r.Actions[step-1])
	return &a
}

// Prove compares the record with the episode that was run again to its end.
func (r *EpisodeRecord) Prove(e *Episode) EpisodeProof {
	var p EpisodeProof
	again := EpisodeRecord{Actions: e.Actions()}
	for step := 1; step <= max(len(r.Actions), e.Steps()); step++ {
		logged, recomputed := r.LoggedAction(step), again.LoggedAction(step)
		if logged == nil || recomputed == nil || *logged != *recomputed {
			p.FirstDifferentStep, p.Logged, p.Recomputed = step, logged, recomputed
			break
		}
	}
	for _, field := range []struct {
		name string
		same bool
	}{
		{"steps", r.Steps == e.Steps()},
		{"bumps", r.Bumps == e.Bumps()},
		{"outcome", r.Outcome == e.Outcome()},
		{"total_reward", r.TotalReward == e.TotalReward()},
		{"spl", r.SPL == e.SPL()},
	} {
		if !field.same {
			p.DifferentFields = append(p.DifferentFields, field.name)
		}
	}
	return p
}
