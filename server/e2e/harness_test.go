// Package e2e runs the whole server as it ships: real stores, real ONNX Runtime, the shipped models, real sockets. RLMAZE_SOAK=1 takes
// the full counts in place of samples.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1/mazev1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1/modelv1connect"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1/systemv1connect"
	"github.com/rlmaze/rlmaze/server/internal/app"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mongo"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnxtrial"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/testing/mlflowtest"
	"github.com/rlmaze/rlmaze/server/internal/testing/mongotest"
)

// shared is a server that tests use which leave it as they found it.
var shared *server

func TestMain(m *testing.M) {
	onnxtrial.ServeIfChild()
	flag.Parse()
	var err error
	if shared, err = launch(nil); err != nil {
		fmt.Fprintln(os.Stderr, "start the server:", err)
		os.Exit(1)
	}
	status := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the server:", err)
		status = 1
	}
	if strings.Contains(shared.logged(), "panic") {
		fmt.Fprintln(os.Stderr, "the server panicked:\n"+shared.logged())
		status = 1
	}
	removeBinary()
	mlflowtest.Stop()
	http.DefaultClient.CloseIdleConnections()
	if status == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

// count returns how often a test repeats: the sample, or the full count in a soak.
func count(sample, full int) int {
	if measured.Quiet() {
		return full
	}
	return sample
}

// server is a running App.
type server struct {
	public  string // base URLs
	private string
	dataDir string
	keep    bool // the data folder outlives the server
	end     context.CancelFunc
	ended   chan error
	stopped sync.Once
	stopErr error
	log     lockedBuffer
}

// lockedBuffer is what the server logs to.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (s *server) logged() string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.buffer.String()
}

// complaints are the lines of the log that say what went wrong.
func (s *server) complaints() string {
	var lines []string
	for line := range strings.Lines(s.logged()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// environment returns the variables of a server on free ports; those given win.
func environment(dataDir string, variables map[string]string) (map[string]string, error) {
	models, err := filepath.Abs("../../ml/models")
	if err != nil {
		return nil, err
	}
	all := map[string]string{
		"RLMAZE_ADDR": "127.0.0.1:0", "RLMAZE_PRIVATE_ADDR": "127.0.0.1:0", "DATA_DIR": dataDir, "MODEL_STORE": models,
		"ONNXRUNTIME_LIB": os.Getenv("ONNXRUNTIME_LIB"), "POSTGRES_BIN": os.Getenv("POSTGRES_BIN"),
	}
	maps.Copy(all, variables)
	return all, nil
}

// dataFolder makes a folder whose path is short enough for Unix sockets.
func dataFolder() (string, error) { return os.MkdirTemp("", "rlmaze-e2e-") }

// launch starts a server in this process.
func launch(variables map[string]string) (*server, error) {
	s := &server{ended: make(chan error, 1), dataDir: variables["DATA_DIR"], keep: variables["DATA_DIR"] != ""}
	var err error
	if s.dataDir == "" {
		if s.dataDir, err = dataFolder(); err != nil {
			return nil, err
		}
	}
	all, err := environment(s.dataDir, variables)
	if err != nil {
		return nil, err
	}
	config, err := app.ReadConfig(all)
	if err != nil {
		return nil, err
	}
	a, err := app.New(context.Background(), config, slog.New(slog.NewTextHandler(&s.log, nil)))
	if err != nil {
		return nil, err
	}
	s.public, s.private = "http://"+a.Addr(), "http://"+a.PrivateAddr()
	ctx, cancel := context.WithCancel(context.Background())
	s.end = cancel
	go func() { s.ended <- a.Run(ctx) }()
	return s, nil
}

// start is launch for one test.
func start(t *testing.T, variables map[string]string) *server {
	t.Helper()
	s, err := launch(variables)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(s.complaints())
		}
	})
	return s
}

// stop ends the server as SIGTERM does.
func (s *server) stop() error {
	s.stopped.Do(func() {
		s.end()
		select {
		case s.stopErr = <-s.ended:
		case <-time.After(measured.Limit(20 * time.Second)):
			s.stopErr = errors.New("the server did not end")
		}
		if !s.keep {
			_ = os.RemoveAll(s.dataDir)
		}
	})
	return s.stopErr
}

// episodes opens the log of a server with embedded stores, past the server.
func episodes(t *testing.T, dataDir string) *mongo.Log {
	t.Helper()
	l, err := mongo.Open(mongo.Options{URI: logURI(dataDir), Timeout: measured.Patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// find returns a logged episode. On a busy machine it may be in the server's spool for a while.
func find(t *testing.T, log *mongo.Log, id string) (record domain.EpisodeRecord, err error) {
	t.Helper()
	for deadline := time.Now().Add(measured.Patience); ; time.Sleep(50 * time.Millisecond) {
		record, err = log.FindEpisode(t.Context(), id)
		late := errors.Is(err, domain.ErrEpisodeUnknown) || domain.CodeOf(err) == domain.CodeUnavailable
		if !late || time.Now().After(deadline) {
			return record, err
		}
	}
}

// countEpisodes returns the number of documents in the log of a server with embedded stores, past the server, once its spool is empty.
func countEpisodes(t *testing.T, base, dataDir string) int {
	t.Helper()
	eventually(t, "the spool is empty", func() bool {
		status, err := system(base).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
		return err == nil && status.GetSpooledEpisodes() == 0
	})
	return mongotest.Count(t, logURI(dataDir))
}

func logURI(dataDir string) string {
	return "mongodb://" + url.PathEscape(filepath.Join(dataDir, "run", "mongodb.sock")) + "/"
}

func inference(base string) inferencev1connect.InferenceServiceClient {
	return inferencev1connect.NewInferenceServiceClient(http.DefaultClient, base)
}

func episodeLog(base string) inferencev1connect.EpisodeLogServiceClient {
	return inferencev1connect.NewEpisodeLogServiceClient(http.DefaultClient, base)
}

func mazes(base string) mazev1connect.MazeServiceClient {
	return mazev1connect.NewMazeServiceClient(http.DefaultClient, base)
}

func models(base string) modelv1connect.ModelServiceClient {
	return modelv1connect.NewModelServiceClient(http.DefaultClient, base)
}

func system(base string) systemv1connect.SystemServiceClient {
	return systemv1connect.NewSystemServiceClient(http.DefaultClient, base)
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(measured.Patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, measured.Patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// freePorts returns addresses that nobody listens on.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	addresses := make([]string, n)
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addresses[i] = l.Addr().String()
		defer func() { _ = l.Close() }()
	}
	return addresses
}

func removeAll(t *testing.T, folder string) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Log(err) // left behind below the system's folder for such things
	}
}
