package trainer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/standintrainer"
	"github.com/rlmaze/rlmaze/server/internal/testing/trainingtest"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// happen lets n events of one episode happen after the last one of a run.
func happen(s *standintrainer.Trainer, runID string, last int64, n int) int64 {
	var events []domain.TrainingEvent
	for range n {
		last++
		events = append(events, trainingtest.Episodes(last, last, 1))
	}
	s.Happen(runID, events...)
	return last
}

func running(t *testing.T, s *standintrainer.Trainer, runID string) {
	t.Helper()
	run := trainingtest.Run(runID)
	run.MLflowRunID = "mlflow-" + runID
	s.Add(run)
	s.Happen(runID, trainingtest.Change(1, domain.TrainingRunning, ""))
}

func TestRunsThatWereThereBeforeAreRead(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	ids := []string{"run-a", "run-b", "run-c", "run-d", "run-e", "run-f", "run-g"}
	for i, id := range ids {
		running(t, s, id)
		last := happen(s, id, 1, 10*i)
		s.Happen(id, trainingtest.Change(last+1, domain.TrainingCompleted, ""))
	}
	f := follow(t, newStore(t), nil, s)
	for i, id := range ids {
		eventually(t, "the run is kept to its end", func() bool { return f.kept(t, id).State == domain.TrainingCompleted })
		v := f.watch(t, id, 0, nil)
		<-v.ended
		if v.err != nil || holes(v.events, 0) != 0 || len(v.events) != 10*i+2 {
			t.Errorf("%s: %d events, %d holes, %v", id, len(v.events), holes(v.events, 0), v.err)
		}
	}
	// What is learned of an ended run later, for example that its model is registered, is kept as well.
	s.Happen("run-a", trainingtest.Event(3, domain.TrainingEvent{Facts: &domain.TrainingFacts{ModelID: "a-run-1"}}))
	eventually(t, "the model is known", func() bool { return f.kept(t, "run-a").ModelID == "a-run-1" })
}

// TestASlowViewerGetsAGapAndHoldsUpNobody lets one viewer stop reading while thousands of events pass.
func TestASlowViewerGetsAGapAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	f := follow(t, newStore(t), func(o *usecase.TrainersOptions) { o.Window = usecase.WindowLimits{Events: 100} }, s)
	eventually(t, "the run is kept", func() bool { return f.kept(t, "run-a").LastSequence == 1 })
	reading := make(chan struct{})
	fast, slow := f.watch(t, "run-a", 0, nil), f.watch(t, "run-a", 1, func() { <-reading })
	eventually(t, "both are live", func() bool {
		fast.mu.Lock()
		defer fast.mu.Unlock()
		slow.mu.Lock()
		defer slow.mu.Unlock()
		return fast.beats > 0 && slow.beats > 0
	})
	last := int64(1)
	for range 50 {
		last = happen(s, "run-a", last, 20)
		eventually(t, "the fast one has them", func() bool { return fast.last() == last })
		eventually(t, "they are stored", func() bool { return f.kept(t, "run-a").LastSequence == last })
	}
	close(reading)
	s.Happen("run-a", trainingtest.Change(last+1, domain.TrainingCompleted, ""))
	<-fast.ended
	<-slow.ended
	if holes(fast.events, 0) != 0 || len(fast.gaps) != 0 || int64(len(fast.events)) != last+1 {
		t.Errorf("the fast viewer has %d events, %d holes, gaps %v", len(fast.events), holes(fast.events, 0), fast.gaps)
	}
	if len(slow.gaps) != 1 || holes(slow.events, 1) != 1 {
		t.Fatalf("the slow viewer has gaps %v and %d holes", slow.gaps, holes(slow.events, 1))
	}
	gap := slow.gaps[0]
	had := map[int64]bool{}
	for _, e := range slow.events {
		had[e.Sequence] = true
	}
	for sequence := int64(2); sequence <= last+1; sequence++ {
		if inGap := sequence >= gap.First && sequence <= gap.Last; had[sequence] == inGap {
			t.Fatalf("event %d: had %v, in the gap %v: %v", sequence, had[sequence], gap, inGap)
		}
	}
	// Asked again it has them all.
	again := f.watch(t, "run-a", gap.First-1, nil)
	<-again.ended
	if holes(again.events, gap.First-1) != 0 || again.last() != last+1 {
		t.Errorf("asked again it has events to %d, %d holes", again.last(), holes(again.events, gap.First-1))
	}
}

func TestViewersGoOnWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	f := follow(t, newStore(t), nil, s)
	eventually(t, "the run is kept", func() bool { return f.kept(t, "run-a").LastSequence == 1 })
	v := f.watch(t, "run-a", 0, nil)
	f.store.away.Store(true)
	last := happen(s, "run-a", 1, 300)
	eventually(t, "the viewer has them", func() bool { return v.last() == last })
	if kept := f.kept(t, "run-a"); kept.LastSequence != 1 {
		t.Fatalf("a store that is away has event %d", kept.LastSequence)
	}
	f.store.away.Store(false)
	eventually(t, "they are stored", func() bool { return f.kept(t, "run-a").LastSequence == last })
}

// TestAStoreThatStaysAwayHoldsUpTheTrainerAndNothingIsLost: memory is bounded; what does not fit stays with the trainer.
func TestAStoreThatStaysAwayHoldsUpTheTrainerAndNothingIsLost(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	f := follow(t, newStore(t), func(o *usecase.TrainersOptions) { o.Window = usecase.WindowLimits{Unstored: 2000} }, s)
	eventually(t, "the run is kept", func() bool { return f.kept(t, "run-a").LastSequence == 1 })
	f.store.away.Store(true)
	last := int64(1)
	for range 20 {
		last = happen(s, "run-a", last, 10)
	}
	s.Happen("run-a", trainingtest.Change(last+1, domain.TrainingCompleted, ""))
	f.store.away.Store(false)
	v := f.watch(t, "run-a", 0, nil)
	<-v.ended
	if v.err != nil || holes(v.events, 0) != 0 || v.last() != last+1 {
		t.Errorf("events to %d of %d, %d holes, %v", v.last(), last+1, holes(v.events, 0), v.err)
	}
}

func TestACutStreamIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	f := follow(t, newStore(t), nil, s)
	eventually(t, "the run is kept", func() bool { return f.kept(t, "run-a").LastSequence == 1 })
	v := f.watch(t, "run-a", 0, nil)
	last := int64(1)
	for range 10 {
		last = happen(s, "run-a", last, 5)
		s.Leave()
		last = happen(s, "run-a", last, 5)
		s.Return()
	}
	s.Happen("run-a", trainingtest.Change(last+1, domain.TrainingStopped, ""))
	<-v.ended
	if v.err != nil || holes(v.events, 0) != 0 || v.last() != last+1 {
		t.Errorf("events to %d of %d, %d holes, %v", v.last(), last+1, holes(v.events, 0), v.err)
	}
}

// TestAServerThatEndsStoresWhatItHas: a second one goes on from there, and viewers of the first one go on with it.
func TestAServerThatEndsStoresWhatItHas(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	store := newStore(t)
	f := follow(t, store, func(o *usecase.TrainersOptions) { o.Times.Write = time.Hour }, s)
	eventually(t, "the run is known", func() bool { return f.kept(t, "run-a").RunID != "" })
	v := f.watch(t, "run-a", 0, nil)
	last := happen(s, "run-a", 1, 50)
	eventually(t, "the viewer has them", func() bool { return v.last() == last })
	f.stop()
	if kept := f.kept(t, "run-a"); kept.LastSequence != last {
		t.Errorf("stored are events to %d of %d", kept.LastSequence, last)
	}
	// The viewer may also be ahead of what a killed server had stored.
	if err := store.ForgetEvents(t.Context(), "run-a"); err != nil {
		t.Fatal(err)
	}
	second := follow(t, store, func(o *usecase.TrainersOptions) { o.Times.CatchUp = time.Minute }, s)
	back := second.watch(t, "run-a", last, nil)
	last = happen(s, "run-a", last, 5)
	eventually(t, "it has the rest", func() bool { return back.last() == last })
	if holes(back.events, last-5) != 0 {
		t.Errorf("it has %d holes", holes(back.events, last-5))
	}
	beyond := second.watch(t, "run-a", last+100, nil)
	beyond.leave()
	<-beyond.ended
	if beyond.err == nil {
		t.Error("a viewer beyond the last event was let in")
	}
}

func TestALostTrainersRunsAreSettledAndTakenBack(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	f := follow(t, newStore(t), func(o *usecase.TrainersOptions) { o.Times.Lost = 300 * time.Millisecond }, s)
	eventually(t, "the run is kept", func() bool { return f.kept(t, "run-a").LastSequence == 1 })
	v := f.watch(t, "run-a", 0, nil)
	eventually(t, "the viewer is there", func() bool { return v.last() == 1 })
	f.mlflow.leave(true)
	s.Leave()
	eventually(t, "the run is settled", func() bool { return f.kept(t, "run-a").Shown().State == domain.TrainingFailed })
	<-v.ended
	if n := len(v.told); v.err != nil || n != 2 || v.told[1].State != domain.TrainingFailed || v.told[1].Failure == "" {
		t.Errorf("the viewer was told %+v, %v", v.told, v.err)
	}
	late := f.watch(t, "run-a", 0, nil)
	<-late.ended
	if late.err != nil || late.told[0].State != domain.TrainingFailed || late.last() != 1 {
		t.Errorf("a late viewer was told %+v, %v", late.told, late.err)
	}
	if reason := f.mlflow.reason("mlflow-run-a"); reason != "" {
		t.Fatalf("MLflow, which is away, was told %q", reason)
	}
	f.mlflow.leave(false)
	eventually(t, "MLflow is told", func() bool { return f.mlflow.reason("mlflow-run-a") != "" })
	eventually(t, "that is noted", func() bool {
		waiting, err := f.store.UnsettledInMLflow(t.Context())
		return err == nil && len(waiting) == 0
	})
	s.Return()
	eventually(t, "the run runs again", func() bool { return f.kept(t, "run-a").Shown().State == domain.TrainingRunning })
	back := f.watch(t, "run-a", 1, nil)
	s.Happen("run-a", trainingtest.Change(2, domain.TrainingCompleted, ""))
	<-back.ended
	eventually(t, "it has completed", func() bool { return f.kept(t, "run-a").Shown().State == domain.TrainingCompleted })
	if back.err != nil || back.last() != 2 {
		t.Errorf("back: events to %d, %v", back.last(), back.err)
	}
}

func TestARunThatItsTrainerForgotHasFailed(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	running(t, s, "run-b")
	f := follow(t, newStore(t), nil, s)
	eventually(t, "the run is kept", func() bool { return f.kept(t, "run-a").LastSequence == 1 })
	s.Remove("run-a")
	eventually(t, "the run is settled", func() bool { return f.kept(t, "run-a").Shown().State == domain.TrainingFailed })
	eventually(t, "MLflow is told", func() bool { return f.mlflow.reason("mlflow-run-a") != "" })
	if kept := f.kept(t, "run-b").Shown(); kept.State != domain.TrainingRunning {
		t.Errorf("the other run is %v", kept.State)
	}
}

// TestALogThatBecameShorterIsReadAgain: a trainer's machine crashed and lost the end of a log that we had.
func TestALogThatBecameShorterIsReadAgain(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	last := happen(s, "run-a", 1, 20)
	f := follow(t, newStore(t), nil, s)
	eventually(t, "the run is kept", func() bool { return f.kept(t, "run-a").LastSequence == last })
	s.Leave()
	s.Lose("run-a", 10)
	s.Happen("run-a", trainingtest.Change(11, domain.TrainingFailed, "The trainer ended."))
	s.Return()
	eventually(t, "its word counts", func() bool {
		kept := f.kept(t, "run-a")
		return kept.LastSequence == 11 && kept.State == domain.TrainingFailed
	})
}

func start(f *following, order domain.TrainingOrder) (domain.Training, error) {
	return (&usecase.StartTraining{Trainers: f.Trainers}).Run(context.Background(), order, "")
}

func TestAStartGoesToTheDeviceAndTheShortestQueue(t *testing.T) {
	t.Parallel()
	cpu, gpu := standintrainer.New(t, "cpu"), standintrainer.New(t, "cuda:0")
	f := follow(t, newStore(t), nil, cpu, gpu)
	eventually(t, "both are up", func() bool {
		for _, s := range f.ServiceStatuses() {
			if s.State != domain.ServiceUp {
				return false
			}
		}
		defaults, err := (&usecase.GetTrainingDefaults{Trainers: f.Trainers}).Run(t.Context())
		return err == nil && len(defaults.Devices) == 2
	})
	onGPU, err := start(f, domain.TrainingOrder{ConfigYAML: "name: x\ndevice: cuda # the fast one\n"})
	if err != nil || onGPU.Trainer != "trainer-2" {
		t.Fatalf("a run for the GPU went to %q, %v", onGPU.Trainer, err)
	}
	anywhere, err := start(f, domain.TrainingOrder{ConfigYAML: "name: x\ndevice: auto\n"})
	if err != nil || anywhere.Trainer != "trainer" {
		t.Errorf("a run for any device went to %q, %v", anywhere.Trainer, err)
	}
	const request = "0193a5a0-0000-7000-8000-000000000001"
	first, err := start(f, domain.TrainingOrder{ConfigYAML: "name: y\n", RequestID: request})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		again, err := start(f, domain.TrainingOrder{ConfigYAML: "name: y\n", RequestID: request})
		if err != nil || again.RunID != first.RunID || again.Trainer != first.Trainer {
			t.Errorf("the repeated start is %s on %s, %v; the first was %s on %s", again.RunID, again.Trainer, err, first.RunID, first.Trainer)
		}
	}
	if n := cpu.Starts() + gpu.Starts(); n != 3 {
		t.Errorf("%d runs were started", n)
	}
	if _, err := start(f, domain.TrainingOrder{ResumeFrom: "no-such-run"}); domain.CodeOf(err) != domain.CodeNotFound {
		t.Errorf("resumed from nowhere: %v", err)
	}
	resumed, err := start(f, domain.TrainingOrder{ResumeFrom: onGPU.RunID})
	if err != nil || resumed.Trainer != "trainer-2" {
		t.Errorf("a resumed run went to %q, %v", resumed.Trainer, err)
	}
}

func TestAPlainRefusalSaysWhatRuns(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	running(t, s, "run-a")
	f := follow(t, newStore(t), nil, s)
	eventually(t, "the run is kept", func() bool { return f.kept(t, "run-a").LastSequence == 1 })
	s.Refuse(connect.NewError(connect.CodeResourceExhausted, errors.New("the queue is full")))
	_, err := start(f, domain.TrainingOrder{ConfigYAML: "name: x\n"})
	busy, ok := errors.AsType[*domain.TrainingBusy](err)
	if !ok || len(busy.Running) != 1 || busy.Running[0].RunID != "run-a" || busy.RetryAfter <= 0 || busy.QueueLimit != 4 || busy.Refusal.Message != "the queue is full" {
		t.Errorf("refused with %+v, %v", busy, err)
	}
}

func TestManyViewersShareOneReadingOfTheGPUs(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cuda:0")
	f := follow(t, newStore(t), nil, s)
	eventually(t, "the trainer is up", func() bool { return f.ServiceStatuses()[0].State == domain.ServiceUp })
	const viewers = 5
	ctx, cancel := context.WithCancel(t.Context())
	seen, left := make(chan domain.GPUSample), make(chan struct{})
	for range viewers {
		go func() {
			defer func() { left <- struct{}{} }()
			first := true
			for sample, err := range (&usecase.WatchGPU{Trainers: f.Trainers}).Run(ctx, "", time.Millisecond) {
				if err == nil && first {
					first = false
					seen <- sample
				}
			}
		}()
	}
	for range viewers {
		if sample := <-seen; sample.State != domain.GPUOK || len(sample.GPUs) != 1 || *sample.GPUs[0].Utilisation != 0.5 {
			t.Errorf("a reading is %+v", sample)
		}
	}
	if open, all := s.GPUStreams(); open != 1 || all != 1 {
		t.Errorf("%d streams are open, %d were", open, all)
	}
	cancel()
	for range viewers {
		<-left
	}
	eventually(t, "nobody reads", func() bool { open, _ := s.GPUStreams(); return open == 0 })
	for _, err := range (&usecase.WatchGPU{Trainers: f.Trainers}).Run(t.Context(), "no-such-trainer", time.Second) {
		if domain.CodeOf(err) != domain.CodeNotFound {
			t.Errorf("an unknown trainer: %v", err)
		}
	}
}

// TestWhoIsAwayOrBeingInstalledSaysSo: the status, and the error of what needs the trainer.
func TestWhoIsAwayOrBeingInstalledSaysSo(t *testing.T) {
	t.Parallel()
	s := standintrainer.New(t, "cpu")
	installer := &preparations{}
	f := follow(t, newStore(t), func(o *usecase.TrainersOptions) { o.Preparations = installer }, s)
	defaults := func() (domain.TrainingDefaults, error) {
		return (&usecase.GetTrainingDefaults{Trainers: f.Trainers}).Run(t.Context())
	}
	eventually(t, "the trainer is up", func() bool { return f.ServiceStatuses()[0].State == domain.ServiceUp })
	if d, err := defaults(); err != nil || d.QueueLimit != 4 {
		t.Errorf("defaults: %+v, %v", d, err)
	}
	s.Leave()
	eventually(t, "the trainer is away", func() bool { return f.ServiceStatuses()[0].State == domain.ServiceAway })
	if status := f.ServiceStatuses()[0]; status.Message == "" || status.Since.IsZero() {
		t.Errorf("away: %+v", status)
	}
	if d, err := defaults(); err != nil || d.QueueLimit != 4 {
		t.Errorf("the last defaults of a trainer that is away: %+v, %v", d, err)
	}
	installer.is(true)
	status := f.ServiceStatuses()[0]
	if status.State != domain.ServicePreparing || status.Message != "Installing PyTorch" || status.Progress == nil || *status.Progress != 0.41 {
		t.Errorf("preparing: %+v", status)
	}
	_, err := start(f, domain.TrainingOrder{ConfigYAML: "name: x\n"})
	if said, ok := errors.AsType[*domain.Error](err); !ok || said.Code != domain.CodeUnavailable || said.Message != "the trainer is being prepared: Installing PyTorch (41 %)" {
		t.Errorf("a start while it is prepared: %v", err)
	}
	installer.is(false)
	s.Return()
	eventually(t, "the trainer is up", func() bool { return f.ServiceStatuses()[0].State == domain.ServiceUp })

	none := follow(t, newStore(t), nil)
	if status := none.ServiceStatuses(); len(status) != 1 || status[0].State != domain.ServiceNotConfigured {
		t.Errorf("without a trainer: %+v", status)
	}
	if _, err := start(none, domain.TrainingOrder{ConfigYAML: "name: x\n"}); !errors.Is(err, domain.ErrNoTrainer) {
		t.Errorf("a start without a trainer: %v", err)
	}
}
