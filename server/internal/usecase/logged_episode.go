package usecase

import (
	"context"
	"errors"
	"fmt"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// loggedEpisode is an episode of the log, with everything that it takes to run it again. It is not safe for concurrent use.
type loggedEpisode struct {
	record  domain.EpisodeRecord
	actor   *actor
	episode *domain.Episode // at its start
}

// openLogged finds the episode in the log and puts it back on its start; release must be called once. What has changed since it was logged, so that
// it would not be the same episode, is CodeFailedPrecondition on "episode_id". Other errors: domain.ErrEpisodeUnknown; CodeUnavailable.
func (d *EpisodeDeps) openLogged(ctx context.Context, episodeID string) (*loggedEpisode, error) {
	record, err := d.Log.FindEpisode(ctx, episodeID)
	if err != nil {
		return nil, err
	}
	maze, err := d.loggedMaze(&record)
	if err != nil {
		return nil, err
	}
	a, err := d.loggedActor(ctx, &record)
	if err != nil {
		return nil, err
	}
	return &loggedEpisode{record: record, actor: a, episode: domain.NewEpisode(maze)}, nil
}

// release gives the model back; to be called once.
func (l *loggedEpisode) release() { l.actor.release() }

// loggedMaze returns the maze of the record, which must be the one that was logged.
func (d *EpisodeDeps) loggedMaze(r *domain.EpisodeRecord) (*domain.Maze, error) {
	ref := domain.MazeRef{ID: r.MazeID}
	if r.MazeID == "" {
		ref.Drawn = r.MazeRows
	}
	maze, err := domain.ResolveMaze(d.Catalog, ref)
	switch {
	case err != nil && r.MazeID == "":
		return nil, notAgain("episode.damaged", "the rows of the logged maze make no maze", err)
	case err != nil:
		return nil, notAgain("episode.maze_gone", fmt.Sprintf("there is no maze %q any more", r.MazeID), err)
	case maze.Hash() != r.MazeHash:
		return nil, notAgain("episode.maze_changed", "the episode's maze is not the one that was logged: its hash is another one", nil)
	}
	return maze, nil
}

// loggedActor returns the policy of the record. That a model's file was replaced under its id shows here where it sees something else now, and
// otherwise in the actions.
func (d *EpisodeDeps) loggedActor(ctx context.Context, r *domain.EpisodeRecord) (*actor, error) {
	if (r.ModelID == "") == (r.Baseline == domain.BaselineNone) {
		return nil, notAgain("episode.damaged", "the log does not say who acted in this episode", nil)
	}
	a, err := newActor(ctx, d.Models, domain.PolicyRef{ModelID: r.ModelID, Baseline: r.Baseline}, r.Sampling, r.Seed)
	known, ok := errors.AsType[*domain.Error](err)
	switch {
	case ok && known.Code == domain.CodeNotFound:
		return nil, notAgain("episode.model_gone", fmt.Sprintf("model %s, which acted in this episode, is gone", r.ModelID), err)
	case ok && known.Code == domain.CodeInvalidArgument:
		return nil, notAgain("episode.damaged", "the log names a baseline that does not exist", err)
	case ok && known.Code == domain.CodeFailedPrecondition:
		return nil, notAgain(known.Rule, known.Message, err)
	case err != nil:
		return nil, err
	}
	if a.loaded != nil && a.loaded.model.Observation != r.Observation {
		a.release()
		return nil, notAgain("model.replaced", fmt.Sprintf("model %s was replaced since the episode was logged: it observes by %s, not by %s", r.ModelID, a.loaded.model.Observation, r.Observation), nil)
	}
	return a, nil
}

// notAgain says why a logged episode can't be run again.
func notAgain(rule, message string, cause error) error {
	return &domain.Error{Code: domain.CodeFailedPrecondition, Field: "episode_id", Rule: rule, Message: message, Cause: cause}
}
