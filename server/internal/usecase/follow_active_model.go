package usecase

import (
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// FollowActiveModel makes new episodes of this instance use what any instance made active.
type FollowActiveModel struct {
	Feed   domain.ActivationFeed
	Models *LoadedModels
	// OnFollowed hears of each activation once, when this instance acts by the newest of them; err says why it can't.
	OnFollowed func(activations []domain.Activation, err error)
	// OnHeard is called with nil when the feed has caught up on a new connection, and with each failure; the feed goes on by itself.
	OnHeard func(error)
}

// Run follows until ctx ends. A model that can't be loaded here leaves none active on this instance: episodes on another model than the
// active one would be worse than none.
func (u *FollowActiveModel) Run(ctx context.Context) error {
	return u.Feed.FollowActivations(ctx, func(ctx context.Context, activations []domain.Activation) error {
		err := u.Models.followActive(ctx)
		if domain.CodeOf(err) == domain.CodeUnavailable || ctx.Err() != nil {
			return err // the feed brings the same ones again
		}
		u.OnFollowed(activations, err)
		return nil
	}, u.OnHeard)
}
