package usecase

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// logGrid is the grid of moments at which paced episodes are written to the log, so that those of many viewers share an insert: a store works
// ten times as long on ten inserts as on one of ten. Whoever watched an episode at a pace does not see that its result comes 100 ms later;
// at speed 0 nothing waits.
const logGrid = 100 * time.Millisecond

// episodeRun is one stream of an episode, on the goroutine of its consumer. It starts none of its own.
type episodeRun struct {
	*liveEpisode
	pacing
	mapped bool // steps carry policy maps
	yield  func(Event, error) bool

	started  bool   // the first event was taken
	complete bool   // the stream went as far as it was asked to
	steps    []Step // of the message in work; its memory is used again
}

var _ course = (*episodeRun)(nil)

func newEpisodeRun(live *liveEpisode, in *RunEpisodeInput, yield func(Event, error) bool) *episodeRun {
	maze, deps := live.episode.Maze(), &live.starter.deps
	rows, cols := maze.Size()
	r := &episodeRun{
		liveEpisode: live,
		pacing:      pacing{now: deps.Now, epoch: live.starter.epoch, stepsPerSecond: in.StepsPerSecond, share: in.Share, limit: in.MaxSteps, mostTicks: largestMessage},
		mapped:      in.WithPolicyMap && live.actor.loaded != nil && rows <= largestMapped && cols <= largestMapped,
		yield:       yield,
	}
	if r.limit == 0 {
		r.limit = maze.MaxSteps()
	}
	return r
}

// stepsPool keeps the memory of messages from episode to episode: at speed 0 it was a third of all that the server allocated.
var stepsPool = sync.Pool{New: func() any { return new([]Step) }}

// send gives one event to the consumer.
func (r *episodeRun) send(e Event) error {
	if !r.yield(e, nil) {
		return errConsumerGone
	}
	r.started = true
	r.lastSent = r.now()
	return nil
}

func (r *episodeRun) stream(ctx context.Context) error {
	pooled := stepsPool.Get().(*[]Step)
	r.steps = *pooled
	defer func() {
		r.stop()
		*pooled = r.steps[:0]
		stepsPool.Put(pooled)
	}()
	started, err := r.describe(ctx)
	if err != nil {
		return err
	}
	if err := r.send(Event{Started: started}); err != nil {
		return err
	}
	if err := r.play(ctx, r); err != nil {
		return err
	}
	r.complete = true
	if r.running() {
		return nil // max_steps ended the stream
	}
	return r.finish(ctx)
}

func (r *episodeRun) describe(ctx context.Context) (*EpisodeStarted, error) {
	maze := r.episode.Maze()
	s := &EpisodeStarted{
		EpisodeID:   r.claims.EpisodeID,
		Policy:      r.claims.Policy,
		Maze:        maze,
		Seed:        r.claims.Seed,
		Sampling:    r.claims.Sampling,
		FirstStep:   r.episode.Steps() + 1,
		MaxSteps:    maze.MaxSteps(),
		ResumeToken: r.token,
	}
	if loaded := r.actor.loaded; loaded != nil {
		s.Observation, s.ScoreKind = loaded.model.Observation, loaded.model.ScoreKind
	}
	var err error
	if r.mapped {
		if s.PolicyMap, err = mapPolicy(ctx, r.starter.deps.Capacity, r.episode, r.actor.loaded); err != nil {
			return nil, err
		}
	}
	s.ServerTime = r.now()
	return s, nil
}

func (r *episodeRun) begin() { r.steps = r.steps[:0] }

func (r *episodeRun) tick(now time.Time) (time.Time, error) {
	s, err := r.step(now)
	if err != nil {
		return now, err
	}
	r.steps = append(r.steps, s)
	return s.ServerTime, nil
}

func (r *episodeRun) flush(context.Context) error {
	pm, err := r.policyMap()
	if err != nil {
		return err
	}
	r.steps[len(r.steps)-1].PolicyMap = pm
	return r.send(Event{Steps: r.steps})
}

func (r *episodeRun) beat(now time.Time) error {
	return r.send(Event{Heartbeat: &Heartbeat{ServerTime: now}})
}

// policyMap is nil when none was asked for, and when too many are computed at this moment: a step must not wait for its map.
func (r *episodeRun) policyMap() (*domain.PolicyMap, error) {
	maps := &r.starter.deps.Capacity.maps
	if !r.mapped || !maps.tryAcquire() {
		return nil, nil
	}
	defer maps.release()
	return domain.MapPolicy(r.episode, r.actor.loaded.network, &r.actor.loaded.model)
}

// finish writes the episode to the log and says so. The log gets its document even when the client has gone meanwhile.
func (r *episodeRun) finish(ctx context.Context) error {
	if now := r.now(); r.stepsPerSecond > 0 {
		r.sleep(ctx, r.onGrid(now, logGrid).Sub(now)) // a client who leaves meanwhile only makes it shorter
	}
	err := r.log(ctx)
	if errors.Is(err, domain.ErrEpisodeConflict) {
		return domain.ErrEpisodeConflict
	}
	return r.send(Event{Finished: r.result(err == nil)})
}
