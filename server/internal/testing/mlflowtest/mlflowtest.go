// Package mlflowtest gives tests a real MLflow: one server per test process, on SQLite, started by the first test that needs it, or one that runs
// already. Only tests import it.
package mlflowtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Variables of the environment.
const (
	pythonVariable = "MLFLOW_PYTHON"   // the Python that has MLflow, which must start; where it is not set tests are skipped where none is installed
	urlVariable    = "MLFLOW_TEST_URL" // an MLflow that runs already and that tests may fill, in place of one of their own
)

// startPatience is how long a start may take: fourteen seconds of CPU, on a machine that does other things.
const startPatience = 6 * time.Minute

var shared struct {
	sync.Mutex
	server *Server
	failed error // of the start, which is not tried again
}

// Server is a running MLflow.
type Server struct {
	URL string

	command *exec.Cmd
	ended   chan struct{}
	folder  string
}

// Main runs the tests of a package and ends the server that they shared. check, when it is not nil, runs after that, if all tests passed.
func Main(m *testing.M, check func() error) {
	code := m.Run()
	Stop()
	if code == 0 && check != nil {
		if err := check(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Stop ends the shared server, if there is one. Main calls it; a TestMain of another shape does so itself.
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil && shared.server.command != nil {
		shared.server.Kill()
		shared.server = nil
	}
	http.DefaultClient.CloseIdleConnections()
}

// Shared returns the server of this process, which takes some seconds for the first caller.
func Shared(t testing.TB) *Server {
	t.Helper()
	if url := os.Getenv(urlVariable); url != "" {
		return &Server{URL: url}
	}
	python := findPython(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.failed == nil {
		shared.server, shared.failed = start(python)
	}
	if shared.failed != nil {
		t.Fatal(shared.failed)
	}
	return shared.server
}

func findPython(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(pythonVariable); path != "" {
		return path
	}
	_, file, _, _ := runtime.Caller(0)
	environment := filepath.Join(filepath.Dir(file), "..", "..", "..", "..", ".venv")
	if found, _ := filepath.Glob(filepath.Join(environment, "lib", "python3*", "site-packages", "mlflow", "server")); len(found) == 0 {
		t.Skip("no MLflow is installed: run `make trainer` once, or set " + pythonVariable)
	}
	return filepath.Join(environment, "bin", "python")
}

func start(python string) (*Server, error) {
	folder, err := os.MkdirTemp("", "mlflowtest-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s := &Server{URL: fmt.Sprintf("http://127.0.0.1:%d", port), ended: make(chan struct{}), folder: folder}
	s.command = exec.Command(python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", fmt.Sprint(port), "--workers", "1",
		"--backend-store-uri", "sqlite:///"+filepath.Join(folder, "mlflow.db"), "--artifacts-destination", filepath.Join(folder, "artifacts"))
	s.command.Env = append(os.Environ(), "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false", "MLFLOW_DISABLE_TELEMETRY=true", "GIT_PYTHON_REFRESH=quiet")
	s.command.Dir, s.command.Stdout, s.command.Stderr = folder, log, log
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has workers, which are ended with it
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start MLflow: %w", err)
	}
	go func() {
		_ = s.command.Wait() // how it ended is of no interest
		close(s.ended)
	}()
	for deadline := time.Now().Add(startPatience); ; time.Sleep(100 * time.Millisecond) {
		if s.answers() {
			return s, nil
		}
		select {
		case <-s.ended:
		default:
			if time.Now().Before(deadline) {
				continue
			}
		}
		said, _ := os.ReadFile(filepath.Join(folder, "log"))
		s.Kill()
		return nil, fmt.Errorf("MLflow does not answer:\n%s", said)
	}
}

func (s *Server) answers() bool {
	response, err := http.Get(s.URL + "/health")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Kill ends the server and its workers at once.
func (s *Server) Kill() {
	_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL)
	<-s.ended
	_ = os.RemoveAll(s.folder)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// Post calls MLflow's REST interface as a training does, and returns the answer.
func (s *Server) Post(t testing.TB, path string, body any) map[string]any {
	t.Helper()
	answer, err := s.post(path, body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return answer
}

func (s *Server) post(path string, body any) (map[string]any, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	response, err := http.Post(s.URL+"/api/2.0/mlflow/"+path, "application/json", bytes.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(string(content))
	}
	var answer map[string]any
	return answer, json.Unmarshal(content, &answer)
}

// Experiment creates an experiment and returns its id. Its name begins with the given one: names are never free again.
func (s *Server) Experiment(t testing.TB, name string) string {
	t.Helper()
	return s.Post(t, "experiments/create", map[string]any{"name": fmt.Sprintf("%s-%x", name, time.Now().UnixNano())})["experiment_id"].(string)
}

// Run describes a run to create.
type Run struct {
	Name      string
	StartedAt time.Time
	Params    map[string]string
	Tags      map[string]string
	Metrics   []Metric
}

// Metric is one value to log. NaN and the infinities travel as MLflow writes them.
type Metric struct {
	Key       string `json:"key"`
	Value     any    `json:"value"` // a number, or "NaN", "Infinity", "-Infinity"
	Timestamp int64  `json:"timestamp"`
	Step      int64  `json:"step"`
}

// mostEntries of one log-batch; MLflow's own limit.
const mostEntries = 1000

// Create creates a run with all that it logged, and returns its id.
func (s *Server) Create(t testing.TB, experimentID string, r Run) string {
	t.Helper()
	answer := s.Post(t, "runs/create", map[string]any{"experiment_id": experimentID, "run_name": r.Name, "start_time": r.StartedAt.UnixMilli(), "tags": pairs(r.Tags)})
	id := answer["run"].(map[string]any)["info"].(map[string]any)["run_id"].(string)
	if len(r.Params) > 0 {
		s.Post(t, "runs/log-batch", map[string]any{"run_id": id, "params": pairs(r.Params)})
	}
	for rest := r.Metrics; len(rest) > 0; {
		n := min(len(rest), mostEntries)
		s.Post(t, "runs/log-batch", map[string]any{"run_id": id, "metrics": rest[:n]})
		rest = rest[n:]
	}
	return id
}

func pairs(table map[string]string) []map[string]string {
	list := []map[string]string{}
	for key, value := range table {
		list = append(list, map[string]string{"key": key, "value": value})
	}
	return list
}
