package domain

import (
	"strings"
	"testing"
)

func TestAModelThatDoesWorseBeyondChanceFailsTheGate(t *testing.T) {
	measured := func(id string, success ...SuccessRate) Model { return Model{ID: id, Success: success} }
	on := func(set, hash string, successes, episodes int) SuccessRate {
		return SuccessRate{SetID: set, SetHash: hash, Episodes: episodes, Successes: successes}
	}
	active := measured("active-1", on("heldout", "a", 1000, 1000), on("puzzles", "p", 10, 10))
	for name, c := range map[string]struct {
		candidate, active Model
		want              GateOutcome
		message           string
	}{
		"far worse":               {measured("c-1", on("heldout", "a", 13, 1000)), active, GateFailed, "13 of 1000 against 1000 of 1000"},
		"worse within chance":     {measured("c-1", on("heldout", "a", 997, 1000)), active, GatePassed, "does not do worse"},
		"worse just beyond it":    {measured("c-1", on("heldout", "a", 990, 1000)), active, GateFailed, "does worse"},
		"better":                  {active, measured("b-1", on("heldout", "a", 13, 1000)), GatePassed, "1000 of 1000 against 13 of 1000"},
		"few episodes":            {measured("c-1", on("heldout", "a", 10, 10)), active, GatePassed, "10 of 10"},
		"another content":         {measured("c-1", on("heldout", "b", 0, 1000)), active, GateNotComparable, "not measured on the same mazes as the active active-1"},
		"another name":            {measured("c-1", on("unused-seeds", "a", 0, 1000)), active, GateNotComparable, "same mazes"},
		"without a hash":          {measured("c-1", on("heldout", "", 0, 1000)), measured("b-1", on("heldout", "", 1000, 1000)), GateNotComparable, "same mazes"},
		"the first set in common": {measured("c-1", on("heldout", "b", 0, 1000), on("puzzles", "p", 10, 10)), active, GatePassed, "on puzzles"},
		"nothing measured":        {measured("c-1"), active, GateNotComparable, "same mazes"},
		"none active":             {active, Model{}, GateNotComparable, "no model is active"},
	} {
		got := CheckSuccess(c.candidate, c.active)
		if got.Outcome != c.want || !got.Overridable || !strings.Contains(got.Message, c.message) || (got.Success.SetID == "") != (c.want == GateNotComparable) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAReasonPassesOverWhatMayBePassedOver(t *testing.T) {
	success := GateCheck{Outcome: GateFailed, Overridable: true}
	if r := (&SwitchRefused{Checks: []GateCheck{ParityPassed(ParityEvidence{Vectors: 3}), success}}); !r.Overridable() {
		t.Error("success can't be passed over")
	}
	if r := (&SwitchRefused{Checks: []GateCheck{{Outcome: GateFailed}, success}}); r.Overridable() {
		t.Error("parity can be passed over")
	}
}
