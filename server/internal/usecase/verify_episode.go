package usecase

import (
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// VerifyEpisode runs a logged episode again and compares it with the log.
type VerifyEpisode struct{ deps EpisodeDeps }

// NewVerifyEpisode makes the use case; it needs Catalog, Models, Log and Capacity only.
func NewVerifyEpisode(d EpisodeDeps) *VerifyEpisode { return &VerifyEpisode{deps: d} }

// VerifyEpisodeOutput is the proof, with both sides of it.
type VerifyEpisodeOutput struct {
	Proof  domain.EpisodeProof
	Logged domain.EpisodeRecord
	Again  *domain.Episode // at its end
}

// Run plays the episode at full speed, which counts like a replay to after_step. An episode that differs is no error. Errors:
// domain.ErrEpisodeUnknown; CodeFailedPrecondition on "episode_id" for one that can't be run again; CodeUnavailable; CodeResourceExhausted.
func (u *VerifyEpisode) Run(ctx context.Context, episodeID string) (VerifyEpisodeOutput, error) {
	logged, err := u.deps.openLogged(ctx, episodeID)
	if err != nil {
		return VerifyEpisodeOutput{}, err
	}
	defer logged.release()
	e := logged.episode
	if err := replay(ctx, u.deps.Capacity, e, logged.actor.policy, e.Maze().MaxSteps()); err != nil {
		return VerifyEpisodeOutput{}, err
	}
	return VerifyEpisodeOutput{Proof: logged.record.Prove(e), Logged: logged.record, Again: e}, nil
}
