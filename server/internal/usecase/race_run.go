package usecase

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// laneLogWait is how long the message with a lane's end waits for the log, so that a store that hangs does not hold up the lanes that go on.
// It is half of what a stream may be late and still catch up with.
const laneLogWait = latenessKept / 2

// raceRun is one stream of a race, on the goroutine of its consumer. What writes a lane's end to the log is the only thing beside it, and has
// ended when stream returns.
//
// The lanes' networks are asked one after the other: most lanes have a network of their own, and those that share one come together with the
// other streams that wake at the same moment, as episodes do (infrastructure/onnx).
type raceRun struct {
	pacing
	lanes []raceLane
	yield func(RaceEvent, error) bool

	firstStep int
	started   bool            // the first event was taken
	complete  bool            // the stream went as far as it was asked to
	message   []RaceLaneSteps // in work; its memory is used again
	appending sync.WaitGroup  // lanes that are being written to the log
}

// raceLane is one contestant.
type raceLane struct {
	*liveEpisode
	steps    []Step     // of the message in work; its memory is used again
	appended chan error // takes what the log said; nil until the lane has ended in this stream or the race is over
	settled  bool       // logErr is what the log said
	logErr   error
}

var _ course = (*raceRun)(nil)

func newRaceRun(lanes []*liveEpisode, in *RunRaceInput, yield func(RaceEvent, error) bool) *raceRun {
	starter := lanes[0].starter
	r := &raceRun{
		pacing:    pacing{now: starter.deps.Now, epoch: starter.epoch, stepsPerSecond: in.StepsPerSecond, share: in.Share, limit: in.MaxSteps, mostTicks: largestMessage / len(lanes)},
		lanes:     make([]raceLane, len(lanes)),
		yield:     yield,
		firstStep: in.AfterStep + 1,
	}
	for i, l := range lanes {
		r.lanes[i].liveEpisode = l
	}
	if r.limit == 0 {
		r.limit = lanes[0].episode.Maze().MaxSteps()
	}
	return r
}

// send gives one event to the consumer.
func (r *raceRun) send(e RaceEvent) error {
	if !r.yield(e, nil) {
		return errConsumerGone
	}
	r.started = true
	r.lastSent = r.now()
	return nil
}

func (r *raceRun) stream(ctx context.Context) error {
	defer r.appending.Wait()
	defer r.stop()
	for i := range r.lanes {
		pooled := stepsPool.Get().(*[]Step)
		lane := &r.lanes[i]
		lane.steps = *pooled
		defer func() {
			*pooled = lane.steps[:0]
			stepsPool.Put(pooled)
		}()
	}
	if err := r.send(RaceEvent{Started: r.describe()}); err != nil {
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

func (r *raceRun) describe() *RaceStarted {
	first := &r.lanes[0]
	s := &RaceStarted{
		Maze:      first.episode.Maze(),
		Seed:      first.claims.Seed,
		FirstStep: r.firstStep,
		MaxSteps:  first.episode.Maze().MaxSteps(),
		Lanes:     make([]RaceLaneStarted, len(r.lanes)),
	}
	for i := range r.lanes {
		lane := &r.lanes[i]
		s.Lanes[i] = RaceLaneStarted{EpisodeID: lane.claims.EpisodeID, Policy: lane.claims.Policy, Sampling: lane.claims.Sampling, ResumeToken: lane.token}
		if loaded := lane.actor.loaded; loaded != nil {
			s.Lanes[i].Observation, s.Lanes[i].ScoreKind = loaded.model.Observation, loaded.model.ScoreKind
		}
	}
	s.ServerTime = r.now()
	return s
}

func (r *raceRun) running() bool {
	for i := range r.lanes {
		if r.lanes[i].running() {
			return true
		}
	}
	return false
}

func (r *raceRun) begin() {
	for i := range r.lanes {
		r.lanes[i].steps = r.lanes[i].steps[:0]
	}
}

// tick makes one step of every lane that has not ended.
func (r *raceRun) tick(now time.Time) (time.Time, error) {
	for i := range r.lanes {
		lane := &r.lanes[i]
		if !lane.running() {
			continue
		}
		s, err := lane.step(now)
		if err != nil {
			return now, err
		}
		lane.steps = append(lane.steps, s)
		now = s.ServerTime
	}
	return now, nil
}

// flush sends the ticks of the message. Lanes that ended in it are written to the log before, all at once.
func (r *raceRun) flush(ctx context.Context) error {
	var ended []*raceLane
	for i := range r.lanes {
		if lane := &r.lanes[i]; len(lane.steps) > 0 && !lane.running() {
			r.append(ctx, lane)
			ended = append(ended, lane)
		}
	}
	r.settle(ended)
	r.message = r.message[:0]
	for i := range r.lanes {
		lane := &r.lanes[i]
		if len(lane.steps) == 0 {
			continue
		}
		moved := RaceLaneSteps{Lane: i, Steps: lane.steps}
		if !lane.running() {
			moved.Finished = lane.result(lane.settled && lane.logErr == nil)
		}
		r.message = append(r.message, moved)
	}
	return r.send(RaceEvent{Steps: r.message})
}

func (r *raceRun) beat(now time.Time) error {
	return r.send(RaceEvent{Heartbeat: &Heartbeat{ServerTime: now}})
}

// append starts to write the lane to the log.
func (r *raceRun) append(ctx context.Context, lane *raceLane) {
	lane.appended = make(chan error, 1)
	r.appending.Go(func() { lane.appended <- lane.log(ctx) })
}

// settle waits a moment for the log.
func (r *raceRun) settle(lanes []*raceLane) {
	if len(lanes) == 0 {
		return
	}
	patience := time.NewTimer(laneLogWait)
	defer patience.Stop()
	for _, lane := range lanes {
		select {
		case lane.logErr = <-lane.appended:
			lane.settled = true
		case <-patience.C:
			return
		}
	}
}

// finish sends the results of all lanes. Those that had ended before a resume are written again, which finds them there: it cannot be known
// here whether the stream of then came to it.
func (r *raceRun) finish(ctx context.Context) error {
	for i := range r.lanes {
		if lane := &r.lanes[i]; lane.appended == nil {
			r.append(ctx, lane)
		}
	}
	finished := &RaceFinished{Lanes: make([]EpisodeFinished, len(r.lanes))}
	for i := range r.lanes {
		lane := &r.lanes[i]
		if !lane.settled {
			lane.logErr, lane.settled = <-lane.appended, true
		}
		if errors.Is(lane.logErr, domain.ErrEpisodeConflict) {
			return inLane(i, domain.ErrEpisodeConflict)
		}
		finished.Lanes[i] = *lane.result(lane.logErr == nil)
	}
	finished.ServerTime = r.now()
	return r.send(RaceEvent{Finished: finished})
}
