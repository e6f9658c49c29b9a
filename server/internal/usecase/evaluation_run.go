package usecase

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	// mostSeats are played side by side: with 256 rows the call of the network is nearly all arithmetic, and takes well below a millisecond,
	// after which the context is looked at and streams get their turn.
	mostSeats = 256
	// progressInterval is how often an evaluation says how far it is.
	progressInterval = 100 * time.Millisecond
)

// evaluationRun plays the mazes of a set side by side: in each round every seat makes one step, and a seat whose episode has ended gets the next
// maze. It is for one goroutine.
type evaluationRun struct {
	mazes  []*domain.Maze
	actor  *actor
	judge  *networkJudge // nil for a baseline, whose seats have policies of their own
	now    func() time.Time
	seats  []seat
	played []*domain.Episode // by the position of the maze; nil until it has ended
	next   int               // position of the next maze without a seat
	cost   StepHistogram
	counts EvaluationProgress
}

// seat is a place in a round with the episode that is played on it.
type seat struct {
	position int // of the maze in the set
	episode  *domain.Episode
	policy   domain.Policy // nil where the network decides for all seats at once
	action   domain.Action // of this round
}

func newEvaluationRun(mazes []*domain.Maze, actor *actor, now func() time.Time) *evaluationRun {
	r := &evaluationRun{mazes: mazes, actor: actor, now: now, played: make([]*domain.Episode, len(mazes)), counts: EvaluationProgress{Total: len(mazes)}}
	n := min(len(mazes), mostSeats)
	if actor.loaded != nil {
		r.judge = newNetworkJudge(actor.loaded, n)
	}
	r.seats = make([]seat, 0, n)
	for range n {
		r.seats = append(r.seats, r.newSeat())
	}
	return r
}

// newSeat starts the next maze. The random baseline's seed is the maze's position, so that mazes don't share one stream of numbers.
func (r *evaluationRun) newSeat() seat {
	s := seat{position: r.next, episode: domain.NewEpisode(r.mazes[r.next])}
	if r.judge == nil {
		s.policy, _ = domain.NewBaselinePolicy(r.actor.ref.Baseline, uint64(r.next)) // the actor was made of the same baseline
	}
	r.next++
	return s
}

// play runs all episodes to their end. Errors: the context's cause; errConsumerGone when report returns false; the network's own.
func (r *evaluationRun) play(ctx context.Context, report func(EvaluationProgress) bool) error {
	reported := r.now()
	for len(r.seats) > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		began := r.now()
		if err := r.decide(); err != nil {
			return err
		}
		for i := range r.seats {
			r.seats[i].episode.Apply(r.seats[i].action)
		}
		ended := r.now()
		r.cost.RecordBatch(ended.Sub(began), len(r.seats))
		r.reseat()
		if len(r.seats) > 0 && ended.Sub(reported) >= progressInterval {
			reported = ended
			if !report(r.counts) {
				return errConsumerGone
			}
		}
	}
	return nil
}

func (r *evaluationRun) decide() error {
	if r.judge != nil {
		return r.judge.decide(r.seats)
	}
	for i := range r.seats {
		s := &r.seats[i]
		var err error
		if s.action, _, err = s.policy.Decide(s.episode); err != nil {
			return fmt.Errorf("decide in maze %s: %w", s.episode.Maze().ID, err)
		}
	}
	return nil
}

// reseat gives the seats of ended episodes to the next mazes, or takes them away when there are none.
func (r *evaluationRun) reseat() {
	for i := len(r.seats) - 1; i >= 0; i-- {
		s := r.seats[i]
		if s.episode.Outcome() == domain.OutcomeRunning {
			continue
		}
		r.played[s.position] = s.episode
		r.counts.Done++
		if s.episode.Outcome() == domain.OutcomeReachedGoal {
			r.counts.Successes++
		}
		if r.next < len(r.mazes) {
			r.seats[i] = r.newSeat()
			continue
		}
		last := len(r.seats) - 1
		r.seats[i] = r.seats[last]
		r.seats = slices.Delete(r.seats, last, last+1)
	}
}

// evaluation sums up after play.
func (r *evaluationRun) evaluation() domain.Evaluation {
	groups, failed := domain.SumUp(r.played)
	cost := r.cost.Latency()
	e := domain.Evaluation{Groups: groups, FailedPositions: failed, P95Step: cost.P95}
	if cost.Count > 0 {
		e.MeanStep = cost.Sum / time.Duration(cost.Count)
	}
	e.EvaluatedAt = r.now().UTC().Truncate(time.Microsecond) // as exact as it is kept
	return e
}

// networkJudge decides for many seats in one call of the network.
type networkJudge struct {
	loaded *loadedModel
	inputs []float32
	scores []float32
	values []float32
}

func newNetworkJudge(loaded *loadedModel, mostSeats int) *networkJudge {
	return &networkJudge{
		loaded: loaded,
		inputs: make([]float32, mostSeats*domain.ObservationLength),
		scores: make([]float32, mostSeats*4),
		values: make([]float32, mostSeats),
	}
}

// decide sets the action of every seat to the one that the network takes for it alone.
func (j *networkJudge) decide(seats []seat) error {
	n := len(seats)
	inputs, scores, values := j.inputs[:n*domain.ObservationLength], j.scores[:4*n], j.values[:n]
	for i := range seats {
		seats[i].episode.Observe(j.loaded.model.Observation, (*[domain.ObservationLength]float32)(inputs[i*domain.ObservationLength:]))
	}
	if err := j.loaded.network.Infer(inputs, scores, values); err != nil {
		return fmt.Errorf("infer %d observations: %w", n, err)
	}
	for i := range seats {
		own := scores[4*i : 4*i+4]
		if n > 1 && isCloseCall(own) {
			input := inputs[i*domain.ObservationLength : (i+1)*domain.ObservationLength]
			if err := j.loaded.network.Infer(input, own, values[i:i+1]); err != nil {
				return fmt.Errorf("infer one observation: %w", err)
			}
		}
		s := domain.ActionScores{Kind: j.loaded.model.ScoreKind, Values: [4]float32(own)}
		seats[i].action = s.Choose(domain.Sampling{}, 0, seats[i].episode.Steps()+1)
	}
	return nil
}

// closeCallMargin is ten times what runtimes may differ by, absolute up to 1 and relative above; batches differ from single calls by much less.
const closeCallMargin = 10 * domain.ParityTolerance

// isCloseCall is true where the two largest scores are so near each other that the last bits, which a batch may have otherwise than a single call,
// could decide.
func isCloseCall(scores []float32) bool {
	best, second := math.Inf(-1), math.Inf(-1)
	for _, score := range scores {
		if v := float64(score); v > best {
			best, second = v, best
		} else {
			second = max(second, v)
		}
	}
	return best-second <= closeCallMargin*max(1, math.Abs(best))
}
