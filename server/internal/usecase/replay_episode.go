package usecase

import (
	"context"
	"errors"
	"iter"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// ReplayEpisode streams a logged episode again. Each step is computed anew and compared with the log, to which nothing is written.
type ReplayEpisode struct{ *episodeStarter }

// NewReplayEpisode makes the use case, which shares limits and the wake grid with the episodes that run alone.
func NewReplayEpisode(episodes *RunEpisode) *ReplayEpisode {
	return &ReplayEpisode{episodes.episodeStarter}
}

// ReplayEpisodeInput names the episode.
type ReplayEpisodeInput struct {
	EpisodeID      string
	StepsPerSecond float64 // 0.1–1000; 0 is as fast as possible
}

// Run returns the episode's events, as RunEpisode does; it counts as an open stream. Errors: domain.ErrEpisodeUnknown;
// CodeFailedPrecondition on "episode_id" for one that can't be run again, and, after the steps before it, for the first step that differs;
// CodeUnavailable; CodeResourceExhausted; the context's cause.
func (u *ReplayEpisode) Run(ctx context.Context, in ReplayEpisodeInput) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := u.run(ctx, in, yield); err != nil && !errors.Is(err, errConsumerGone) {
			yield(Event{}, err)
		}
	}
}

func (u *ReplayEpisode) run(ctx context.Context, in ReplayEpisodeInput, yield func(Event, error) bool) error {
	if err := checkStream(0, in.StepsPerSecond, 0, 0); err != nil {
		return err
	}
	if err := u.enter(ctx); err != nil {
		return err
	}
	defer u.leave()
	logged, err := u.deps.openLogged(ctx, in.EpisodeID)
	if err != nil {
		return err
	}
	defer logged.release()
	return newReplayRun(u.episodeStarter, logged, in.StepsPerSecond, yield).stream(ctx)
}

// describe is the first event. What is replayed has no resume token: who was cut asks for the replay again.
func (l *loggedEpisode) describe() *EpisodeStarted {
	maze := l.episode.Maze()
	s := &EpisodeStarted{
		EpisodeID: l.record.EpisodeID,
		Policy:    l.actor.ref,
		Maze:      maze,
		Seed:      l.record.Seed,
		Sampling:  l.record.Sampling,
		FirstStep: 1,
		MaxSteps:  maze.MaxSteps(),
	}
	if loaded := l.actor.loaded; loaded != nil {
		s.Observation, s.ScoreKind = loaded.model.Observation, loaded.model.ScoreKind
	}
	return s
}

// next computes the next step and makes it when it is the logged one; else the error is domain.StepDiffers.
func (l *loggedEpisode) next() (Step, error) {
	action, scores, err := l.actor.policy.Decide(l.episode)
	if err != nil {
		return Step{}, err
	}
	index := l.episode.Steps() + 1
	if known := l.record.LoggedAction(index); known == nil || *known != action {
		return Step{}, domain.StepDiffers(index, known, &action)
	}
	s := Step{Step: l.episode.Apply(action), Scores: scores}
	if scores.Kind != "" {
		s.Probabilities = scores.Probabilities()
	}
	return s, nil
}
