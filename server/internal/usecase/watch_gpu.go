package usecase

import (
	"context"
	"iter"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// WatchGPU streams readings of a trainer's GPUs.
type WatchGPU struct{ Trainers *Trainers }

// errTrainerUnknown: the request names a trainer that is none of TRAINER_URL.
var errTrainerUnknown = &domain.Error{Code: domain.CodeNotFound, Field: "trainer", Rule: "trainer.unknown", Message: "no such trainer; GetStatus names those that exist"}

// Run streams a reading at once, then one each interval, until the range ends; trainer "" is the first one that answers. Errors: CodeNotFound;
// CodeUnavailable, also in the middle; CodeResourceExhausted when there are too many viewers.
func (u *WatchGPU) Run(ctx context.Context, trainer string, interval time.Duration) iter.Seq2[domain.GPUSample, error] {
	return func(yield func(domain.GPUSample, error) bool) {
		link, err := u.choose(trainer)
		if err != nil {
			yield(domain.GPUSample{}, err)
			return
		}
		leave, err := u.Trainers.admit(ctx)
		if err != nil {
			yield(domain.GPUSample{}, err)
			return
		}
		defer leave()
		feed, part := u.Trainers.gpus.join(link)
		if feed == nil {
			yield(domain.GPUSample{}, domain.ErrDraining)
			return
		}
		defer part()
		for seen := int64(0); ; {
			sample, taken, changed, failure := feed.look()
			if failure != nil {
				yield(domain.GPUSample{}, failure)
				return
			}
			if taken > seen {
				seen = taken
				if !yield(sample, nil) || !rest(ctx, interval) {
					return
				}
				continue
			}
			select {
			case <-changed:
			case <-ctx.Done():
				yield(domain.GPUSample{}, context.Cause(ctx))
				return
			}
		}
	}
}

func (u *WatchGPU) choose(trainer string) (*trainerLink, error) {
	if trainer == "" {
		up, err := u.Trainers.reachable()
		if err != nil {
			return nil, err
		}
		return up[0], nil
	}
	link := u.Trainers.link(trainer)
	if link == nil {
		return nil, errTrainerUnknown
	}
	return link, link.unavailable()
}

// rest waits; false when the context ended.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
