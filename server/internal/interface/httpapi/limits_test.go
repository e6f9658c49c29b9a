package httpapi_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1/modelv1connect"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// patience is for what must happen at all; how soon is not a unit test's matter.
const patience = time.Minute

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestConnectionsBeyondTheLimitAreToldSo(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := httpapi.LimitConnections(inner, 2)
	server := httpapi.NewServer(httpapi.NewPublic(options(t), routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)), slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	address := inner.Addr().String()
	const ask = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
	answer := func(conn net.Conn) *http.Response {
		t.Helper()
		send(t, conn, ask)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response
	}
	idle, busy := dial(t, address), dial(t, address)
	for _, conn := range []net.Conn{idle, busy} {
		if response := answer(conn); response.StatusCode != http.StatusOK {
			t.Fatalf("a connection within the limit got status %d", response.StatusCode)
		}
	}
	for range 3 {
		conn := dial(t, address)
		send(t, conn, ask)
		whole, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(whole), "HTTP/1.1 429 ") || !strings.Contains(string(whole), "resource_exhausted") || !strings.Contains(string(whole), "Retry-After") {
			t.Errorf("beyond the limit: %q, %v", whole, err)
		}
	}
	h2c := dial(t, address)
	send(t, h2c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	frames, err := io.ReadAll(h2c)
	const goAway = 7
	if err != nil || len(frames) < 18 || frames[9+3] != goAway || !bytes.Contains(frames, []byte("too many open connections")) {
		t.Errorf("HTTP/2 beyond the limit: %q, %v", frames, err)
	}
	_ = idle.Close()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if response := answer(dial(t, address)); response.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of a closed connection was not given back")
		}
	}
	if response := answer(busy); response.StatusCode != http.StatusOK {
		t.Errorf("the other connection got status %d", response.StatusCode)
	}
}

// A request whose body does not arrive is answered, whatever its protocol, and never holds a handler.
func TestABodyThatDoesNotArriveIsAnswered(t *testing.T) {
	short := options(t)
	short.BodyLimit = 50 * time.Millisecond
	address := strings.TrimPrefix(listen(t, httpapi.NewPublic(short, routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))), "http://")
	for name, c := range map[string]struct {
		path, contentType, body string
		want                    []string
	}{
		"unary":    {modelv1connect.ModelServiceListModelsProcedure, "application/json", "{", []string{"HTTP/1.1 504 ", "deadline_exceeded"}},
		"stream":   {inferencev1connect.InferenceServiceRunEpisodeProcedure, "application/connect+json", "\x00\x00\x00\x00\x30{", []string{"HTTP/1.1 200 ", "deadline_exceeded"}},
		"gRPC-Web": {modelv1connect.ModelServiceListModelsProcedure, "application/grpc-web+proto", "\x00\x00\x00\x00\x30\x0a", []string{"HTTP/1.1 200 ", "Grpc-Status: 4"}},
	} {
		conn := dial(t, address)
		send(t, conn, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: 53\r\n\r\n%s", c.path, c.contentType, c.body))
		answer, err := io.ReadAll(conn) // the server closes: what would still come is no request
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, part := range c.want {
			if !strings.Contains(string(answer), part) {
				t.Errorf("%s was answered %q, want %q in it", name, answer, part)
			}
		}
	}
}

func TestDamagedBodiesAreTheCallersMistake(t *testing.T) {
	address := strings.TrimPrefix(listen(t, httpapi.NewPublic(options(t), routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))), "http://")
	for name, c := range map[string]struct{ header, body, want string }{
		"cut short":             {"Content-Type: application/json\r\nContent-Length: 50", "{", "invalid_argument"},
		"broken chunk":          {"Content-Type: application/json\r\nTransfer-Encoding: chunked", "zz\r\n{}", "invalid_argument"},
		"half a gRPC-Web frame": {"Content-Type: application/grpc-web+proto\r\nContent-Length: 3", "\x00\x00\x00", "Grpc-Status: 3"},
		"less than promised":    {"Content-Type: application/grpc-web+proto\r\nContent-Length: 6", "\x00\x00\x00\x00\x09\x0a", "Grpc-Status: 3"},
		"flags of nobody":       {"Content-Type: application/grpc-web+proto\r\nContent-Length: 5", "\x42\x00\x00\x00\x00", "Grpc-Status: 3"},
	} {
		conn := dial(t, address)
		send(t, conn, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\nConnection: close\r\n\r\n%s", modelv1connect.ModelServiceListModelsProcedure, c.header, c.body))
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.Contains(string(answer), c.want) {
			t.Errorf("%s was answered %q, %v; want %q in it", name, answer, err, c.want)
		}
	}
}

// lines collects what is logged.
type lines struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

func TestTheLogNamesRoutesAndNoForeignPaths(t *testing.T) {
	var logged lines
	shared := options(t)
	shared.Log = access.NewLog(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), &usecase.Counters{}, time.Now)
	all := routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)
	handler := httpapi.NewPublic(shared, all)
	for path, want := range map[string]string{
		"/health": "/health",
		modelv1connect.ModelServiceListModelsProcedure:               modelv1connect.ModelServiceListModelsProcedure,
		inferencev1connect.InferenceServiceRunRaceProcedure:          inferencev1connect.InferenceServiceRunRaceProcedure,
		"/grpc.health.v1.Health/Check":                               "/grpc.health.v1.Health/Check",
		"/rlmaze.model.v1.ModelService/" + strings.Repeat("x", 3000): "other",
		"/wp-login.php":                  "other",
		"/":                              "other",
		"/health/../../etc/passwd%0a%0d": "other",
	} {
		logged.buffer.Reset()
		status(handler, http.MethodPost, path, "localhost", map[string]string{"Content-Type": "application/json"}, "{}")
		if line := logged.buffer.String(); !strings.Contains(line, "procedure="+want+" ") || len(line) > 1000 {
			t.Errorf("%.60s was logged as %.300s, want the route %s", path, line, want)
		}
	}
}
