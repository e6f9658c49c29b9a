// Package soak puts the built server under a crowd and checks that nobody misses anything. With RLMAZE_SOAK=1 it takes its full counts.
package soak

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// viewersReport is what server/bench/load prints about viewers.
type viewersReport struct {
	Seconds    float64 `json:"seconds"`
	Steps      int64   `json:"steps"`
	Episodes   int64   `json:"episodes"`
	PerViewer  float64 `json:"steps_per_second_per_viewer"`
	OutOfOrder int64   `json:"out_of_order"`
	Errors     int64   `json:"errors"`
	FirstError string  `json:"first_error"`
	ServerBusy float64 `json:"server_busy"`
	LoadBusy   float64 `json:"load_busy"`
	AgeMs      struct {
		P99 float64 `json:"p99"`
	} `json:"age_ms"`
}

func TestACrowdOfViewersMissesNoStep(t *testing.T) {
	viewers, window := 150, "4s"
	if os.Getenv("RLMAZE_SOAK") == "1" {
		viewers, window = 1000, "60s"
	}
	server, load := build(t, "./server/cmd/rlmaze"), build(t, "./server/bench/load")
	url, pid := start(t, server)
	for _, way := range [][]string{{"-protocol", "http1"}, {"-protocol", "http1", "-share-ms", "100"}, {"-protocol", "h2c"}, {"-protocol", "websocket", "-share-ms", "100"}} {
		t.Run(fmt.Sprint(way), func(t *testing.T) {
			arguments := append([]string{
				"viewers", "-url", url, "-pid", fmt.Sprint(pid), "-viewers", fmt.Sprint(viewers), "-window", window,
				"-warm-up", "4s", "-steps-per-second", "30",
			}, way...)
			command := exec.CommandContext(t.Context(), load, arguments...)
			var failure bytes.Buffer
			command.Stderr = &failure
			output, err := command.Output()
			if err != nil {
				t.Fatalf("load: %v\n%s", err, failure.Bytes())
			}
			var report viewersReport
			if err := json.Unmarshal(output, &report); err != nil {
				t.Fatal(err)
			}
			if report.OutOfOrder != 0 || report.Errors != 0 {
				t.Errorf("%d steps lost, doubled or out of order, %d errors (%s)", report.OutOfOrder, report.Errors, report.FirstError)
			}
			t.Logf("%d viewers, %.0f s: %d steps in %d episodes, %.1f steps a second a viewer, p99 %.0f ms old, server %.0f %%, load %.0f %% of a core",
				viewers, report.Seconds, report.Steps, report.Episodes, report.PerViewer, report.AgeMs.P99, 100*report.ServerBusy, 100*report.LoadBusy)
		})
	}
}

// root of the repository.
func root(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func build(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(program))
	command := exec.CommandContext(t.Context(), "go", "build", "-o", path, program)
	command.Dir = root(t)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", program, err, output)
	}
	return path
}

var serving = regexp.MustCompile(`serving on (http://[0-9.:]+)`)

// start runs the server with embedded stores on free ports until the test ends. It returns its public address and process id.
func start(t *testing.T, program string) (url string, pid int) {
	t.Helper()
	folder, err := os.MkdirTemp("", "rlmaze-soak-") // short, for the socket in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil { // PostgreSQL runs as another user when the test is root
		t.Fatal(err)
	}
	command := exec.Command(program) // it outlives the test's context: it is ended by signal below
	command.Dir = root(t)
	command.Env = append(os.Environ(), "RLMAZE_ADDR=127.0.0.1:0", "RLMAZE_PRIVATE_ADDR=127.0.0.1:0", "LOG_FORMAT=json",
		"DATA_DIR="+filepath.Join(folder, "data"), "DATABASE_URL=", "MONGODB_URI=")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	addresses := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if found := serving.FindStringSubmatch(lines.Text()); found != nil {
				addresses <- found[1]
			}
		}
		close(addresses)
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended by itself, which Wait tells
		<-drained
		if err := command.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	select {
	case url, ok := <-addresses:
		if !ok {
			t.Fatal("the server ended before it served")
		}
		return url, command.Process.Pid
	case <-time.After(time.Minute):
		t.Fatal("the server does not serve")
		return "", 0
	}
}
