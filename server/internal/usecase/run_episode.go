package usecase

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	largestMapped = 30 // rows and columns up to which steps carry a policy map
	mostSteps     = 2 * domain.MaxMazeSize * domain.MaxMazeSize
)

// RunEpisode streams one episode. It keeps nothing between two calls: an episode is a pure function of its policy, maze, seed and sampling.
type RunEpisode struct{ *episodeStarter }

// EpisodeDeps are what RunEpisode, RunRace, MapPolicy and ScoreObservations work with.
type EpisodeDeps struct {
	Catalog  domain.MazeCatalog
	Models   *LoadedModels
	Log      domain.EpisodeLog
	Secrets  domain.Secrets
	Counters *Counters
	Capacity *Capacity
	Now      func() time.Time
	Random   func() uint64                                         // for seeds and ids that are left out; nil means crypto/rand
	OnLogged func(episodeID string, took time.Duration, err error) // for the server's own log; may be nil
}

// NewRunEpisode makes the use case.
func NewRunEpisode(d EpisodeDeps) *RunEpisode {
	if d.Random == nil {
		d.Random = RandomUint64
	}
	return &RunEpisode{&episodeStarter{deps: d, epoch: d.Now()}}
}

// RandomUint64 returns a number that nobody can guess.
func RandomUint64() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails: it ends the process instead
	return binary.LittleEndian.Uint64(b[:])
}

// RunEpisodeInput starts or resumes an episode. With a resume token, what is left empty is taken from the token.
type RunEpisodeInput struct {
	EpisodeID      string // UUIDv7; empty lets the server pick one
	Maze           domain.MazeRef
	Policy         domain.PolicyRef // empty means the active model
	Seed           *uint64          // nil lets the server pick one
	Sampling       domain.Sampling
	StepsPerSecond float64 // 0.1–1000; 0 is as fast as possible
	AfterStep      int
	ResumeToken    string
	ActionsDigest  uint64
	Share          time.Duration // 0–100 ms
	WithPolicyMap  bool
	MaxSteps       int // of this stream; 0 means no such limit
}

// Run returns the episode's events. An error ends the range; it is a *domain.Error, or the context's cause. Ending the range ends the episode,
// and so does the context: cancel it with a *domain.Error as its cause (domain.ErrDraining) to tell the client why.
func (u *RunEpisode) Run(ctx context.Context, in RunEpisodeInput) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := u.run(ctx, in, yield); err != nil && !errors.Is(err, errConsumerGone) {
			yield(Event{}, err)
		}
	}
}

// errConsumerGone ends a run whose range was ended by its consumer.
var errConsumerGone = errors.New("the consumer ended the range")

func (u *RunEpisode) run(ctx context.Context, in RunEpisodeInput, yield func(Event, error) bool) error {
	if err := in.check(); err != nil {
		return err
	}
	if err := u.enter(ctx); err != nil {
		return err
	}
	defer u.leave()
	live, err := u.prepare(ctx, &in)
	if err != nil {
		return err
	}
	defer live.release()
	if in.ResumeToken == "" {
		u.deps.Counters.EpisodesStarted.Add(1)
	}
	r := newEpisodeRun(live, &in, yield)
	err = r.stream(ctx)
	if r.started && !r.complete {
		u.deps.Counters.StreamsUnfinished.Add(1)
	}
	return err
}

// prepare resolves what the request names and replays to after_step. The caller releases the episode.
func (u *RunEpisode) prepare(ctx context.Context, in *RunEpisodeInput) (*liveEpisode, error) {
	now := u.deps.Now()
	secret, err := u.secretFor(ctx, in.ResumeToken != "")
	if err != nil {
		return nil, err
	}
	maze, err := domain.ResolveMaze(u.deps.Catalog, in.Maze)
	if err != nil {
		return nil, err
	}
	named := episodeInput{episodeID: in.EpisodeID, policy: in.Policy, sampling: in.Sampling, resumeToken: in.ResumeToken}
	var claims domain.ResumeClaims
	if in.ResumeToken != "" {
		claims, err = u.openToken(secret, &named, maze, in.Seed)
	} else {
		claims, err = u.newClaims(&named, maze, u.seed(in.Seed), now)
	}
	if err != nil {
		return nil, err
	}
	live, err := u.start(ctx, secret, &named, claims, maze, now)
	if err != nil {
		return nil, err
	}
	if in.AfterStep > 0 {
		if err := resumeAt(ctx, live, in); err != nil {
			live.release()
			return nil, err
		}
	}
	return live, nil
}

func resumeAt(ctx context.Context, live *liveEpisode, in *RunEpisodeInput) error {
	if err := live.replay(ctx, in.AfterStep); err != nil {
		return err
	}
	if err := checkReached(live.episode.Steps(), in.AfterStep); err != nil {
		return err
	}
	return live.checkActions(in.ActionsDigest)
}

// check requires every field to be in its range. The interface checks the same by the contract's rules; a use case relies on no other layer.
func (in *RunEpisodeInput) check() error {
	if err := checkStream(in.AfterStep, in.StepsPerSecond, in.MaxSteps, in.Share); err != nil {
		return err
	}
	if in.AfterStep > 0 && in.ResumeToken == "" {
		return errTokenMissing
	}
	return checkSampling(in.Sampling)
}

var errTokenMissing = &domain.Error{Code: domain.CodeInvalidArgument, Field: "resume_token", Rule: "resume_token.missing", Message: "after_step above 0 needs the resume_token of started"}

// checkStream requires what every stream is asked for to be in its range.
func checkStream(afterStep int, stepsPerSecond float64, maxSteps int, share time.Duration) error {
	if err := checkAfterStep(afterStep); err != nil {
		return err
	}
	switch s := stepsPerSecond; {
	case s != 0 && !(s >= 0.1 && s <= 1000): // true for NaN
		return outOfRange("steps_per_second", "must be 0 (as fast as possible) or between 0.1 and 1000")
	case maxSteps < 0 || maxSteps > mostSteps:
		return outOfRange("max_steps", "must be between 0 and 20000; 0 means no limit")
	case share < 0 || share > 100*time.Millisecond:
		return outOfRange("share_ms", "must be between 0 and 100")
	}
	return nil
}

func outOfRange(field, message string) error {
	return &domain.Error{Code: domain.CodeInvalidArgument, Field: field, Rule: field + ".range", Message: field + " " + message}
}

func checkAfterStep(n int) error {
	if n < 0 || n > mostSteps {
		return outOfRange("after_step", "must be between 0 and 20000")
	}
	return nil
}

func checkSampling(s domain.Sampling) error {
	if t := s.Temperature; t != 0 && !(t >= 0.01 && t <= 10) || math.IsNaN(t) {
		return &domain.Error{Code: domain.CodeInvalidArgument, Field: "sampling.softmax.temperature", Rule: "temperature.range", Message: "temperature must be between 0.01 and 10"}
	}
	return nil
}
