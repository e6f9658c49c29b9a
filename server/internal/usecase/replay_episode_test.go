package usecase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// replayed ranges over a whole replay.
func (b *bench) replayed(ctx context.Context, u *ReplayEpisode, in ReplayEpisodeInput) played {
	var p played
	for event, err := range u.Run(ctx, in) {
		if err != nil {
			p.err = err
			break
		}
		p.take(event)
	}
	return p
}

func TestAReplayIsTheEpisodeStepForStep(t *testing.T) {
	b := newBench(t)
	u := NewReplayEpisode(b.run)
	for name, in := range provable {
		original, r := b.record(t, in)
		appended, finished := b.log.appended, b.deps.Counters.EpisodesFinished.Load()
		p := b.replayed(t.Context(), u, ReplayEpisodeInput{EpisodeID: r.EpisodeID})
		if p.err != nil || p.started == nil || p.finished == nil {
			t.Fatalf("%s: %+v", name, p)
		}
		was, is := *original.started, *p.started
		if is.ResumeToken != "" {
			t.Errorf("%s: a replay can be resumed", name)
		}
		was.ResumeToken, was.ServerTime, was.Maze = "", time.Time{}, nil
		is.ServerTime, is.Maze = time.Time{}, nil
		if is != was || !slices.Equal(p.started.Maze.Rows(), original.started.Maze.Rows()) {
			t.Errorf("%s: started %+v, at first %+v", name, is, was)
		}
		if len(p.steps) != len(original.steps) {
			t.Fatalf("%s: %d steps, at first %d", name, len(p.steps), len(original.steps))
		}
		for i := range p.steps {
			got, want := p.steps[i], original.steps[i]
			got.ServerTime, want.ServerTime = time.Time{}, time.Time{}
			if got != want {
				t.Fatalf("%s: step %+v, at first %+v", name, got, want)
			}
		}
		end, wantEnd := *p.finished, *original.finished
		end.ServerTime, wantEnd.ServerTime = time.Time{}, time.Time{}
		if end != wantEnd {
			t.Errorf("%s: finished %+v, at first %+v", name, end, wantEnd)
		}
		if b.log.appended != appended || b.deps.Counters.EpisodesFinished.Load() != finished || b.deps.Counters.LiveStreams.Load() != 0 {
			t.Errorf("%s: a replay was logged or counted as an episode", name)
		}
	}
}

func TestAReplayEndsAtTheFirstStepThatDiffers(t *testing.T) {
	b := newBench(t)
	u := NewReplayEpisode(b.run)
	original, r := b.record(t, provable["softmax"])
	for step := 1; step <= len(r.Actions)+1; step++ {
		tampered := r
		tampered.Actions = slices.Clone(r.Actions[:step-1]) // its log ends before the step
		if step%2 == 0 && step <= len(r.Actions) {
			tampered.Actions = slices.Clone(r.Actions)
			tampered.Actions[step-1] ^= 1
		}
		b.log.records[r.EpisodeID] = tampered
		p := b.replayed(t.Context(), u, ReplayEpisodeInput{EpisodeID: r.EpisodeID})
		if step > len(r.Actions) {
			if p.err != nil || p.finished == nil {
				t.Errorf("the whole episode: %v", p.err)
			}
			continue
		}
		e, ok := errors.AsType[*domain.Error](p.err)
		if !ok || e.Code != domain.CodeFailedPrecondition || e.Rule != "episode.step_differs" || !strings.HasPrefix(e.Message, fmt.Sprintf("step %d differs", step)) || p.finished != nil {
			t.Errorf("step %d: %v", step, p.err)
		}
		if len(p.steps) != step-1 || string(p.actions()) != string(original.actions()[:step-1]) {
			t.Errorf("step %d: %d steps were sent", step, len(p.steps))
		}
	}
	tampered := r
	tampered.TotalReward++
	b.log.records[r.EpisodeID] = tampered
	p := b.replayed(t.Context(), u, ReplayEpisodeInput{EpisodeID: r.EpisodeID})
	if e, ok := errors.AsType[*domain.Error](p.err); !ok || e.Rule != "episode.result_differs" || !strings.Contains(e.Message, "total_reward") || len(p.steps) != len(r.Actions) {
		t.Errorf("another result: %v", p.err)
	}
}

func TestAReplayRunsAtItsOwnPaceAndLeavesWithItsConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, r := b.record(t, provable["greedy"])
		began := time.Now()
		p := b.replayed(t.Context(), NewReplayEpisode(b.run), ReplayEpisodeInput{EpisodeID: r.EpisodeID, StepsPerSecond: 0.1})
		if p.err != nil || len(p.heartbeats) < len(r.Actions)-1 {
			t.Errorf("%d heartbeats, %v", len(p.heartbeats), p.err)
		}
		if took, want := time.Since(began), time.Duration(len(r.Actions)-1)*10*time.Second; took < want || took > want+time.Second {
			t.Errorf("it took %v, want %v", took, want)
		}
		for range NewReplayEpisode(b.run).Run(t.Context(), ReplayEpisodeInput{EpisodeID: r.EpisodeID, StepsPerSecond: 1}) {
			break
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(15*time.Second, func() { cancel(domain.ErrDraining) })
		if p := b.replayed(ctx, NewReplayEpisode(b.run), ReplayEpisodeInput{EpisodeID: r.EpisodeID, StepsPerSecond: 0.1}); !errors.Is(p.err, domain.ErrDraining) || len(p.steps) != 2 {
			t.Errorf("drained after %d steps: %v", len(p.steps), p.err)
		}
		if n := b.deps.Counters.LiveStreams.Load(); n != 0 {
			t.Errorf("%d live streams", n)
		}
	})
}

func TestReplaysCountAsStreams(t *testing.T) {
	b := newBench(t)
	_, r := b.record(t, provable["greedy"])
	b.deps.Capacity = NewCapacity(Limits{Streams: 1})
	u := NewReplayEpisode(NewRunEpisode(b.deps))
	for range u.Run(t.Context(), ReplayEpisodeInput{EpisodeID: r.EpisodeID}) {
		if p := b.replayed(t.Context(), u, ReplayEpisodeInput{EpisodeID: r.EpisodeID}); domain.CodeOf(p.err) != domain.CodeResourceExhausted {
			t.Errorf("a second stream: %v", p.err)
		}
		break
	}
	for _, pace := range []float64{-1, 0.01, 1001} {
		p := b.replayed(t.Context(), u, ReplayEpisodeInput{EpisodeID: r.EpisodeID, StepsPerSecond: pace})
		wantError(t, p.err, domain.CodeInvalidArgument, "steps_per_second")
	}
}
