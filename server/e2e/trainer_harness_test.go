package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1/trainingv1connect"
)

// actingTrainer starts the real trainer service with actor.py in place of the process that learns: no PyTorch, and the title of the configuration says
// what happens to the run.
const actingTrainer = `
import sys
from pathlib import Path
from rlmaze_trainer.app import serve
from rlmaze_trainer.settings import Settings
serve(Settings(), (sys.executable, sys.argv[1]))
`

// trainerProcess is the Python trainer as a child process; it can be killed and started again on its folder and port.
type trainerProcess struct {
	t       *testing.T
	address string
	folder  string
	command *exec.Cmd
	ended   chan struct{}
	log     lockedBuffer
}

// startTrainer starts a trainer on a free port.
func startTrainer(t *testing.T) *trainerProcess {
	t.Helper()
	p := &trainerProcess{t: t, address: freePorts(t, 1)[0], folder: tempData(t)}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Log("the trainer's log:\n" + p.output())
		}
	})
	p.start()
	return p
}

func (p *trainerProcess) start() {
	p.t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		p.t.Fatal(err)
	}
	python := filepath.Join(root, ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		p.t.Skip("the trainer's Python environment is not installed: make test installs it")
	}
	p.command = exec.Command(python, "-c", actingTrainer, filepath.Join(root, "trainer", "tests", "actor.py"))
	p.command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "PYTHONPATH=" + filepath.Join(root, "gen", "python") + ":" + filepath.Join(root, "trainer") + ":" + filepath.Join(root, "ml"),
		"PYTHONDONTWRITEBYTECODE=1", "TRAINER_ADDR=" + p.address, "TRAINER_RUNS_DIR=" + p.folder, "TRAINER_QUEUE_LIMIT=1", "TRAINER_WARM=false",
	}
	p.command.Stdout, p.command.Stderr = &p.log, &p.log
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	command, ended := p.command, make(chan struct{})
	p.ended = ended
	go func() {
		_ = command.Wait()
		close(ended)
	}()
}

// kill ends the trainer as a crash does.
func (p *trainerProcess) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// freeze stops the trainer as a machine that hangs does; thaw lets it go on. Its run processes go on.
func (p *trainerProcess) freeze() { _ = p.command.Process.Signal(syscall.SIGSTOP) }

func (p *trainerProcess) thaw() { _ = p.command.Process.Signal(syscall.SIGCONT) }

func (p *trainerProcess) output() string {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.buffer.String()
}

// variables name the trainer to a server.
func (p *trainerProcess) variables(more ...string) map[string]string {
	all := map[string]string{"TRAINER_URL": "http://" + p.address}
	for i := 0; i+1 < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

func training(base string) trainingv1connect.TrainingServiceClient {
	return trainingv1connect.NewTrainingServiceClient(http.DefaultClient, base)
}

func history(base string) trainingv1connect.TrainingHistoryServiceClient {
	return trainingv1connect.NewTrainingHistoryServiceClient(http.DefaultClient, base)
}

// acting is a configuration whose title tells the actor what to do.
func acting(act string) string {
	return fmt.Sprintf("name: an-e2e-run\ntitle: %s\ndescription: For a test.\nalgorithm: PPO\nobservation: memory/1\ntimesteps: 1000\ndevice: cpu\nppo:\n  n_steps: 16\n", act)
}

func trainerState(t *testing.T, base string) *systemv1.ServiceStatus {
	t.Helper()
	status, err := system(base).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
	if err != nil {
		return nil
	}
	for _, s := range status.GetServices() {
		if s.GetName() == "trainer" {
			return s
		}
	}
	t.Fatal("GetStatus tells of no trainer")
	return nil
}

func awaitTrainer(t *testing.T, base string) {
	t.Helper()
	eventually(t, "the trainer is up", func() bool { return trainerState(t, base).GetState() == systemv1.ServiceState_SERVICE_STATE_UP })
}

// begin starts a run of an act.
func begin(t *testing.T, private, act string) *trainingv1.Training {
	t.Helper()
	response, err := training(private).StartTraining(t.Context(), &trainingv1.StartTrainingRequest{ConfigYaml: acting(act)})
	if err != nil {
		t.Fatal(err)
	}
	return response.GetTraining()
}

// watched is what one viewer has of a run.
type watched struct {
	states []trainingv1.TrainingState // of the messages that hold the run
	events []*trainingv1.TrainingEvent
	delays []time.Duration // from the trainer's clock, which is this machine's, to the viewer
	err    error
}

// watchRun watches a run to the end of the stream, or until enough says so; seen, when it is not nil, is told of every message.
func watchRun(t *testing.T, base, runID string, after int64, enough func(*watched) bool) *watched {
	w := &watched{}
	stream, err := training(base).WatchTraining(t.Context(), &trainingv1.WatchTrainingRequest{RunId: runID, AfterSequence: after})
	if err != nil {
		w.err = err
		return w
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		m := stream.Msg()
		if m.GetTraining() != nil {
			w.states = append(w.states, m.GetTraining().GetState())
		}
		for _, e := range m.GetEvents().GetEvents() {
			w.delays = append(w.delays, time.Since(e.GetHappenedAt().AsTime()))
		}
		w.events = append(w.events, m.GetEvents().GetEvents()...)
		if enough != nil && enough(w) {
			return w
		}
	}
	w.err = stream.Err()
	return w
}

// whole says what is wrong with the sequence of events after one; "" when nothing is missing and nothing twice.
func (w *watched) whole(after int64) string {
	for i, e := range w.events {
		if e.GetSequence() != after+int64(i)+1 {
			return fmt.Sprintf("event %d has sequence %d, want %d", i, e.GetSequence(), after+int64(i)+1)
		}
	}
	return ""
}

func (w *watched) last() int64 {
	if len(w.events) == 0 {
		return 0
	}
	return w.events[len(w.events)-1].GetSequence()
}

func (w *watched) finalState() trainingv1.TrainingState {
	for i := len(w.events) - 1; i >= 0; i-- {
		if change := w.events[i].GetStateChange(); change != nil {
			return change.GetState()
		}
	}
	return trainingv1.TrainingState_TRAINING_STATE_UNSPECIFIED
}

func stateOf(t *testing.T, base, runID string) *trainingv1.Training {
	t.Helper()
	response, err := training(base).GetTraining(t.Context(), &trainingv1.GetTrainingRequest{RunId: runID})
	if err != nil {
		if !strings.Contains(err.Error(), "postgresql") {
			t.Log(err)
		}
		return nil
	}
	return response.GetTraining()
}

// wantCode fails unless the error has the code; it returns the Connect error.
func wantCode(t *testing.T, err error, code connect.Code) *connect.Error {
	t.Helper()
	said, ok := errors.AsType[*connect.Error](err)
	if !ok || said.Code() != code {
		t.Fatalf("got %v, want %v", err, code)
	}
	return said
}
