package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted answers both calls with what the test sets.
type scripted struct {
	inferencev1connect.UnimplementedInferenceServiceHandler
	unary  func(context.Context) (*inferencev1.MapPolicyResponse, error)
	stream func(context.Context, *connect.ServerStream[inferencev1.RunEpisodeResponse]) error
}

func (s scripted) MapPolicy(ctx context.Context, _ *inferencev1.MapPolicyRequest) (*inferencev1.MapPolicyResponse, error) {
	return s.unary(ctx)
}

func (s scripted) RunEpisode(ctx context.Context, _ *inferencev1.RunEpisodeRequest, stream *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
	return s.stream(ctx, stream)
}

// failing returns a service both of whose calls end in err.
func failing(err error) scripted {
	return scripted{
		unary: func(context.Context) (*inferencev1.MapPolicyResponse, error) { return nil, err },
		stream: func(context.Context, *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
			return err
		},
	}
}

// chain is the real handler chain around a scripted service.
type chain struct {
	url      string
	client   inferencev1connect.InferenceServiceClient
	drain    context.CancelFunc
	guard    *rpc.Guard
	counters *usecase.Counters
	log      *bytes.Buffer // to be read when finish has returned
	finish   func()        // waits for all requests
}

func newChain(t *testing.T, service scripted) *chain {
	t.Helper()
	drain, cancel := context.WithCancel(context.Background())
	c := &chain{drain: cancel, guard: rpc.NewGuard(drain), counters: &usecase.Counters{}, log: &bytes.Buffer{}}
	logger := slog.New(slog.NewJSONHandler(c.log, nil))
	handler := httpapi.NewPublic(httpapi.Options{
		Guard:  c.guard,
		Log:    access.NewLog(logger, c.counters, time.Now),
		Logger: logger,
	}, httpapi.Routes{Services: []httpapi.Service{func(options ...connect.HandlerOption) (string, http.Handler) {
		return inferencev1connect.NewInferenceServiceHandler(service, options...)
	}}})
	server := httptest.NewServer(handler)
	t.Cleanup(cancel)
	c.finish = server.Close
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	c.url = server.URL
	c.client = inferencev1connect.NewInferenceServiceClient(http.DefaultClient, server.URL)
	return c
}

var (
	validMap = &inferencev1.MapPolicyRequest{Maze: &mazev1.MazeRef{Maze: &mazev1.MazeRef_MazeId{MazeId: "heldout-0001"}}}
	validRun = &inferencev1.RunEpisodeRequest{Maze: &mazev1.MazeRef{Maze: &mazev1.MazeRef_MazeId{MazeId: "heldout-0001"}}}
)

// call makes the unary and the streaming call and returns their errors by name.
func (c *chain) call(t *testing.T, mapRequest *inferencev1.MapPolicyRequest, runRequest *inferencev1.RunEpisodeRequest) map[string]*connect.Error {
	t.Helper()
	failures := map[string]*connect.Error{}
	_, err := c.client.MapPolicy(t.Context(), mapRequest)
	failures["unary"], _ = errors.AsType[*connect.Error](err)
	stream, err := c.client.RunEpisode(t.Context(), runRequest)
	if err != nil {
		t.Fatal(err)
	}
	for stream.Receive() {
	}
	failures["stream"], _ = errors.AsType[*connect.Error](stream.Err())
	_ = stream.Close()
	return failures
}

func violationOf(t *testing.T, err *connect.Error) *validate.Violation {
	t.Helper()
	if len(err.Details()) != 1 {
		t.Fatalf("%d details, want one: %v", len(err.Details()), err)
	}
	value, valueErr := err.Details()[0].Value()
	if valueErr != nil {
		t.Fatal(valueErr)
	}
	violations, ok := value.(*validate.Violations)
	if !ok || len(violations.GetViolations()) != 1 {
		t.Fatalf("detail is %v, want one violation", value)
	}
	return violations.GetViolations()[0]
}

func TestEveryDomainCodeHasItsConnectCode(t *testing.T) {
	table := map[domain.Code]connect.Code{
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
	for code := domain.CodeInternal; code <= domain.CodeAborted; code++ {
		want, listed := table[code]
		if !listed {
			t.Errorf("domain code %d is not in the table", code)
			continue
		}
		failure := &domain.Error{Code: code, Field: "maze.drawn.rows", Rule: "goal.missing", Message: "the maze has no goal", Cause: errors.New("dial 10.0.0.7:5432: SQLSTATE 08006")}
		for shape, got := range newChain(t, failing(failure)).call(t, validMap, validRun) {
			if got == nil || got.Code() != want {
				t.Errorf("%s call with domain code %d gave %v, want %v", shape, code, got, want)
				continue
			}
			if strings.Contains(got.Message(), "10.0.0.7") || strings.Contains(got.Message(), "SQLSTATE") {
				t.Errorf("%s call leaks its cause: %q", shape, got.Message())
			}
			if code == domain.CodeInternal {
				continue // A defect of ours names no field.
			}
			violation := violationOf(t, got)
			if path := protovalidate.FieldPathString(violation.GetField()); path != "maze.drawn.rows" || violation.GetRuleId() != "goal.missing" {
				t.Errorf("%s call names field %q and rule %q", shape, path, violation.GetRuleId())
			}
		}
	}
}

func TestABrokenRuleOfTheContractReadsLikeOneOfTheDomain(t *testing.T) {
	service := failing(errors.New("must not be reached"))
	badMap := &inferencev1.MapPolicyRequest{Maze: validMap.Maze, AfterStep: -1}
	badRun := &inferencev1.RunEpisodeRequest{Maze: validRun.Maze, AfterStep: -1}
	for shape, got := range newChain(t, service).call(t, badMap, badRun) {
		if got == nil || got.Code() != connect.CodeInvalidArgument {
			t.Fatalf("%s call gave %v, want invalid_argument", shape, got)
		}
		if path := protovalidate.FieldPathString(violationOf(t, got).GetField()); path != "after_step" {
			t.Errorf("%s call names field %q, want after_step", shape, path)
		}
		if !strings.HasPrefix(got.Message(), "after_step: ") {
			t.Errorf("%s call says %q, want the field first", shape, got.Message())
		}
	}
}

func TestAPanicIsInternalAndNamesNothingButTheRequest(t *testing.T) {
	service := scripted{
		unary: func(context.Context) (*inferencev1.MapPolicyResponse, error) { panic("secret of the server") },
		stream: func(context.Context, *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
			panic("secret of the server")
		},
	}
	c := newChain(t, service)
	for shape, got := range c.call(t, validMap, validRun) {
		if got == nil || got.Code() != connect.CodeInternal || strings.Contains(got.Message(), "secret") || !strings.Contains(got.Message(), "request_id") {
			t.Errorf("%s call gave %v, want internal with the request id only", shape, got)
		}
	}
	c.finish()
	if !strings.Contains(c.log.String(), "secret of the server") {
		t.Error("the log does not hold the panic")
	}
	if c.counters.FailedRequests.Load() != 2 || c.counters.ErrorRate() != 1 {
		t.Errorf("%d failed requests, error rate %v; want 2 and 1", c.counters.FailedRequests.Load(), c.counters.ErrorRate())
	}
}

func TestDrainingEndsStreamsWithUnavailable(t *testing.T) {
	started := make(chan struct{})
	c := newChain(t, scripted{stream: func(ctx context.Context, _ *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}})
	ended := make(chan error, 1)
	go func() {
		stream, err := c.client.RunEpisode(context.Background(), validRun)
		if err == nil {
			for stream.Receive() {
			}
			err = stream.Err()
			_ = stream.Close()
		}
		ended <- err
	}()
	<-started
	c.drain()
	if err := <-ended; connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("the running stream ended in %v, want unavailable", err)
	}
	stream, err := c.client.RunEpisode(t.Context(), validRun)
	if err != nil {
		t.Fatal(err)
	}
	if stream.Receive() || connect.CodeOf(stream.Err()) != connect.CodeUnavailable {
		t.Errorf("a new stream ended in %v, want unavailable", stream.Err())
	}
	_ = stream.Close()
}

func TestAStreamEndsAfterItsLongestTimeAndMayBeResumedAtOnce(t *testing.T) {
	wait := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	c := newChain(t, scripted{
		stream: func(ctx context.Context, _ *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
			return wait(ctx)
		},
		unary: func(context.Context) (*inferencev1.MapPolicyResponse, error) {
			return &inferencev1.MapPolicyResponse{}, nil
		},
	})
	c.guard.LimitStreams(time.Millisecond)
	check := func(name string, err error) {
		t.Helper()
		coded, ok := errors.AsType[*connect.Error](err)
		if !ok || coded.Code() != connect.CodeResourceExhausted || len(coded.Details()) != 1 || coded.Details()[0].Type() != "google.rpc.RetryInfo" {
			t.Errorf("%s ended in %v", name, err)
		}
	}
	stream, err := c.client.RunEpisode(t.Context(), validRun)
	if err != nil {
		t.Fatal(err)
	}
	for stream.Receive() {
	}
	check("the stream by Connect", stream.Err())
	_ = stream.Close()
	if ended := c.guard.Serve(t.Context(), validRun, wait); ended != nil {
		check("the stream by another transport", ended)
	} else {
		t.Error("the stream by another transport ended well")
	}
}

func TestOneLineIsLoggedForEachRequestWithItsFields(t *testing.T) {
	c := newChain(t, scripted{
		unary: func(ctx context.Context) (*inferencev1.MapPolicyResponse, error) {
			access.FromContext(ctx).ModelID = "ppo-memory-1"
			return &inferencev1.MapPolicyResponse{}, nil
		},
		stream: func(_ context.Context, stream *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
			return stream.Send(&inferencev1.RunEpisodeResponse{})
		},
	})
	c.call(t, validMap, validRun)
	c.finish()
	lines := strings.Split(strings.TrimSpace(c.log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2: %s", len(lines), c.log)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"request_id", "duration_ms", "request_count", "error_rate", "ws_connections", "model_id", "procedure", "code"} {
		if _, found := line[field]; !found {
			t.Errorf("the line has no %s: %s", field, lines[0])
		}
	}
	if line["model_id"] != "ppo-memory-1" || line["code"] != "ok" || line["transport"] != "connect" {
		t.Errorf("the line is %s", lines[0])
	}
}

func TestARequestIDIsKeptWhenItIsHarmless(t *testing.T) {
	c := newChain(t, failing(domain.ErrMazeNotFound))
	for given, kept := range map[string]bool{"trace-42": true, "": false, "with space": false, strings.Repeat("a", 65): false} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/rlmaze.inference.v1.InferenceService/MapPolicy", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header[httpapi.RequestIDHeader] = []string{given}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		answered := response.Header.Get(httpapi.RequestIDHeader)
		if (answered == given) != kept || answered == "" {
			t.Errorf("request id %q was answered with %q", given, answered)
		}
	}
}

func TestJSONHoldsDefaultsAndEnumNames(t *testing.T) {
	c := newChain(t, scripted{unary: func(context.Context) (*inferencev1.MapPolicyResponse, error) {
		return &inferencev1.MapPolicyResponse{Position: &mazev1.Cell{}, PolicyMap: &inferencev1.PolicyMap{Kind: inferencev1.ScoreKind_SCORE_KIND_LOGIT}}, nil
	}})
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8"} {
		response, err := http.Post(c.url+"/rlmaze.inference.v1.InferenceService/MapPolicy", contentType, strings.NewReader(`{"maze":{"mazeId":"heldout-0001"}}`)) //nolint:noctx // a test's own server
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		compact := strings.ReplaceAll(string(body), " ", "")
		for _, want := range []string{`"row":0`, `"col":0`, `"kind":"SCORE_KIND_LOGIT"`, `"atStep":0`} {
			if !strings.Contains(compact, want) {
				t.Errorf("%s: %s is not in %s", contentType, want, body)
			}
		}
	}
}

func TestAnEndFrameReadsAsConnectsEndOfStream(t *testing.T) {
	if got := string(rpc.EndFrame(nil)); got != "{}" {
		t.Errorf("a good end is %s, want {}", got)
	}
	ctx := context.Background()
	var frame struct {
		Error struct {
			Code    string
			Message string
			Details []struct {
				Type, Value string
				Debug       map[string]any
			}
		}
	}
	if err := json.Unmarshal(rpc.EndFrame(rpc.TranslateError(ctx, domain.ErrMazeNotFound)), &frame); err != nil {
		t.Fatal(err)
	}
	if frame.Error.Code != "not_found" || frame.Error.Message == "" || len(frame.Error.Details) != 1 || frame.Error.Details[0].Type != "buf.validate.Violations" {
		t.Errorf("the frame is %+v", frame)
	}
}

func TestTranslateErrorKeepsTheClientsDeparture(t *testing.T) {
	for err, want := range map[error]connect.Code{context.Canceled: connect.CodeCanceled, context.DeadlineExceeded: connect.CodeDeadlineExceeded} {
		if got := rpc.TranslateError(context.Background(), err); got.Code() != want {
			t.Errorf("%v became %v, want %v", err, got.Code(), want)
		}
	}
	if rpc.TranslateError(context.Background(), nil) != nil {
		t.Error("no error became one")
	}
}

func TestEveryRuleOfTheContractCompiles(t *testing.T) {
	rpc.PrepareValidation()
	for _, request := range []proto.Message{new(inferencev1.RunEpisodeRequest), new(inferencev1.MapPolicyRequest), new(mazev1.CheckMazeRequest)} {
		if err := rpc.Validate(request); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("an empty %s gave %v, want invalid_argument", request.ProtoReflect().Descriptor().FullName(), err)
		}
	}
}
