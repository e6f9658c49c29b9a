package usecase

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// mostLanes is how many contestants a race has at most.
const mostLanes = 4

// RunRace streams up to four episodes on one maze in step. Each lane is an episode as RunEpisode would run it: a pure function of its policy, the
// maze, the seed and its sampling, with its own id, resume token and log document. The race holds one place among the open streams.
type RunRace struct{ *episodeStarter }

// NewRunRace makes the use case beside RunEpisode, with which it shares the resume secret and the moments at which streams wake.
func NewRunRace(episodes *RunEpisode) *RunRace { return &RunRace{episodes.episodeStarter} }

// RaceLaneInput is one contestant. With a resume token, what is left empty is taken from the token.
type RaceLaneInput struct {
	EpisodeID     string           // UUIDv7; empty lets the server pick one
	Policy        domain.PolicyRef // empty means the active model
	Sampling      domain.Sampling
	ResumeToken   string
	ActionsDigest uint64 // over the actions up to the lesser of AfterStep and the lane's own last step
}

// RunRaceInput starts or resumes a race.
type RunRaceInput struct {
	Maze           domain.MazeRef
	Lanes          []RaceLaneInput // one to four
	Seed           *uint64         // of every lane; nil lets the server pick one
	StepsPerSecond float64         // of each lane, 0.1–1000; 0 is as fast as possible
	AfterStep      int             // the last tick that the client has
	Share          time.Duration   // 0–100 ms
	MaxSteps       int             // ticks of this stream; 0 means no such limit
}

// Run returns the race's events. An error ends the range, as in RunEpisode; its field is named with its lane ("lanes[1].policy.model_id"). When
// one lane is refused, none starts.
func (u *RunRace) Run(ctx context.Context, in RunRaceInput) iter.Seq2[RaceEvent, error] {
	return func(yield func(RaceEvent, error) bool) {
		if err := u.run(ctx, in, yield); err != nil && !errors.Is(err, errConsumerGone) {
			yield(RaceEvent{}, err)
		}
	}
}

func (u *RunRace) run(ctx context.Context, in RunRaceInput, yield func(RaceEvent, error) bool) error {
	if err := in.check(); err != nil {
		return err
	}
	if err := u.enter(ctx); err != nil {
		return err
	}
	defer u.leave()
	lanes, err := u.prepare(ctx, &in)
	defer func() {
		for _, l := range lanes {
			l.release()
		}
	}()
	if err != nil {
		return err
	}
	for i := range in.Lanes {
		if in.Lanes[i].ResumeToken == "" {
			u.deps.Counters.EpisodesStarted.Add(1)
		}
	}
	r := newRaceRun(lanes, &in, yield)
	err = r.stream(ctx)
	if r.started && !r.complete {
		u.deps.Counters.StreamsUnfinished.Add(1)
	}
	return err
}

// prepare resolves what the request names and replays every lane to after_step, or to its own end. The caller releases the lanes, also those
// that come with an error.
func (u *RunRace) prepare(ctx context.Context, in *RunRaceInput) (lanes []*liveEpisode, err error) {
	now := u.deps.Now()
	secret, err := u.secretFor(ctx, in.resumes())
	if err != nil {
		return nil, err
	}
	maze, err := domain.ResolveMaze(u.deps.Catalog, in.Maze)
	if err != nil {
		return nil, err
	}
	claims, err := u.claims(secret, in, maze, now)
	if err != nil {
		return nil, err
	}
	for i := range claims {
		named := in.Lanes[i].named()
		l, err := u.start(ctx, secret, &named, claims[i], maze, now)
		if err != nil {
			return lanes, inLane(i, err)
		}
		lanes = append(lanes, l)
	}
	if in.AfterStep > 0 {
		err = resumeLanesAt(ctx, lanes, in)
	}
	return lanes, err
}

// claims are those of all lanes. Tokens come first, because they may say which seed the race has.
func (u *RunRace) claims(secret []byte, in *RunRaceInput, maze *domain.Maze, now time.Time) ([]domain.ResumeClaims, error) {
	claims := make([]domain.ResumeClaims, len(in.Lanes))
	seed := in.Seed
	for i := range in.Lanes {
		if lane := in.Lanes[i].named(); lane.resumeToken != "" {
			var err error
			if claims[i], err = u.openToken(secret, &lane, maze, seed); err != nil {
				return nil, inLane(i, err)
			}
			seed = &claims[i].Seed
		}
	}
	raceSeed := u.seed(seed)
	for i := range in.Lanes {
		if lane := in.Lanes[i].named(); lane.resumeToken == "" {
			var err error
			if claims[i], err = u.newClaims(&lane, maze, raceSeed, now); err != nil {
				return nil, inLane(i, err)
			}
		}
		for j := range i {
			if claims[j].EpisodeID == claims[i].EpisodeID {
				return nil, sharedEpisodeID(i, j)
			}
		}
	}
	return claims, nil
}

func resumeLanesAt(ctx context.Context, lanes []*liveEpisode, in *RunRaceInput) error {
	longest := 0
	for _, l := range lanes {
		if err := l.replay(ctx, in.AfterStep); err != nil {
			return err
		}
		longest = max(longest, l.episode.Steps())
	}
	if err := checkReached(longest, in.AfterStep); err != nil {
		return err
	}
	for i, l := range lanes {
		if err := l.checkActions(in.Lanes[i].ActionsDigest); err != nil {
			return inLane(i, err)
		}
	}
	return nil
}

func (l *RaceLaneInput) named() episodeInput {
	return episodeInput{episodeID: l.EpisodeID, policy: l.Policy, sampling: l.Sampling, resumeToken: l.ResumeToken}
}

// resumes tells whether a lane brings a token.
func (in *RunRaceInput) resumes() bool {
	for i := range in.Lanes {
		if in.Lanes[i].ResumeToken != "" {
			return true
		}
	}
	return false
}

// check requires every field to be in its range, as RunEpisodeInput.check does.
func (in *RunRaceInput) check() error {
	if n := len(in.Lanes); n < 1 || n > mostLanes {
		return outOfRange("lanes", "must be one to four")
	}
	if err := checkStream(in.AfterStep, in.StepsPerSecond, in.MaxSteps, in.Share); err != nil {
		return err
	}
	for i := range in.Lanes {
		lane := &in.Lanes[i]
		if in.AfterStep > 0 && lane.ResumeToken == "" {
			return inLane(i, errTokenMissing)
		}
		if err := checkSampling(lane.Sampling); err != nil {
			return inLane(i, err)
		}
		for j := range i {
			if lane.EpisodeID != "" && in.Lanes[j].EpisodeID == lane.EpisodeID {
				return sharedEpisodeID(i, j)
			}
		}
	}
	return nil
}

func sharedEpisodeID(lane, other int) error {
	return inLane(lane, &domain.Error{Code: domain.CodeInvalidArgument, Field: "episode_id", Rule: "episode_id.shared", Message: fmt.Sprintf("lanes %d and %d have the same episode_id; each lane is an episode of its own", other, lane)})
}

// inLane names the lane in the field of a lane's error.
func inLane(lane int, err error) error {
	known, ok := errors.AsType[*domain.Error](err)
	if !ok || known.Field == "" {
		return err
	}
	named := *known
	named.Field = fmt.Sprintf("lanes[%d].%s", lane, known.Field)
	return &named
}
