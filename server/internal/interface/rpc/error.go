package rpc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"

	evaluationv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/evaluation/v1"
	experimentv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/experiment/v1"
	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/message"
)

// connectCodes is the one table from domain codes to Connect codes.
var connectCodes = map[domain.Code]connect.Code{
	domain.CodeInternal:           connect.CodeInternal,
	domain.CodeInvalidArgument:    connect.CodeInvalidArgument,
	domain.CodeNotFound:           connect.CodeNotFound,
	domain.CodeAlreadyExists:      connect.CodeAlreadyExists,
	domain.CodeFailedPrecondition: connect.CodeFailedPrecondition,
	domain.CodeResourceExhausted:  connect.CodeResourceExhausted,
	domain.CodeUnavailable:        connect.CodeUnavailable,
	domain.CodePermissionDenied:   connect.CodePermissionDenied,
	domain.CodeAborted:            connect.CodeAborted,
}

// TranslateError turns any error of a use case into what a client may read, and leaves the cause in the request's access entry. Every
// broken rule, whether protovalidate or the domain found it, reads alike: a code, a sentence, and a buf.validate.Violations detail with
// field, rule and message. What is not meant for clients becomes internal with the request id in place of its text.
func TranslateError(ctx context.Context, err error) *connect.Error {
	if err == nil {
		return nil
	}
	entry := access.FromContext(ctx)
	translated := translate(ctx, err, entry)
	entry.Code = translated.Code().String()
	return translated
}

func translate(ctx context.Context, err error, entry *access.Entry) *connect.Error {
	// A cancelled context surfaces as the failure of whatever was waited for; its cause says more than that failure does.
	if cause := context.Cause(ctx); (errors.Is(cause, domain.ErrDraining) || errors.Is(cause, errStreamTooLong)) && (errors.Is(err, context.Canceled) || connect.CodeOf(err) == connect.CodeCanceled) {
		err = cause
	}
	if coded, ok := errors.AsType[*connect.Error](err); ok {
		if entry.Cause == nil { // Kept when the error was translated before, further inside.
			entry.Cause = err
		}
		return coded
	}
	if known, ok := errors.AsType[*domain.Error](err); ok && known.Code != domain.CodeInternal {
		entry.Cause = err
		translated := withViolations(connect.NewError(connectCodes[known.Code], errors.New(known.Message)), known)
		if busy, ok := errors.AsType[*domain.TrainingBusy](err); ok {
			addDetail(translated, toTrainingBusy(busy))
		}
		if refused, ok := errors.AsType[*domain.SwitchRefused](err); ok {
			addDetail(translated, toSwitchRefused(refused))
		}
		if changed, ok := errors.AsType[*domain.ActiveModelChanged](err); ok {
			addDetail(translated, toActiveModelChanged(changed))
		}
		return translated
	}
	switch {
	case errors.Is(err, context.Canceled):
		return connect.NewError(connect.CodeCanceled, errors.New("the client left"))
	case errors.Is(err, context.DeadlineExceeded):
		return connect.NewError(connect.CodeDeadlineExceeded, errors.New("the client's deadline has passed"))
	}
	entry.Cause = err
	return connect.NewError(connect.CodeInternal, fmt.Errorf("the server failed; its log has the reason under request_id %s", entry.RequestID))
}

// Validate checks the message against the rules of its protobuf schema.
func Validate(message proto.Message) error {
	err := protovalidate.Validate(message)
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*protovalidate.ValidationError](err)
	if !ok {
		return fmt.Errorf("validate request: %w", err) // A rule that does not compile is a defect of the contract.
	}
	translated := connect.NewError(connect.CodeInvalidArgument, errors.New(sentence(invalid.ToProto())))
	addDetail(translated, invalid.ToProto())
	return translated
}

// PrepareValidation compiles the contract's rules, tens of milliseconds of work that the first request of each kind would wait for.
func PrepareValidation() {
	for _, file := range []protoreflect.FileDescriptor{
		inferencev1.File_rlmaze_inference_v1_inference_service_proto, mazev1.File_rlmaze_maze_v1_maze_service_proto,
		modelv1.File_rlmaze_model_v1_model_service_proto, systemv1.File_rlmaze_system_v1_system_service_proto,
		trainingv1.File_rlmaze_training_v1_training_service_proto, trainingv1.File_rlmaze_training_v1_training_history_service_proto,
		experimentv1.File_rlmaze_experiment_v1_experiment_service_proto, evaluationv1.File_rlmaze_evaluation_v1_evaluation_service_proto,
	} {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				if request, err := protoregistry.GlobalTypes.FindMessageByName(methods.Get(j).Input().FullName()); err == nil {
					_ = Validate(request.New().Interface()) // that an empty request breaks rules is not the point
				}
			}
		}
	}
}

// sentence says all violations in words: "steps_per_second: must be 0 (as fast as possible) or between 0.1 and 1000".
func sentence(violations *validate.Violations) string {
	text := ""
	for _, violation := range violations.GetViolations() {
		if text != "" {
			text += "; "
		}
		if path := protovalidate.FieldPathString(violation.GetField()); path != "" {
			text += path + ": "
		}
		text += violation.GetMessage()
	}
	return text
}

// Malformed is the error for bytes that are no message at all.
func Malformed(message string) *connect.Error {
	return withViolations(connect.NewError(connect.CodeInvalidArgument, errors.New(message)), &domain.Error{Rule: "message.malformed", Message: message})
}

// withViolations adds the broken rules of an error: all of them where it has several, else its own.
func withViolations(to *connect.Error, err *domain.Error) *connect.Error {
	broken := err.Violations
	if len(broken) == 0 {
		broken = []domain.Violation{{Field: err.Field, Rule: err.Rule, Message: err.Message}}
	}
	detail := &validate.Violations{}
	for _, v := range broken {
		detail.Violations = append(detail.Violations, &validate.Violation{RuleId: proto.String(v.Rule), Message: proto.String(v.Message), Field: fieldPath(v.Field)})
	}
	addDetail(to, detail)
	return to
}

func addDetail(to *connect.Error, message proto.Message) {
	if detail, err := connect.NewErrorDetail(message); err == nil {
		to.AddDetail(detail)
	}
}

func toTrainingBusy(b *domain.TrainingBusy) *trainingv1.TrainingBusy {
	busy := &trainingv1.TrainingBusy{Queued: int32(b.Queued), QueueLimit: int32(b.QueueLimit), RetryAfter: durationpb.New(b.RetryAfter)}
	for _, t := range b.Running {
		busy.Running = append(busy.Running, &trainingv1.Training{
			RunId: t.RunID, Name: t.Name, Title: t.Title, Device: t.Device, StartedAt: timestamp(t.StartedAt), Latest: message.ToProgress(t.Latest), Trainer: t.Trainer,
		})
	}
	return busy
}

// fieldPath spells "maze.drawn.rows" as protovalidate does: one element a name. Indexes ("rows[3]") become subscripts.
func fieldPath(path string) *validate.FieldPath {
	if path == "" {
		return nil
	}
	var elements []*validate.FieldPathElement
	for len(path) > 0 {
		name := path
		if i := indexByte(path, '.'); i >= 0 {
			name, path = path[:i], path[i+1:]
		} else {
			path = ""
		}
		element := &validate.FieldPathElement{}
		if i := indexByte(name, '['); i > 0 {
			var index uint64
			if _, err := fmt.Sscanf(name[i:], "[%d]", &index); err == nil {
				element.Subscript = &validate.FieldPathElement_Index{Index: index}
				element.FieldType = descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()
				if path != "" { // what has fields of its own is a message
					element.FieldType = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
				}
			}
			name = name[:i]
		}
		element.FieldName = proto.String(name)
		elements = append(elements, element)
	}
	return &validate.FieldPath{Elements: elements}
}

func indexByte(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// EndFrame is the last frame of a WebSocket: {} after a good end, else the error as in Connect's end of stream.
func EndFrame(err *connect.Error) []byte {
	if err == nil {
		return []byte("{}")
	}
	type detail struct {
		Type  string          `json:"type"`
		Value string          `json:"value"`
		Debug json.RawMessage `json:"debug,omitempty"`
	}
	type wireError struct {
		Code    string   `json:"code"`
		Message string   `json:"message,omitempty"`
		Details []detail `json:"details,omitempty"`
	}
	wire := wireError{Code: err.Code().String(), Message: err.Message()}
	for _, d := range err.Details() {
		entry := detail{Type: d.Type(), Value: base64.RawStdEncoding.EncodeToString(d.Bytes())}
		if value, valueErr := d.Value(); valueErr == nil {
			if debug, jsonErr := readable.marshal(nil, value); jsonErr == nil {
				entry.Debug = debug
			}
		}
		wire.Details = append(wire.Details, entry)
	}
	frame, marshalErr := json.Marshal(struct {
		Error wireError `json:"error"`
	}{wire})
	if marshalErr != nil { // Nothing in it can fail to marshal.
		return []byte(`{"error":{"code":"internal"}}`)
	}
	return frame
}
