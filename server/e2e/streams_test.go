package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"connectrpc.com/connect"
	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// messages is one stream of any transport. next returns io.EOF after a good end.
type messages[R any] interface {
	next() (*R, error)
	close()
}

// stream is that of an episode.
type stream = messages[inferencev1.RunEpisodeResponse]

// transport opens streams in one of the ways that clients have.
type transport struct {
	name       string
	http       *http.Client
	open       func(ctx context.Context, base string, request *inferencev1.RunEpisodeRequest) (stream, error)
	openRace   func(ctx context.Context, base string, request *inferencev1.RunRaceRequest) (messages[inferencev1.RunRaceResponse], error)
	openReplay func(ctx context.Context, base string, request *inferencev1.ReplayEpisodeRequest) (messages[inferencev1.ReplayEpisodeResponse], error)
}

// transports returns the three ways, each with connections of its own. A read buffer of some kilobytes makes readers that stall early.
func transports(t *testing.T, readBuffer int) []transport {
	t.Helper()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil && readBuffer > 0 {
			err = conn.(*net.TCPConn).SetReadBuffer(readBuffer)
		}
		return conn, err
	}
	client := func(set func(*http.Protocols)) *http.Client {
		protocols := new(http.Protocols)
		set(protocols)
		tr := &http.Transport{Protocols: protocols, DialContext: dial, MaxIdleConnsPerHost: 64}
		if readBuffer > 0 {
			tr.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 16 << 10, MaxReceiveBufferPerConnection: 64 << 10}
		}
		t.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: tr}
	}
	http1, h2c, ws := client(func(p *http.Protocols) { p.SetHTTP1(true) }), client(func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }), client(func(p *http.Protocols) { p.SetHTTP1(true) })
	return []transport{
		overConnect("Connect HTTP/1.1", http1),
		overConnect("Connect h2c", h2c),
		{
			"WebSocket", ws,
			func(ctx context.Context, base string, request *inferencev1.RunEpisodeRequest) (stream, error) {
				return openWebSocket[inferencev1.RunEpisodeResponse](ctx, ws, base, "runEpisode", request)
			},
			func(ctx context.Context, base string, request *inferencev1.RunRaceRequest) (messages[inferencev1.RunRaceResponse], error) {
				return openWebSocket[inferencev1.RunRaceResponse](ctx, ws, base, "runRace", request)
			},
			func(ctx context.Context, base string, request *inferencev1.ReplayEpisodeRequest) (messages[inferencev1.ReplayEpisodeResponse], error) {
				return openWebSocket[inferencev1.ReplayEpisodeResponse](ctx, ws, base, "replayEpisode", request)
			},
		},
	}
}

func overConnect(name string, client *http.Client) transport {
	return transport{
		name, client,
		func(ctx context.Context, base string, request *inferencev1.RunEpisodeRequest) (stream, error) {
			return openConnect(ctx, request, inferencev1connect.NewInferenceServiceClient(client, base).RunEpisode)
		},
		func(ctx context.Context, base string, request *inferencev1.RunRaceRequest) (messages[inferencev1.RunRaceResponse], error) {
			return openConnect(ctx, request, inferencev1connect.NewInferenceServiceClient(client, base).RunRace)
		},
		func(ctx context.Context, base string, request *inferencev1.ReplayEpisodeRequest) (messages[inferencev1.ReplayEpisodeResponse], error) {
			return openConnect(ctx, request, inferencev1connect.NewEpisodeLogServiceClient(client, base).ReplayEpisode)
		},
	}
}

type connectStream[R any] struct {
	*connect.ServerStreamForClient[R]
	cancel context.CancelFunc
}

func openConnect[Q, R any](ctx context.Context, request *Q, call func(context.Context, *Q) (*connect.ServerStreamForClient[R], error)) (messages[R], error) {
	ctx, cancel := context.WithCancel(ctx)
	s, err := call(ctx, request)
	if err != nil {
		cancel()
		return nil, err
	}
	return connectStream[R]{s, cancel}, nil
}

func (s connectStream[R]) next() (*R, error) {
	if s.Receive() {
		return s.Msg(), nil
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

func (s connectStream[R]) close() {
	s.cancel()
	_ = s.Close()
}

type webSocketStream[R any] struct {
	ctx    context.Context
	socket *websocket.Conn
}

func openWebSocket[R any](ctx context.Context, client *http.Client, base, name string, request proto.Message) (messages[R], error) {
	socket, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(base, "http")+"/ws/inference", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return nil, connect.NewError(connect.CodeUnavailable, err)
	}
	socket.SetReadLimit(-1)
	body, err := protojson.Marshal(request)
	if err != nil {
		return nil, err
	}
	if err := socket.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{%q: %s}`, name, body)); err != nil {
		return nil, connect.NewError(connect.CodeUnavailable, err)
	}
	return webSocketStream[R]{ctx, socket}, nil
}

func (s webSocketStream[R]) next() (*R, error) {
	_, frame, err := s.socket.Read(s.ctx)
	if err != nil {
		return nil, connect.NewError(connect.CodeUnavailable, err)
	}
	var end struct {
		Error *struct {
			Code    connect.Code
			Message string
			Details []struct{ Type, Value string }
		}
	}
	if err := json.Unmarshal(frame, &end); err != nil {
		return nil, err
	}
	if end.Error != nil {
		failure := connect.NewError(end.Error.Code, errors.New(end.Error.Message))
		for _, d := range end.Error.Details {
			raw, _ := base64.RawStdEncoding.DecodeString(d.Value)
			violations := new(validate.Violations)
			if proto.Unmarshal(raw, violations) == nil {
				if detail, err := connect.NewErrorDetail(violations); err == nil {
					failure.AddDetail(detail)
				}
			}
		}
		return nil, failure
	}
	if string(frame) == "{}" {
		return nil, io.EOF
	}
	response := new(R)
	return response, protojson.Unmarshal(frame, any(response).(proto.Message))
}

func (s webSocketStream[R]) close() { _ = s.socket.CloseNow() }

// mazeByID and drawnMaze name mazes.
func mazeByID(id string) *mazev1.MazeRef {
	return &mazev1.MazeRef{Maze: &mazev1.MazeRef_MazeId{MazeId: id}}
}

func drawnMaze(rows ...string) *mazev1.MazeRef {
	return &mazev1.MazeRef{Maze: &mazev1.MazeRef_Drawn{Drawn: &mazev1.DrawnMaze{Rows: rows}}}
}

func baseline(b inferencev1.Baseline) *inferencev1.PolicyRef {
	return &inferencev1.PolicyRef{Policy: &inferencev1.PolicyRef_Baseline{Baseline: b}}
}

func modelPolicy(id string) *inferencev1.PolicyRef {
	return &inferencev1.PolicyRef{Policy: &inferencev1.PolicyRef_ModelId{ModelId: id}}
}

func softmax(temperature float64) *inferencev1.Sampling {
	return &inferencev1.Sampling{Sampling: &inferencev1.Sampling_Softmax{Softmax: &inferencev1.Softmax{Temperature: temperature}}}
}

func newEpisodeID() string {
	var random [10]byte
	_, _ = rand.Read(random[:])
	return domain.NewEpisodeID(time.Now(), random)
}

// episode is what a client has of one episode, over all its streams.
type episode struct {
	started  *inferencev1.EpisodeStarted
	steps    []*inferencev1.Step
	finished *inferencev1.EpisodeFinished
}

// digest is the actions_digest of what was received.
func (e *episode) digest() uint64 {
	actions := make([]byte, len(e.steps))
	for i, s := range e.steps {
		actions[i] = byte(s.GetAction() - 1)
	}
	return domain.ActionsDigest(actions)
}

// resume returns the request that goes on where the episode was cut.
func (e *episode) resume(request *inferencev1.RunEpisodeRequest) *inferencev1.RunEpisodeRequest {
	next := proto.CloneOf(request)
	if e.started == nil {
		return next
	}
	next.EpisodeId = e.started.GetEpisodeId()
	next.Policy = e.started.GetPolicy()
	next.Seed = proto.Uint64(e.started.GetSeed())
	next.AfterStep = int32(len(e.steps))
	if next.AfterStep > 0 {
		next.ResumeToken = e.started.GetResumeToken()
		next.ActionsDigest = e.digest()
	}
	return next
}

// errCut is why follow stopped early.
var errCut = errors.New("cut")

// follow reads a stream until it ends, or until the episode has cutAfter steps (−1: never). It takes no step twice and misses none.
func (e *episode) follow(s stream, cutAfter int) error {
	defer s.close()
	for {
		response, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch event := response.GetEvent().(type) {
		case *inferencev1.RunEpisodeResponse_Started:
			if got := int(event.Started.GetFirstStep()); got != len(e.steps)+1 {
				return fmt.Errorf("first_step is %d after %d steps", got, len(e.steps))
			}
			e.started = event.Started
		case *inferencev1.RunEpisodeResponse_Steps:
			for _, step := range event.Steps.GetSteps() {
				if len(e.steps) == cutAfter {
					return errCut
				}
				if got := int(step.GetIndex()); got != len(e.steps)+1 {
					return fmt.Errorf("step %d came after step %d", got, len(e.steps))
				}
				e.steps = append(e.steps, step)
			}
			if len(e.steps) == cutAfter {
				return errCut
			}
		case *inferencev1.RunEpisodeResponse_Finished:
			e.finished = event.Finished
		}
	}
}

// run follows one whole episode.
func run(ctx context.Context, tr transport, base string, request *inferencev1.RunEpisodeRequest) (*episode, error) {
	e := &episode{}
	s, err := tr.open(ctx, base, request)
	if err != nil {
		return e, err
	}
	return e, e.follow(s, -1)
}

// difference tells where two episodes differ, in everything but the times; empty when they are the same.
func difference(a, b *episode) string {
	if len(a.steps) != len(b.steps) {
		return fmt.Sprintf("%d steps and %d steps", len(a.steps), len(b.steps))
	}
	for i := range a.steps {
		x, y := proto.CloneOf(a.steps[i]), proto.CloneOf(b.steps[i])
		x.ServerTs, y.ServerTs = nil, nil
		if !proto.Equal(x, y) {
			return fmt.Sprintf("step %d: %v and %v", i+1, x, y)
		}
	}
	if a.finished == nil || b.finished == nil {
		return fmt.Sprintf("finished: %v and %v", a.finished, b.finished)
	}
	x, y := proto.CloneOf(a.finished), proto.CloneOf(b.finished)
	x.ServerTs, y.ServerTs = nil, nil
	if !proto.Equal(x, y) {
		return fmt.Sprintf("finished: %v and %v", x, y)
	}
	return ""
}
