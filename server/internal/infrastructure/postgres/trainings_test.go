package postgres_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/postgres"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/testing/pgtest"
	"github.com/rlmaze/rlmaze/server/internal/testing/trainingtest"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

func add(t *testing.T, store *postgres.Store, training domain.Training) domain.Training {
	t.Helper()
	if err := store.AddTraining(t.Context(), training, ""); err != nil {
		t.Fatal(err)
	}
	return training
}

func get(t *testing.T, store *postgres.Store, runID string) domain.Training {
	t.Helper()
	training, err := store.GetTraining(t.Context(), runID)
	if err != nil {
		t.Fatal(err)
	}
	return training
}

// appendEvents appends events and returns the run after them.
func appendEvents(t *testing.T, store *postgres.Store, training domain.Training, events ...domain.TrainingEvent) domain.Training {
	t.Helper()
	training = trainingtest.Applied(training, events...)
	if err := store.AppendEvents(t.Context(), training, events); err != nil {
		t.Fatal(err)
	}
	return training
}

func all(t *testing.T, store *postgres.Store, runID string, after int64) []domain.TrainingEvent {
	t.Helper()
	var events []domain.TrainingEvent
	for {
		more, err := store.ReadEvents(t.Context(), runID, after)
		if err != nil {
			t.Fatal(err)
		}
		if len(more) == 0 {
			return events
		}
		events = append(events, more...)
		after = more[len(more)-1].Sequence
	}
}

func TestARunComesBackAsItWasKept(t *testing.T) {
	t.Parallel()
	store := pgtest.Store(t)
	training := add(t, store, trainingtest.Run("a-run-01"))
	rate := domain.SuccessRate{SetID: "validation", SetHash: "x", Episodes: 500, Successes: 450, MeanSteps: 30, SPL: 0.7}
	events := []domain.TrainingEvent{
		trainingtest.Change(1, domain.TrainingRunning, ""),
		trainingtest.Episodes(2, 1, 40),
		trainingtest.Event(3, domain.TrainingEvent{Checkpoint: &domain.TrainingCheckpoint{Timesteps: 800, Validation: &rate, Probe: &domain.ProbeEpisode{MazeID: "m", Actions: []byte{0, 1, 2, 3}, ReachedGoal: true}}}),
		trainingtest.Event(4, domain.TrainingEvent{Line: &domain.LogLine{Level: domain.LogWarning, Text: "ten \u2265 nine"}}),
		trainingtest.Event(5, domain.TrainingEvent{Facts: &domain.TrainingFacts{ModelID: "a-run-1", MLflowRunID: "0af1", HeldOut: &rate, Notices: []string{"MLflow is away."}}}),
		trainingtest.Change(6, domain.TrainingFailed, "The loss became nan."),
	}
	training = appendEvents(t, store, training, events...)
	if kept := get(t, store, training.RunID); !reflect.DeepEqual(kept, training) {
		t.Errorf("kept\n%+v, want\n%+v", kept, training)
	}
	if kept := all(t, store, training.RunID, 0); !reflect.DeepEqual(kept, events) {
		t.Errorf("kept\n%+v, want\n%+v", kept, events)
	}
	if kept := all(t, store, training.RunID, 4); !reflect.DeepEqual(kept, events[4:]) {
		t.Errorf("after 4 there are %+v", kept)
	}
	if _, err := store.GetTraining(t.Context(), "a-run-02"); !errors.Is(err, domain.ErrTrainingNotFound) {
		t.Errorf("an unknown run: %v", err)
	}
	if err := store.AppendEvents(t.Context(), trainingtest.Run("a-run-02"), events); !errors.Is(err, domain.ErrTrainingNotFound) {
		t.Errorf("events of an unknown run: %v", err)
	}
}

// TestEventsAreKeptOnceWhoeverAppendsThem lets several servers append the same events in batches of different sizes.
func TestEventsAreKeptOnceWhoeverAppendsThem(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	const n = 600
	events := make([]domain.TrainingEvent, n)
	for i := range events {
		events[i] = trainingtest.Episodes(int64(i+1), int64(3*i+1), 3)
	}
	run := add(t, open(t, url), trainingtest.Run("a-run-01"))
	var servers sync.WaitGroup
	for _, size := range []int{1, 7, 50} {
		store, err := postgres.Open(t.Context(), postgres.Options{URL: url, Timeout: pgtest.Patience})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(store.Close)
		servers.Go(func() {
			for from := 0; from < n; from += size {
				to := min(from+size, n)
				err := store.AppendEvents(t.Context(), trainingtest.Applied(run, events[:to]...), events[from:to])
				if err != nil {
					t.Errorf("batches of %d: %v", size, err)
					return
				}
			}
		})
	}
	servers.Wait()
	store := open(t, url)
	if kept := all(t, store, run.RunID, 0); !reflect.DeepEqual(kept, events) {
		t.Errorf("%d events are kept of %d", len(kept), n)
	}
	if kept := get(t, store, run.RunID); kept.LastSequence != n {
		t.Errorf("the last event is %d, want %d", kept.LastSequence, n)
	}
	var chunks int
	if err := connect(t, url).QueryRow(t.Context(), "SELECT count(*) FROM training_chunks").Scan(&chunks); err != nil || chunks > 150 {
		t.Errorf("%d chunks, %v: they are not packed", chunks, err)
	}
}

func TestAHoleIsRefused(t *testing.T) {
	t.Parallel()
	store := pgtest.Store(t)
	run := appendEvents(t, store, add(t, store, trainingtest.Run("a-run-01")), trainingtest.Change(1, domain.TrainingRunning, ""))
	hole := trainingtest.Episodes(3, 1, 2)
	if err := store.AppendEvents(t.Context(), trainingtest.Applied(run, hole), []domain.TrainingEvent{hole}); domain.CodeOf(err) != domain.CodeInternal {
		t.Errorf("event 3 behind event 1: %v", err)
	}
	if kept := get(t, store, run.RunID); kept.LastSequence != 1 {
		t.Errorf("the last event is %d", kept.LastSequence)
	}
}

func TestASettledRunIsOpenAgainWhenItsTrainerSpeaks(t *testing.T) {
	t.Parallel()
	store := pgtest.Store(t)
	run := trainingtest.Run("a-run-01")
	run.MLflowRunID = "0af1"
	add(t, store, run)
	run = appendEvents(t, store, run, trainingtest.Change(1, domain.TrainingRunning, ""))
	settled := domain.Settlement{At: trainingtest.Began.Add(time.Minute), Reason: "its trainer does not answer"}
	settle := func(want bool) {
		t.Helper()
		if changed, err := store.SettleTraining(t.Context(), run.RunID, settled); err != nil || changed != want {
			t.Fatalf("settled: %v, %v", changed, err)
		}
	}
	waiting := func() int {
		t.Helper()
		runs, err := store.UnsettledInMLflow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(runs)
	}
	settle(true)
	settle(false)
	shown := get(t, store, run.RunID).Shown()
	if shown.State != domain.TrainingFailed || shown.Failure != settled.Reason || !shown.EndedAt.Equal(settled.At) || waiting() != 1 {
		t.Errorf("shown as %+v, %d wait for MLflow", shown, waiting())
	}
	if err := store.MarkSettledInMLflow(t.Context(), run.RunID); err != nil || waiting() != 0 {
		t.Errorf("marked: %v, %d wait for MLflow", err, waiting())
	}
	run = appendEvents(t, store, run, trainingtest.Episodes(2, 1, 1))
	if shown := get(t, store, run.RunID).Shown(); shown.State != domain.TrainingRunning || shown.Failure != "" {
		t.Errorf("after an event it is %v %q", shown.State, shown.Failure)
	}
	settle(true)
	add(t, store, run)
	if shown := get(t, store, run.RunID).Shown(); shown.State != domain.TrainingRunning || waiting() != 0 {
		t.Errorf("after its trainer named it it is %v", shown.State)
	}
	appendEvents(t, store, run, trainingtest.Change(3, domain.TrainingStopped, ""))
	settle(false)
	open, err := store.OpenTrainings(t.Context())
	if err != nil || len(open) != 0 {
		t.Errorf("open are %v, %v", open, err)
	}
}

func TestTheListHasEveryRunOnce(t *testing.T) {
	t.Parallel()
	store := pgtest.Store(t)
	const runs = 25
	for i := range runs {
		run := trainingtest.Run("a-run-" + string(rune('a'+i)))
		run.CreatedAt = trainingtest.Began.Add(time.Duration(i/3) * time.Second) // some at the same moment
		add(t, store, run)
	}
	list := &usecase.ListTrainings{Store: store}
	seen := map[string]bool{}
	last, token := trainingtest.Began.Add(time.Hour), ""
	for {
		page, err := list.Run(t.Context(), 4, token)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range page.Trainings {
			if seen[run.RunID] || run.CreatedAt.After(last) {
				t.Errorf("%s of %v comes twice or late", run.RunID, run.CreatedAt)
			}
			seen[run.RunID], last = true, run.CreatedAt
		}
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	if len(seen) != runs {
		t.Errorf("%d runs of %d were listed", len(seen), runs)
	}
	for _, bad := range []string{"x", "bm8gdG9rZW4", "AAAA"} {
		if _, err := list.Run(t.Context(), 4, bad); !errors.Is(err, domain.ErrTrainingPageToken) {
			t.Errorf("page token %q: %v", bad, err)
		}
	}
}

func TestARequestIsRemembered(t *testing.T) {
	t.Parallel()
	store := pgtest.Store(t)
	const id = "0193a5a0-0000-7000-8000-000000000001"
	if err := store.AddTraining(t.Context(), trainingtest.Run("a-run-01"), id); err != nil {
		t.Fatal(err)
	}
	add(t, store, trainingtest.Run("a-run-01")) // by the trainer's list, which does not know it
	if trainer, err := store.TrainerOfRequest(t.Context(), id); trainer != "trainer" || err != nil {
		t.Errorf("the request went to %q, %v", trainer, err)
	}
	if trainer, err := store.TrainerOfRequest(t.Context(), "0193a5a0-0000-7000-8000-000000000002"); trainer != "" || err != nil {
		t.Errorf("another request went to %q, %v", trainer, err)
	}
}

func TestForgottenEventsAreReadAgain(t *testing.T) {
	t.Parallel()
	store := pgtest.Store(t)
	run := add(t, store, trainingtest.Run("a-run-01"))
	appendEvents(t, store, run, trainingtest.Change(1, domain.TrainingRunning, ""), trainingtest.Episodes(2, 1, 5))
	if err := store.ForgetEvents(t.Context(), run.RunID); err != nil {
		t.Fatal(err)
	}
	if events := all(t, store, run.RunID, 0); len(events) != 0 {
		t.Fatalf("%d events are left", len(events))
	}
	appendEvents(t, store, run, trainingtest.Change(1, domain.TrainingStopped, ""))
	if kept := get(t, store, run.RunID); kept.LastSequence != 1 || kept.State != domain.TrainingStopped {
		t.Errorf("read again: %+v", kept)
	}
}

// TestAMillionEpisodesOpenAtOnce opens a run of a million episodes, as they come from a fast trainer.
func TestAMillionEpisodesOpenAtOnce(t *testing.T) {
	t.Parallel()
	store := pgtest.Store(t)
	const episodes, batch = 1_000_000, 500
	run := add(t, store, trainingtest.Run("a-run-01"))
	run = appendEvents(t, store, run, trainingtest.Change(1, domain.TrainingRunning, ""))
	began := time.Now()
	for first := int64(1); first <= episodes; {
		var events []domain.TrainingEvent
		for range 20 {
			events = append(events, trainingtest.Episodes(run.LastSequence+int64(len(events))+1, first, batch))
			first += batch
		}
		run = appendEvents(t, store, run, events...)
	}
	t.Logf("stored %d episodes in %v", episodes, time.Since(began))
	appendEvents(t, store, run, trainingtest.Change(run.LastSequence+1, domain.TrainingCompleted, ""))
	began = time.Now()
	history, err := usecase.NewGetTrainingHistory(store).Run(t.Context(), run.RunID, 0)
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("opened them in %v", took)
	if took > measured.Limit(time.Second) {
		t.Errorf("a run of %d episodes opens in %v, want a second at most", episodes, took)
	}
	for _, c := range history.Curves {
		if n := len(c.Curve.Values); n > 2000 || n < 1000 {
			t.Errorf("%s has %d points", c.Key, n)
		}
		if c.Key == usecase.CurveEpisodeReward && (c.Curve.Points != episodes || c.Curve.Timesteps[len(c.Curve.Timesteps)-1] != 20*episodes) {
			t.Errorf("the rewards have %d points up to %d", c.Curve.Points, c.Curve.Timesteps[len(c.Curve.Timesteps)-1])
		}
	}
	if len(history.Curves) != 7 || len(history.Lines) != 2 {
		t.Errorf("%d curves, %d lines", len(history.Curves), len(history.Lines))
	}
}
