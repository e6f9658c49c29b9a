package rpc_test

import (
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
)

// detailOf returns the detail of the wanted type; nil when there is none.
func detailOf[T proto.Message](t *testing.T, err *connect.Error) (found T) {
	t.Helper()
	for _, d := range err.Details() {
		value, valueErr := d.Value()
		if valueErr != nil {
			t.Fatal(valueErr)
		}
		if detail, ok := value.(T); ok {
			found = detail
		}
	}
	return found
}

func TestARefusedSwitchShowsEachCheckWithItsNumbers(t *testing.T) {
	active := domain.Model{ID: "active-1", Success: []domain.SuccessRate{{SetID: "heldout", SetHash: "aa", Episodes: 1000, Successes: 1000}}}
	worse := domain.Model{ID: "worse-1", Success: []domain.SuccessRate{{SetID: "heldout", SetHash: "aa", Episodes: 1000, Successes: 13}}}
	refused := &domain.SwitchRefused{
		Refusal: &domain.Error{Code: domain.CodeFailedPrecondition, Field: "override_reason", Rule: "model.gate", Message: "worse"}, ModelID: worse.ID, ActiveModelID: active.ID,
		Checks: []domain.GateCheck{domain.ParityPassed(domain.ParityEvidence{Vectors: 64, LargestDeviation: 1e-7}), domain.CheckSuccess(worse, active)},
	}
	err := rpc.TranslateError(t.Context(), refused)
	detail := detailOf[*modelv1.SwitchRefused](t, err)
	if err.Code() != connect.CodeFailedPrecondition || detail.GetModelId() != worse.ID || !detail.GetOverridable() || len(detail.GetChecks()) != 2 {
		t.Fatalf("%v with %v", err, detail)
	}
	parity, success := detail.GetChecks()[0], detail.GetChecks()[1]
	if parity.GetOutcome() != modelv1.GateOutcome_GATE_OUTCOME_PASSED || parity.GetParity().GetVectors() != 64 || parity.GetParity().GetAllowedDeviation() != domain.ParityTolerance || parity.GetOverridable() {
		t.Errorf("%v", parity)
	}
	counts := success.GetSuccess()
	if success.GetOutcome() != modelv1.GateOutcome_GATE_OUTCOME_FAILED || counts.GetCandidate().GetModelId() != worse.ID || counts.GetActive().GetModelId() != active.ID ||
		counts.GetCandidate().GetSuccesses() != 13 || counts.GetCandidate().GetIntervalHigh() >= counts.GetActive().GetIntervalLow() {
		t.Errorf("%v", success)
	}
}

func TestAChangedActiveModelShowsWhatIsInForce(t *testing.T) {
	err := rpc.TranslateError(t.Context(), &domain.ActiveModelChanged{Activation: domain.Activation{ID: 7, ModelID: "other-1", Actor: "Ada"}})
	if a := detailOf[*modelv1.ActiveModelChanged](t, err).GetActivation(); err.Code() != connect.CodeAborted || a.GetActivationId() != 7 || a.GetModelId() != "other-1" || a.GetActor() != "Ada" {
		t.Errorf("%v, %v", err, a)
	}
	err = rpc.TranslateError(t.Context(), &domain.ActiveModelChanged{})
	if detail := detailOf[*modelv1.ActiveModelChanged](t, err); detail == nil || detail.GetActivation() != nil {
		t.Errorf("%v", detail)
	}
}
