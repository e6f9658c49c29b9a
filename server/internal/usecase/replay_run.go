package usecase

import (
	"context"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// replayRun is one stream of a logged episode, on the goroutine of its consumer. It starts none of its own.
type replayRun struct {
	*loggedEpisode
	pacing
	yield func(Event, error) bool

	steps  []Step // of the message in work; its memory is used again
	differ error  // the first step that differs; it ends the stream after what was sent before it
}

var _ course = (*replayRun)(nil)

func newReplayRun(starter *episodeStarter, logged *loggedEpisode, stepsPerSecond float64, yield func(Event, error) bool) *replayRun {
	return &replayRun{
		loggedEpisode: logged,
		pacing: pacing{
			now: starter.deps.Now, epoch: starter.epoch, stepsPerSecond: stepsPerSecond,
			limit: logged.episode.Maze().MaxSteps(), mostTicks: largestMessage,
		},
		yield: yield,
	}
}

func (r *replayRun) stream(ctx context.Context) error {
	pooled := stepsPool.Get().(*[]Step)
	r.steps = *pooled
	defer func() {
		r.stop()
		*pooled = r.steps[:0]
		stepsPool.Put(pooled)
	}()
	started := r.describe()
	started.ServerTime = r.now()
	if err := r.send(Event{Started: started}); err != nil {
		return err
	}
	if err := r.play(ctx, r); err != nil {
		return err
	}
	if r.differ != nil {
		return r.differ
	}
	proof := r.record.Prove(r.episode)
	if err := proof.Err(); err != nil {
		return err
	}
	e := r.episode
	return r.send(Event{Finished: &EpisodeFinished{
		Outcome: e.Outcome(), Steps: e.Steps(), Bumps: e.Bumps(), TotalReward: e.TotalReward(), SPL: e.SPL(), Logged: true, ServerTime: r.now(),
	}})
}

// send gives one event to the consumer.
func (r *replayRun) send(e Event) error {
	if !r.yield(e, nil) {
		return errConsumerGone
	}
	r.lastSent = r.now()
	return nil
}

func (r *replayRun) running() bool {
	return r.differ == nil && r.episode.Outcome() == domain.OutcomeRunning
}

func (r *replayRun) begin() { r.steps = r.steps[:0] }

func (r *replayRun) tick(time.Time) (time.Time, error) {
	s, err := r.next()
	now := r.now()
	if domain.CodeOf(err) == domain.CodeFailedPrecondition {
		r.differ = err
		return now, nil
	}
	if err != nil {
		return now, err
	}
	s.ServerTime = now
	r.steps = append(r.steps, s)
	return now, nil
}

func (r *replayRun) flush(context.Context) error {
	if len(r.steps) == 0 {
		return nil // the first step of the message differs
	}
	return r.send(Event{Steps: r.steps})
}

func (r *replayRun) beat(now time.Time) error {
	return r.send(Event{Heartbeat: &Heartbeat{ServerTime: now}})
}
