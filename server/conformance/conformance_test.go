package conformance

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	conformancev1 "github.com/rlmaze/rlmaze/server/conformance/gen/connectrpc/conformance/v1"
	"github.com/rlmaze/rlmaze/server/conformance/gen/connectrpc/conformance/v1/conformancev1connect"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// serveVariable, set to the name of a chain, turns this test binary into the server under test, so that the suite runs against the same build (-race included).
const serveVariable = "RLMAZE_CONFORMANCE_SERVE"

// minimumCases guards against a suite that filters itself empty: the configuration selects some hundreds of cases.
const minimumCases = 400

// attempts at a whole run in which all cases must pass; see onlyTimeoutsFailed.
const attempts = 3

func TestMain(m *testing.M) {
	if chain := os.Getenv(serveVariable); chain != "" {
		if err := serve(chain, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "conformance server:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestHandlerChainsPassConnectConformance(t *testing.T) {
	runner := buildRunner(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for chain := range chains {
		t.Run(chain, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // All cases take some seconds on two idle cores.
			defer cancel()
			var output []byte
			for attempt := 1; ; attempt++ {
				command := exec.CommandContext(ctx, runner, "--mode", "server", "--conf", "config.yaml", "--", self)
				command.Env = append(os.Environ(), serveVariable+"="+chain)
				var err error
				if output, err = command.CombinedOutput(); err == nil {
					break
				}
				if attempt == attempts || !onlyTimeoutsFailed(output) {
					t.Fatalf("connectconformance: %v\n%s", err, output)
				}
				t.Logf("attempt %d: a case of Timeouts raced with the client's own deadline, all cases run again\n%s", attempt, output)
			}
			count := regexp.MustCompile(`(\d+) passed, (\d+) failed`).FindSubmatch(output)
			if count == nil {
				t.Fatalf("connectconformance printed no result:\n%s", output)
			}
			passed, _ := strconv.Atoi(string(count[1]))
			if passed < minimumCases || string(count[2]) != "0" {
				t.Fatalf("connectconformance: %s, want at least %d passed and none failed\n%s", count[0], minimumCases, output)
			}
			t.Logf("connectconformance: %s", count[0])
		})
	}
}

// onlyTimeoutsFailed tells whether each failed case is one of the group Timeouts. There the reference client's own deadline is the server's, and when
// it is the faster one it cuts the answer that it was to read.
func onlyTimeoutsFailed(output []byte) bool {
	failed := regexp.MustCompile(`(?m)^\s*FAILED: (\S+)`).FindAllSubmatch(output, -1)
	for _, match := range failed {
		if !bytes.HasPrefix(match[1], []byte("Timeouts/")) {
			return false
		}
	}
	return len(failed) > 0
}

// buildRunner compiles the pinned runner into the repository's .tools/bin; with a warm build cache that takes a second.
func buildRunner(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	runner := filepath.Join(root, ".tools", "bin", "connectconformance")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", runner, "connectrpc.com/conformance/cmd/connectconformance")
	build.Dir = filepath.Join(root, "tools", "conformance")
	build.Env = append(os.Environ(), "GOFLAGS=") // The flags of the surrounding test run (-race, -mod) are not the runner's.
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the conformance runner: %v\n%s", err, output)
	}
	return runner
}

// serve speaks the runner's protocol: one size-delimited request on in, one answer with the port on out, then it serves until the runner ends.
func serve(chain string, in io.Reader, out io.Writer) error {
	var request conformancev1.ServerCompatRequest
	if err := readDelimited(in, &request); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := newServer(chain, int(request.GetMessageReceiveLimit()))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := writeDelimited(out, &conformancev1.ServerCompatResponse{
		Host: "127.0.0.1",
		Port: uint32(listener.Addr().(*net.TCPAddr).Port),
	}); err != nil {
		return err
	}
	runnerEnded(os.Getppid())
	if err := server.Close(); err != nil {
		return err
	}
	if err := <-served; err != http.ErrServerClosed {
		return err
	}
	return nil
}

// chains are the two of the product; the public one carries the streams.
var chains = map[string]func(httpapi.Options, httpapi.Routes) http.Handler{
	"public":  httpapi.NewPublic,
	"private": httpapi.NewPrivate,
}

// newServer is the product's HTTP server, chain and settings, with the conformance service in place of the product's. Only the limit of
// one message is the suite's, which tests with 200 KiB; the access log is written, to nowhere.
func newServer(chain string, messageLimit int) *http.Server {
	logger := slog.New(slog.NewJSONHandler(io.Discard, nil))
	handler := chains[chain](httpapi.Options{
		Guard:        rpc.NewGuard(context.Background()),
		Log:          access.NewLog(logger, new(usecase.Counters), time.Now),
		Logger:       logger,
		CORSOrigins:  []string{"http://localhost:3000"},
		ReadMaxBytes: messageLimit,
	}, httpapi.Routes{
		Services: []httpapi.Service{func(options ...connect.HandlerOption) (string, http.Handler) {
			return conformancev1connect.NewConformanceServiceHandler(Service{}, options...)
		}},
		Names: []string{conformancev1connect.ConformanceServiceName},
	})
	return httpapi.NewServer(handler, logger)
}

// runnerEnded returns when the runner asks for the end by signal, or is no longer there to ask.
func runnerEnded(runner int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for os.Getppid() == runner {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func readDelimited(in io.Reader, message proto.Message) error {
	var size uint32
	if err := binary.Read(in, binary.BigEndian, &size); err != nil {
		return fmt.Errorf("read size: %w", err)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(in, body); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	return proto.Unmarshal(body, message)
}

func writeDelimited(out io.Writer, message proto.Message) error {
	body, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	var frame bytes.Buffer
	if err := binary.Write(&frame, binary.BigEndian, uint32(len(body))); err != nil {
		return err
	}
	frame.Write(body)
	_, err = out.Write(frame.Bytes())
	return err
}
