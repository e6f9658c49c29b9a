package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/interface/ws"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const allowedOrigin = "https://maze.example.com"

// server is the WebSocket handler behind the real chain.
type server struct {
	url      string
	counters *usecase.Counters
	drain    context.CancelFunc
	handler  *ws.Handler
}

// serve starts a server whose one stream is run by serve.
func serve(t *testing.T, run func(ctx context.Context, request *inferencev1.RunEpisodeRequest, send func(proto.Message) error) error) *server {
	t.Helper()
	drain, cancel := context.WithCancel(context.Background())
	s := &server{counters: &usecase.Counters{}, drain: cancel}
	guard := rpc.NewGuard(drain)
	s.handler = ws.NewHandler(ws.Options{
		Guard:         guard,
		Counters:      s.counters,
		OriginAllowed: func(origin, host string) bool { return httpapi.OriginAllowed(origin, host, []string{allowedOrigin}) },
		PingEvery:     50 * time.Millisecond,

		MostConnections: 64,
	}, ws.Stream{
		Name:       "runEpisode",
		NewRequest: func() proto.Message { return new(inferencev1.RunEpisodeRequest) },
		Serve: func(ctx context.Context, request proto.Message, send func(proto.Message) error) error {
			return run(ctx, request.(*inferencev1.RunEpisodeRequest), send)
		},
	})
	logger := slog.New(slog.DiscardHandler)
	public := httpapi.NewPublic(httpapi.Options{Guard: guard, Log: access.NewLog(logger, s.counters, time.Now), Logger: logger}, httpapi.Routes{WebSockets: map[string]http.Handler{"/ws/inference": s.handler}})
	listener := httptest.NewServer(public)
	s.url = "ws" + strings.TrimPrefix(listener.URL, "http") + "/ws/inference"
	t.Cleanup(func() {
		cancel()
		listener.Close()
		ctx, cancelWait := context.WithTimeout(context.Background(), time.Minute)
		defer cancelWait()
		if err := s.handler.Wait(ctx); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

func (s *server) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	socket, _, err := websocket.Dial(t.Context(), s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.CloseNow() })
	return socket
}

func write(t *testing.T, socket *websocket.Conn, frame string) {
	t.Helper()
	if err := socket.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

// frames reads until the connection ends and returns the frames and how it was closed.
func frames(t *testing.T, socket *websocket.Conn) ([]string, websocket.StatusCode) {
	t.Helper()
	var read []string
	for {
		_, frame, err := socket.Read(t.Context())
		if err != nil {
			return read, websocket.CloseStatus(err)
		}
		read = append(read, string(frame))
	}
}

const request = `{"runEpisode": {"maze": {"mazeId": "heldout-0001"}}}`

func heartbeat() proto.Message {
	return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Heartbeat{Heartbeat: &inferencev1.Heartbeat{}}}
}

func TestAStreamIsItsMessagesAndAnEmptyFrame(t *testing.T) {
	s := serve(t, func(_ context.Context, request *inferencev1.RunEpisodeRequest, send func(proto.Message) error) error {
		if request.GetMaze().GetMazeId() != "heldout-0001" {
			t.Errorf("the request is %v", request)
		}
		return errors.Join(send(heartbeat()), send(heartbeat()))
	})
	socket := s.dial(t)
	write(t, socket, request)
	got, status := frames(t, socket)
	if len(got) != 3 || got[2] != "{}" || status != websocket.StatusNormalClosure {
		t.Fatalf("frames %v, closed with %v", got, status)
	}
	var message inferencev1.RunEpisodeResponse
	if err := protojson.Unmarshal([]byte(got[0]), &message); err != nil || message.GetHeartbeat() == nil {
		t.Errorf("the first frame is %s: %v", got[0], err)
	}
}

func errorCode(t *testing.T, frame string) string {
	t.Helper()
	var end struct{ Error struct{ Code string } }
	if err := json.Unmarshal([]byte(frame), &end); err != nil {
		t.Fatalf("the last frame is %q: %v", frame, err)
	}
	return end.Error.Code
}

func TestBadFirstFramesGetInvalidArgument(t *testing.T) {
	s := serve(t, func(context.Context, *inferencev1.RunEpisodeRequest, func(proto.Message) error) error { return nil })
	for _, frame := range []string{
		"", "{", "[]", "null", `"runEpisode"`, "{}", `{"watchTraining": {}}`, `{"runEpisode": {}, "more": {}}`, `{"runEpisode": []}`,
		`{"runEpisode": {"maze": 5}}`, `{"runEpisode": {"maze": {"mazeId": "heldout-0001"}, "afterStep": -1}}`, `{"runEpisode": {}}`, "\x00\xff",
	} {
		socket := s.dial(t)
		if frame == "\x00\xff" {
			if err := socket.Write(t.Context(), websocket.MessageBinary, []byte(frame)); err != nil {
				t.Fatal(err)
			}
		} else {
			write(t, socket, frame)
		}
		got, status := frames(t, socket)
		if len(got) != 1 || errorCode(t, got[0]) != "invalid_argument" || status != websocket.StatusNormalClosure {
			t.Errorf("%q was answered with %v, closed with %v", frame, got, status)
		}
	}
}

func TestAnErrorIsTheLastFrame(t *testing.T) {
	s := serve(t, func(_ context.Context, _ *inferencev1.RunEpisodeRequest, send func(proto.Message) error) error {
		return errors.Join(send(heartbeat()), domain.ErrMazeNotFound)
	})
	socket := s.dial(t)
	write(t, socket, request)
	got, status := frames(t, socket)
	if len(got) != 2 || errorCode(t, got[1]) != "not_found" || status != websocket.StatusNormalClosure {
		t.Errorf("frames %v, closed with %v", got, status)
	}
}

func TestOnlyAllowedPagesMayConnect(t *testing.T) {
	s := serve(t, func(context.Context, *inferencev1.RunEpisodeRequest, func(proto.Message) error) error { return nil })
	host := strings.TrimPrefix(strings.Split(s.url, "/ws/")[0], "ws://")
	for origin, allowed := range map[string]bool{allowedOrigin: true, "http://" + host: true, "": true, "https://evil.example.com": false, "null": false} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		socket, response, err := websocket.Dial(t.Context(), s.url, &websocket.DialOptions{HTTPHeader: header})
		if (err == nil) != allowed {
			t.Errorf("origin %q: %v", origin, err)
		}
		if err == nil {
			_ = socket.CloseNow()
		} else if response.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q was answered with status %d", origin, response.StatusCode)
		}
	}
}

// Idle ones count, too: who connects and asks for nothing must not take the places of all.
func TestWebSocketsBeyondTheLimitAreToldSo(t *testing.T) {
	s := serve(t, func(context.Context, *inferencev1.RunEpisodeRequest, func(proto.Message) error) error { return nil })
	var idle []*websocket.Conn
	for range 64 {
		idle = append(idle, s.dial(t))
	}
	_, response, err := websocket.Dial(t.Context(), s.url, nil)
	if err == nil || response == nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") == "" {
		t.Fatalf("one too many was answered %v, %v", response, err)
	}
	_ = idle[0].CloseNow()
	waitFor(t, func() bool {
		socket, _, err := websocket.Dial(t.Context(), s.url, nil)
		if err != nil {
			return false
		}
		defer func() { _ = socket.CloseNow() }()
		write(t, socket, request)
		got, _ := frames(t, socket)
		return len(got) == 1 && got[0] == "{}"
	})
}

func TestAClientThatLeavesEndsItsStream(t *testing.T) {
	ended := make(chan error, 1)
	s := serve(t, func(ctx context.Context, _ *inferencev1.RunEpisodeRequest, _ func(proto.Message) error) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	socket := s.dial(t)
	write(t, socket, request)
	waitFor(t, func() bool { return s.counters.WebSockets.Load() == 1 })
	_ = socket.CloseNow()
	<-ended
	waitFor(t, func() bool { return s.counters.WebSockets.Load() == 0 })
}

func TestDrainingIsToldInTheLastFrame(t *testing.T) {
	started := make(chan struct{})
	s := serve(t, func(ctx context.Context, _ *inferencev1.RunEpisodeRequest, _ func(proto.Message) error) error {
		close(started)
		<-ctx.Done()
		return context.Cause(ctx)
	})
	socket := s.dial(t)
	write(t, socket, request)
	<-started
	s.drain()
	got, status := frames(t, socket)
	if len(got) != 1 || errorCode(t, got[0]) != "unavailable" || status != websocket.StatusNormalClosure {
		t.Errorf("frames %v, closed with %v", got, status)
	}
}

func TestAPeerThatAnswersNoPingIsCut(t *testing.T) {
	ended := make(chan struct{})
	s := serve(t, func(ctx context.Context, _ *inferencev1.RunEpisodeRequest, _ func(proto.Message) error) error {
		<-ctx.Done()
		close(ended)
		return ctx.Err()
	})
	socket := s.dial(t) // Pongs are sent by Read, which this client never calls.
	write(t, socket, request)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it was never cut")
	}
}

// How soon is measured by the soak, on a machine that does nothing else.
func TestAReaderThatStallsIsCut(t *testing.T) {
	blocked := make(chan time.Duration, 1)
	s := serve(t, func(_ context.Context, _ *inferencev1.RunEpisodeRequest, send func(proto.Message) error) error {
		message := &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Started{Started: &inferencev1.EpisodeStarted{ResumeToken: strings.Repeat("x", 32<<10)}}}
		for {
			began := time.Now()
			if err := send(message); err != nil {
				blocked <- time.Since(began)
				return err
			}
		}
	})
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return conn, err
	}}
	socket, _, err := websocket.Dial(t.Context(), s.url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	write(t, socket, request)
	select {
	case <-blocked:
	case <-time.After(time.Minute):
		t.Fatal("the blocked write was never cut")
	}
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen within a minute")
		}
		time.Sleep(time.Millisecond)
	}
}
