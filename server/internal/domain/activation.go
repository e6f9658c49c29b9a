package domain

import (
	"fmt"
	"time"
)

// Activation is one change of the active model. It is never changed.
type Activation struct {
	ID              int64 // grows from one to the next, with holes
	ModelID         string
	PreviousModelID string // empty for the first, and where another file of the same model was taken over
	Reason          string
	ActivatedAt     time.Time
	Actor           string          // who switched, as the caller said; ActorServer for the server's own
	OverrideReason  string          // why a check of the gate was passed over; empty when none was
	Undoes          int64           // the activation that this roll-back undid; 0 when it is none
	Parity          ParityEvidence  // of the model, at that moment
	Success         SuccessEvidence // of both models, at that moment
}

// ActorServer is who switches without being asked: at a start.
const ActorServer = "server"

// ExpectNone as the expected activation: no model may be active.
const ExpectNone int64 = -1

// Switch asks for another active model.
type Switch struct {
	ModelID        string
	Reason         string
	Actor          string
	OverrideReason string
	OnlyIfNone     bool  // an active model is left alone, and its activation returned
	Expected       int64 // the activation that must be in force, or ExpectNone; 0: any
	Undoes         int64 // as in Activation
	Parity         ParityEvidence
	Success        SuccessEvidence
}

// Sentinels of the history; compare with errors.Is.
var (
	// ErrActiveModelChanged is what ActiveModelChanged wraps.
	ErrActiveModelChanged = &Error{Code: CodeAborted, Field: "expected_activation_id", Rule: "activation.changed", Message: "the active model was changed meanwhile; look at what is active now, and decide again"}
	ErrNotRolledBack      = &Error{Code: CodeNotFound, Field: "expected_activation_id", Rule: "activation.not_undone", Message: "this activation was not rolled back"}
	ErrNoEarlierModel     = &Error{Code: CodeFailedPrecondition, Field: "expected_activation_id", Rule: "activation.first", Message: "no other model was active before; make one active with SetActiveModel"}
	ErrActivationPage     = &Error{Code: CodeInvalidArgument, Field: "page_token", Rule: "page_token.unknown", Message: "page_token is none of this list; start with an empty one"}
)

// ActiveModelChanged refuses a switch that was decided on another state. It wraps ErrActiveModelChanged.
type ActiveModelChanged struct {
	Activation Activation // in force; zero when no model is active
}

func (c *ActiveModelChanged) Error() string { return ErrActiveModelChanged.Error() }

// Unwrap returns ErrActiveModelChanged.
func (c *ActiveModelChanged) Unwrap() error { return ErrActiveModelChanged }

// ParityTolerance is what a network may differ from its export, absolute up to 1 and relative above. The export allows the same.
const ParityTolerance = 1e-5

// ParityEvidence is how well a network repeats what was computed at its export. Vectors is 0 where nobody measured.
type ParityEvidence struct {
	Vectors          int
	LargestDeviation float64 // finite, 0 or more
}

// SuccessEvidence holds the success of the model that becomes active and of the one before, on one set. SetID is empty where they can't be compared.
type SuccessEvidence struct {
	SetID             string
	SetHash           string
	Episodes          int
	Successes         int
	PreviousEpisodes  int
	PreviousSuccesses int
}

// GateOutcome is what a check came to.
type GateOutcome int

// The outcomes.
const (
	GatePassed GateOutcome = iota
	GateFailed
	GateNotComparable
)

// GateCheck is one check before a switch. One of Parity and Success holds its numbers; neither where there are none.
type GateCheck struct {
	Outcome     GateOutcome
	Message     string
	Overridable bool // whether a reason passes over its failure
	Parity      ParityEvidence
	Success     SuccessEvidence
}

// SwitchRefused says that the gate does not let a model become active.
type SwitchRefused struct {
	Refusal       *Error
	ModelID       string
	ActiveModelID string // empty when none is
	Checks        []GateCheck
}

func (r *SwitchRefused) Error() string { return r.Refusal.Error() }

// Unwrap returns the refusal.
func (r *SwitchRefused) Unwrap() error { return r.Refusal }

// Overridable says whether a reason would pass over every check that failed.
func (r *SwitchRefused) Overridable() bool {
	for _, c := range r.Checks {
		if c.Outcome == GateFailed && !c.Overridable {
			return false
		}
	}
	return true
}

// ParityPassed is the check of a network that repeats its export.
func ParityPassed(evidence ParityEvidence) GateCheck {
	return GateCheck{Outcome: GatePassed, Parity: evidence, Message: fmt.Sprintf("it repeats all %d parity vectors of its export", evidence.Vectors)}
}

// CheckSuccess compares a candidate with the active model on the first set of mazes that both were measured on; the held-out one stands first.
// It fails when the candidate's 95 % interval ends below where that of the active one begins: then it is worse beyond chance.
func CheckSuccess(candidate, active Model) GateCheck {
	for _, c := range candidate.Success {
		for _, a := range active.Success {
			if c.SetID != a.SetID || c.SetHash != a.SetHash || c.SetHash == "" {
				continue
			}
			check := GateCheck{Overridable: true, Success: SuccessEvidence{
				SetID: c.SetID, SetHash: c.SetHash,
				Episodes: c.Episodes, Successes: c.Successes, PreviousEpisodes: a.Episodes, PreviousSuccesses: a.Successes,
			}}
			_, high := Wilson95(c.Successes, c.Episodes)
			low, _ := Wilson95(a.Successes, a.Episodes)
			relation := "does not do worse than"
			if high < low {
				check.Outcome, relation = GateFailed, "does worse than"
			}
			check.Message = fmt.Sprintf("it %s the active %s on %s: %d of %d against %d of %d",
				relation, active.ID, c.SetID, c.Successes, c.Episodes, a.Successes, a.Episodes)
			return check
		}
	}
	message := "no model is active to compare it with"
	if active.ID != "" {
		message = fmt.Sprintf("it was not measured on the same mazes as the active %s", active.ID)
	}
	return GateCheck{Outcome: GateNotComparable, Overridable: true, Message: message}
}
