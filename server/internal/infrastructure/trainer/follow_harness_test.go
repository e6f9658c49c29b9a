package trainer_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/trainer"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/testing/pgtest"
	"github.com/rlmaze/rlmaze/server/internal/testing/standintrainer"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// quick are times for tests: nothing is judged by how long it took, only what happened.
var quick = usecase.TrainerTimes{
	Poll: 20 * time.Millisecond, Whole: 100 * time.Millisecond, Retry: 10 * time.Millisecond, Write: 5 * time.Millisecond, Lost: time.Hour, Settle: 10 * time.Millisecond,
	Heartbeat: 50 * time.Millisecond, CatchUp: 100 * time.Millisecond,
}

// following is a server's part that follows stand-ins, over a real PostgreSQL.
type following struct {
	*usecase.Trainers
	store   *faulty
	mlflow  *recordingSettler
	stop    func()
	stopped chan struct{}
}

// follow starts it; it ends with the test, or by stop.
func follow(t *testing.T, store *faulty, change func(*usecase.TrainersOptions), standIns ...*standintrainer.Trainer) *following {
	t.Helper()
	f := &following{store: store, mlflow: &recordingSettler{}, stopped: make(chan struct{})}
	options := usecase.TrainersOptions{
		Store: store, Settler: f.mlflow, Counters: &usecase.Counters{}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Times: quick,
	}
	for i, s := range standIns {
		c := client(t, trainer.Options{URL: s.URL})
		options.Trainers = append(options.Trainers, usecase.NamedTrainer{Name: []string{"trainer", "trainer-2"}[i], Trainer: c})
	}
	if change != nil {
		change(&options)
	}
	f.Trainers = usecase.NewTrainers(options)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		f.Run(ctx)
		close(f.stopped)
	}()
	f.stop = func() {
		cancel()
		<-f.stopped
	}
	t.Cleanup(f.stop)
	return f
}

// faulty is the real store, which can be made to be away.
type faulty struct {
	domain.TrainingStore
	away atomic.Bool
}

func newStore(t *testing.T) *faulty { return &faulty{TrainingStore: pgtest.Store(t)} }

func (f *faulty) AppendEvents(ctx context.Context, t domain.Training, events []domain.TrainingEvent) error {
	if f.away.Load() {
		return domain.Unavailable("postgresql", errors.New("as the test wants it"))
	}
	return f.TrainingStore.AppendEvents(ctx, t, events)
}

// recordingSettler is MLflow as far as it matters here: it is told, or it is away.
type recordingSettler struct {
	mu      sync.Mutex
	away    bool
	settled map[string]string // reasons by run
}

func (r *recordingSettler) SettleRun(_ context.Context, mlflowRunID string, state domain.TrainingState, reason string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return domain.Unavailable("mlflow", errors.New("as the test wants it"))
	}
	if r.settled == nil {
		r.settled = map[string]string{}
	}
	r.settled[mlflowRunID] = string(state) + ": " + reason
	return nil
}

func (r *recordingSettler) reason(mlflowRunID string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settled[mlflowRunID]
}

func (r *recordingSettler) leave(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = away
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(measured.Patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, measured.Patience)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (f *following) kept(t *testing.T, runID string) domain.Training {
	t.Helper()
	training, err := f.store.GetTraining(t.Context(), runID)
	if err != nil && !errors.Is(err, domain.ErrTrainingNotFound) {
		t.Fatal(err)
	}
	return training
}

// viewer collects one stream in the background.
type viewer struct {
	mu        sync.Mutex
	events    []domain.TrainingEvent
	gaps      []usecase.EventGap
	told      []domain.Training
	beats     int
	err       error
	ended     chan struct{}
	leave     context.CancelFunc
	beforeTwo func() // called once, before the second message is taken: a reader that is slow there
}

func (f *following) watch(t *testing.T, runID string, after int64, beforeTwo func()) *viewer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	v := &viewer{ended: make(chan struct{}), leave: cancel, beforeTwo: beforeTwo}
	go func() {
		defer close(v.ended)
		messages := 0
		for m, err := range (&usecase.WatchTraining{Trainers: f.Trainers}).Run(ctx, runID, after) {
			if messages++; messages > 1 && len(m.Events) > 0 && v.beforeTwo != nil {
				v.beforeTwo()
				v.beforeTwo = nil
			}
			v.take(m, err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-v.ended
	})
	return v
}

func (v *viewer) take(m usecase.TrainingMessage, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err != nil:
		v.err = err
	case m.Training != nil:
		v.told = append(v.told, *m.Training)
	case m.Gap != nil:
		v.gaps = append(v.gaps, *m.Gap)
	case len(m.Events) > 0:
		v.events = append(v.events, m.Events...)
	default:
		v.beats++
	}
}

func (v *viewer) last() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.events) == 0 {
		return 0
	}
	return v.events[len(v.events)-1].Sequence
}

// holes counts sequences that do not follow the one before, from one on.
func holes(events []domain.TrainingEvent, after int64) int {
	n := 0
	for _, e := range events {
		if e.Sequence != after+1 {
			n++
		}
		after = e.Sequence
	}
	return n
}

// preparations is an installer that is at work or not.
type preparations struct{ working atomic.Bool }

func (p *preparations) is(working bool) { p.working.Store(working) }

func (p *preparations) Preparation(service string) (domain.Preparation, bool) {
	progress := 0.41
	return domain.Preparation{Message: "Installing PyTorch", Progress: &progress}, service == "trainer" && p.working.Load()
}
