package trainer

import (
	"context"
	"errors"
	"fmt"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"connectrpc.com/connect"

	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/message"
)

const (
	awayMessage    = "the trainer does not answer; try again when it is back"
	refusedMessage = "the trainer refuses the server's token; set TRAINER_TOKEN to the same on both"
	failedMessage  = "the trainer failed; its log has the reason"
)

// domainCodes are the codes that say something about the request; all others say something about the trainer.
var domainCodes = map[connect.Code]domain.Code{
	connect.CodeInvalidArgument:    domain.CodeInvalidArgument,
	connect.CodeOutOfRange:         domain.CodeInvalidArgument,
	connect.CodeNotFound:           domain.CodeNotFound,
	connect.CodeAlreadyExists:      domain.CodeAlreadyExists,
	connect.CodeFailedPrecondition: domain.CodeFailedPrecondition,
	connect.CodeResourceExhausted:  domain.CodeResourceExhausted,
}

// translateError turns what a trainer, or the way to it, says into a domain error; it is the only place where that happens. A cancellation by the
// caller passes unchanged.
func translateError(what string, err error) error {
	cause := fmt.Errorf("%s: %w", what, err)
	if errors.Is(err, context.Canceled) || connect.CodeOf(err) == connect.CodeCanceled {
		return cause
	}
	said, ok := errors.AsType[*connect.Error](err)
	if !ok || !connect.IsWireError(err) {
		return domain.TrainerAway(awayMessage, cause) // refused, reset, timed out, or no trainer at all
	}
	code, known := domainCodes[said.Code()]
	if !known {
		return unable(said, cause)
	}
	refusal := &domain.Error{Code: code, Rule: "trainer." + said.Code().String(), Message: said.Message(), Cause: cause}
	busy := &domain.TrainingBusy{Refusal: refusal}
	var hasBusy bool
	for _, detail := range said.Details() {
		value, err := detail.Value()
		if err != nil {
			continue // a detail of a newer trainer
		}
		switch value := value.(type) {
		case *validate.Violations:
			refusal.Violations = violations(value)
		case *trainingv1.TrainingBusy:
			hasBusy = true
			for _, t := range value.GetRunning() {
				busy.Running = append(busy.Running, message.FromTraining(t))
			}
			busy.Queued, busy.QueueLimit, busy.RetryAfter = int(value.GetQueued()), int(value.GetQueueLimit()), value.GetRetryAfter().AsDuration()
		}
	}
	if hasBusy {
		return busy
	}
	return refusal
}

func unable(said *connect.Error, cause error) error {
	switch said.Code() {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied:
		return domain.TrainerAway(refusedMessage, cause)
	case connect.CodeUnavailable:
		if said.Message() != "" { // "the trainer is going down; …"
			return domain.TrainerAway(said.Message(), cause)
		}
	case connect.CodeInternal, connect.CodeUnknown, connect.CodeDataLoss:
		return domain.TrainerAway(failedMessage, cause)
	}
	return domain.TrainerAway(awayMessage, cause)
}

func violations(sent *validate.Violations) []domain.Violation {
	var found []domain.Violation
	for _, v := range sent.GetViolations() {
		found = append(found, domain.Violation{Field: protovalidate.FieldPathString(v.GetField()), Rule: v.GetRuleId(), Message: v.GetMessage()})
	}
	return found
}
