package trainer_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/trainer"
	"github.com/rlmaze/rlmaze/server/internal/testing/standintrainer"
	"github.com/rlmaze/rlmaze/server/internal/testing/trainingtest"
)

func client(t *testing.T, options trainer.Options) *trainer.Client {
	t.Helper()
	c := trainer.New(options)
	t.Cleanup(c.Close)
	return c
}

func TestEveryCallBearsTheToken(t *testing.T) {
	t.Parallel()
	standIn := standintrainer.New(t, "cpu")
	c := client(t, trainer.Options{URL: standIn.URL, Token: "a-token"})
	if _, err := c.Defaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range c.WatchGPU(t.Context(), time.Second) {
		break
	}
	tokens := standIn.Tokens()
	if len(tokens) != 2 || slices.ContainsFunc(tokens, func(s string) bool { return s != "Bearer a-token" }) {
		t.Errorf("the calls bore %q", tokens)
	}
}

func TestASilentStreamIsDropped(t *testing.T) {
	t.Parallel()
	standIn := standintrainer.New(t, "cpu")
	standIn.Add(trainingtest.Run("a-run-01"))
	standIn.Fall(true)
	c := client(t, trainer.Options{URL: standIn.URL, Silence: 50 * time.Millisecond})
	for _, err := range c.WatchTraining(t.Context(), "a-run-01", 0) {
		if domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("a silent stream: %v", err)
		}
	}
}

// TestASlowReaderIsNoSilentTrainer: the time that a reader takes is not the trainer's.
func TestASlowReaderIsNoSilentTrainer(t *testing.T) {
	t.Parallel()
	standIn := standintrainer.New(t, "cpu")
	standIn.Add(trainingtest.Run("a-run-01"))
	standIn.Happen("a-run-01", trainingtest.Change(1, domain.TrainingCompleted, ""))
	const silence = 200 * time.Millisecond
	c := client(t, trainer.Options{URL: standIn.URL, Silence: silence})
	events := 0
	for news, err := range c.WatchTraining(t.Context(), "a-run-01", 0) {
		if err != nil {
			t.Fatal(err)
		}
		events += len(news.Events)
		time.Sleep(2 * silence) // longer than the trainer may be silent
	}
	if events != 1 {
		t.Errorf("%d events came", events)
	}
}

func TestWhatTheTrainerSaysIsKept(t *testing.T) {
	t.Parallel()
	standIn := standintrainer.New(t, "cpu")
	c := client(t, trainer.Options{URL: standIn.URL})
	start := func(refusal *connect.Error) error {
		standIn.Refuse(refusal)
		_, err := c.StartTraining(t.Context(), domain.TrainingOrder{ConfigYAML: "name: x"})
		return err
	}
	field := &validate.FieldPath{Elements: []*validate.FieldPathElement{{FieldName: proto.String("ppo")}, {FieldName: proto.String("n_steps")}}}
	invalid := connect.NewError(connect.CodeInvalidArgument, errors.New("two faults"))
	detail(t, invalid, &validate.Violations{Violations: []*validate.Violation{
		{RuleId: proto.String("greater_than"), Message: proto.String("must be above 0, line 9"), Field: field}, {RuleId: proto.String("missing"), Message: proto.String("must be given")},
	}})
	said, ok := errors.AsType[*domain.Error](start(invalid))
	if !ok || said.Code != domain.CodeInvalidArgument || len(said.Violations) != 2 || said.Violations[0] != (domain.Violation{Field: "ppo.n_steps", Rule: "greater_than", Message: "must be above 0, line 9"}) {
		t.Errorf("violations: %+v", said)
	}
	full := connect.NewError(connect.CodeResourceExhausted, errors.New("the queue is full"))
	detail(t, full, &trainingv1.TrainingBusy{Queued: 4, QueueLimit: 4, RetryAfter: durationpb.New(time.Minute), Running: []*trainingv1.Training{{RunId: "a-run-01"}}})
	busy, ok := errors.AsType[*domain.TrainingBusy](start(full))
	if !ok || busy.RetryAfter != time.Minute || busy.Queued != 4 || len(busy.Running) != 1 || domain.CodeOf(busy) != domain.CodeResourceExhausted {
		t.Errorf("busy: %+v", busy)
	}
	for code, want := range map[connect.Code]domain.Code{
		connect.CodeNotFound: domain.CodeNotFound, connect.CodeFailedPrecondition: domain.CodeFailedPrecondition, connect.CodeAlreadyExists: domain.CodeAlreadyExists,
		connect.CodeResourceExhausted: domain.CodeResourceExhausted, connect.CodeUnauthenticated: domain.CodeUnavailable, connect.CodeInternal: domain.CodeUnavailable,
		connect.CodeUnavailable: domain.CodeUnavailable,
	} {
		if err := start(connect.NewError(code, errors.New("so it is"))); domain.CodeOf(err) != want {
			t.Errorf("%v became %v", code, err)
		}
	}
	standIn.Leave()
	if _, err := c.Defaults(t.Context()); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("a trainer that is away: %v", err)
	}
}

func detail(t *testing.T, to *connect.Error, m proto.Message) {
	t.Helper()
	d, err := connect.NewErrorDetail(m)
	if err != nil {
		t.Fatal(err)
	}
	to.AddDetail(d)
}
