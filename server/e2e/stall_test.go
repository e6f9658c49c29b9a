package e2e

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/interface/ws"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// endless streams without an end and without computing, so that only reading can hold it up.
type endless struct {
	inferencev1connect.UnimplementedInferenceServiceHandler
	blocked chan time.Duration // how long the write that failed had been blocked
}

func (e endless) RunEpisode(ctx context.Context, _ *inferencev1.RunEpisodeRequest, stream *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
	return e.stream(ctx, func(message proto.Message) error {
		return stream.Send(message.(*inferencev1.RunEpisodeResponse))
	})
}

func (e endless) stream(ctx context.Context, send func(proto.Message) error) error {
	message := &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Started{Started: &inferencev1.EpisodeStarted{ResumeToken: strings.Repeat("x", 4<<10)}}}
	for {
		began := time.Now()
		if err := send(message); err != nil {
			e.blocked <- time.Since(began)
			return err
		}
		if ctx.Err() != nil { // cut while nothing was blocked
			e.blocked <- 0
			return ctx.Err()
		}
	}
}

// TestABlockedWriteIsCutWithinFiveSeconds measures, with the server's own limits, from the moment at which a write blocks.
func TestABlockedWriteIsCutWithinFiveSeconds(t *testing.T) {
	if !measured.Quiet() {
		t.Skip("a figure of the soak; that a reader who stalls is cut at all is tested beside each transport")
	}
	const limit, readers = 5 * time.Second, 20
	drain, stop := context.WithCancel(context.Background())
	defer stop()
	service := endless{blocked: make(chan time.Duration, readers)}
	guard, counters, logger := rpc.NewGuard(drain), &usecase.Counters{}, slog.New(slog.DiscardHandler)
	silent := make(chan time.Duration, readers)
	sockets := ws.NewHandler(
		ws.Options{Guard: guard, Counters: counters, OriginAllowed: func(string, string) bool { return true }},
		ws.Stream{
			Name:       "runEpisode",
			NewRequest: func() proto.Message { return new(inferencev1.RunEpisodeRequest) },
			Serve: func(ctx context.Context, request proto.Message, send func(proto.Message) error) error {
				if request.(*inferencev1.RunEpisodeRequest).GetMaxSteps() > 0 { // sends nothing: only a missing pong can tell
					began := time.Now()
					<-ctx.Done()
					silent <- time.Since(began)
					return ctx.Err()
				}
				return service.stream(ctx, send)
			},
		})
	server := httptest.NewUnstartedServer(nil)
	server.Config = httpapi.NewServer(httpapi.NewPublic(
		httpapi.Options{Guard: guard, Log: access.NewLog(logger, counters, time.Now), Logger: logger},
		httpapi.Routes{
			Services: []httpapi.Service{func(o ...connect.HandlerOption) (string, http.Handler) {
				return inferencev1connect.NewInferenceServiceHandler(service, o...)
			}},
			WebSockets: map[string]http.Handler{"/ws/inference": sockets},
		}), logger)
	server.Start()
	defer server.Close()

	request := func() *inferencev1.RunEpisodeRequest {
		return &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001")}
	}
	var opened []io.Closer
	for i := range 3 {
		for range readers {
			way := transports(t, 4<<10)[i] // each on a connection of its own
			live, err := way.open(t.Context(), server.URL, request())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := live.next(); err != nil { // and no more
				t.Fatal(err)
			}
			opened = append(opened, closer(live.close))
		}
		report(t, transports(t, 0)[i].name+", a reader that stalls: from the blocked write", service.blocked, readers, limit)
	}

	for range readers { // reads nothing at all, so it answers no ping
		socket := dialRaw(t, strings.TrimPrefix(server.URL, "http://"))
		opened = append(opened, socket)
	}
	report(t, "WebSocket, no pong: from the start of the stream", silent, readers, limit)
	for _, one := range opened {
		_ = one.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), measured.Patience)
	defer cancel()
	if err := sockets.Wait(ctx); err != nil {
		t.Error(err)
	}
}

type closer func()

func (c closer) Close() error {
	c()
	return nil
}

// dialRaw opens a WebSocket, asks for a stream, and reads nothing ever after.
func dialRaw(t *testing.T, address string) net.Conn {
	t.Helper()
	var held net.Conn
	var once sync.Once
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		once.Do(func() { held = conn })
		return conn, err
	}}
	socket, _, err := websocket.Dial(t.Context(), "ws://"+address+"/ws/inference", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	if err := socket.Write(t.Context(), websocket.MessageText, []byte(`{"runEpisode": {"maze": {"mazeId": "heldout-0001"}, "maxSteps": 1}}`)); err != nil {
		t.Fatal(err)
	}
	return held
}

// report takes so many figures, prints the largest and requires it to keep the limit.
func report(t *testing.T, what string, figures <-chan time.Duration, n int, limit time.Duration) {
	t.Helper()
	var least, most time.Duration
	for i := range n {
		select {
		case took := <-figures:
			most = max(most, took)
			if least = min(least, took); i == 0 {
				least = took
			}
		case <-time.After(measured.Patience):
			t.Fatalf("%s: only %d of %d were cut", what, i, n)
		}
	}
	if most > limit {
		t.Errorf("%s: %v until it was cut, want %v", what, most, limit)
	}
	t.Logf("%s: %d were cut after %v to %v (limit %v)", what, n, least.Round(time.Millisecond), most.Round(time.Millisecond), limit)
}
