package usecase

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// appendTimeout is how long the log may take to store the episode.
const appendTimeout = 5 * time.Second

// liveEpisode is an episode with everything that it runs on: alone in a stream, or as a lane of a race. It is not safe for concurrent use.
type liveEpisode struct {
	starter   *episodeStarter
	claims    domain.ResumeClaims
	token     string // resume_token; empty while the secret can't be read
	actor     *actor
	episode   *domain.Episode
	startedAt time.Time
}

// running is true until the episode has ended.
func (l *liveEpisode) running() bool { return l.episode.Outcome() == domain.OutcomeRunning }

// release gives the model back; to be called once.
func (l *liveEpisode) release() { l.actor.release() }

// step makes one step and takes its time. It starts at now and ends at the step's ServerTime.
func (l *liveEpisode) step(now time.Time) (Step, error) {
	action, scores, err := l.actor.policy.Decide(l.episode)
	if err != nil {
		return Step{}, err
	}
	s := Step{Step: l.episode.Apply(action), Scores: scores}
	s.ServerTime = l.starter.deps.Now()
	counters := l.starter.deps.Counters
	counters.Steps.Record(s.ServerTime.Sub(now))
	if s.Outcome != domain.OutcomeRunning {
		counters.EpisodesFinished.Add(1) // here and not with the result, which a resume at the end sends again
		if s.Outcome == domain.OutcomeReachedGoal {
			counters.GoalsReached.Add(1)
		}
	}
	if scores.Kind != "" {
		s.Probabilities = scores.Probabilities()
	}
	return s, nil
}

// result describes the end.
func (l *liveEpisode) result(logged bool) *EpisodeFinished {
	e := l.episode
	return &EpisodeFinished{
		Outcome:     e.Outcome(),
		Steps:       e.Steps(),
		Bumps:       e.Bumps(),
		TotalReward: e.TotalReward(),
		SPL:         e.SPL(),
		Logged:      logged,
		ServerTime:  l.starter.deps.Now(),
	}
}

// log writes the finished episode to the log, also when the client has gone meanwhile. Its errors are those of domain.EpisodeLog.
func (l *liveEpisode) log(ctx context.Context) error {
	e, maze, deps := l.episode, l.episode.Maze(), &l.starter.deps
	now := deps.Now()
	record := domain.EpisodeRecord{
		EpisodeID:   l.claims.EpisodeID,
		Timestamp:   now,
		ModelID:     l.claims.Policy.ModelID,
		Baseline:    l.claims.Policy.Baseline,
		MazeID:      maze.ID,
		MazeHash:    maze.Hash(),
		Seed:        l.claims.Seed,
		Sampling:    l.claims.Sampling,
		Steps:       e.Steps(),
		Bumps:       e.Bumps(),
		Outcome:     e.Outcome(),
		TotalReward: e.TotalReward(),
		SPL:         e.SPL(),
		Actions:     slices.Clone(e.Actions()),
		Duration:    now.Sub(l.startedAt),
	}
	if maze.ID == "" {
		record.MazeRows = maze.Rows()
	}
	if loaded := l.actor.loaded; loaded != nil {
		record.Observation = loaded.model.Observation
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	err := deps.Log.AppendEpisode(ctx, record)
	switch {
	case err == nil:
		l.starter.used.add(l)
	case !errors.Is(err, domain.ErrEpisodeConflict):
		deps.Counters.EpisodesNotLogged.Add(1)
	}
	if deps.OnLogged != nil {
		deps.OnLogged(record.EpisodeID, deps.Now().Sub(now), err)
	}
	return err
}
