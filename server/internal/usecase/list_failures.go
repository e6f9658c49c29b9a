package usecase

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Figures of ListFailures, for which the contract has the reasons.
const (
	defaultFailureDays = 7
	mostFailureDays    = 31
	defaultFailures    = 50
	mostFailures       = 100
)

// ListFailures counts by policy and maze which episodes of the last days ended without the goal.
type ListFailures struct {
	Tallies  domain.EpisodeTallies
	Capacity *Capacity
	Now      func() time.Time
}

// ListFailuresInput says what is counted; the filter's Outcome is not used.
type ListFailuresInput struct {
	Days   int // today among them; 0 means 7
	Filter domain.EpisodeFilter
	Limit  int // 0 means 50
}

// ListFailuresOutput is what was counted.
type ListFailuresOutput struct {
	Failures       []domain.EpisodeTally // the most failures first
	LeftOut        int                   // further ones beyond the limit
	Episodes       int
	FailedEpisodes int
	CountedBackTo  time.Time // the earliest day that was counted
}

// Run counts day by day, backwards. Errors: CodeInvalidArgument on "days", "limit" or "baseline"; CodeResourceExhausted; CodeUnavailable.
func (u *ListFailures) Run(ctx context.Context, in ListFailuresInput) (ListFailuresOutput, error) {
	if err := in.check(); err != nil {
		return ListFailuresOutput{}, err
	}
	if err := u.Capacity.lists.acquire(ctx); err != nil {
		return ListFailuresOutput{}, err
	}
	defer u.Capacity.lists.release()
	began := u.Now()
	today := began.UTC().Truncate(day)
	in.Filter.Outcome = "" // the others count too
	var out ListFailuresOutput
	sums := map[domain.EpisodeTally]*domain.EpisodeTally{} // by a tally without its figures
	for ago := range cmp.Or(in.Days, defaultFailureDays) {
		if ago > 0 && u.Now().Sub(began) > searchLimit {
			break
		}
		out.CountedBackTo = today.Add(-time.Duration(ago) * day)
		tallies, err := u.Tallies.TallyEpisodes(ctx, out.CountedBackTo, in.Filter)
		if err != nil {
			return ListFailuresOutput{}, err
		}
		for _, t := range tallies {
			pair := domain.EpisodeTally{ModelID: t.ModelID, Baseline: t.Baseline, MazeID: t.MazeID}
			sum := sums[pair]
			if sum == nil {
				sum = &pair
				sums[pair] = sum
			}
			sum.Episodes += t.Episodes
			sum.Failures += t.Failures
			out.Episodes += t.Episodes
			out.FailedEpisodes += t.Failures
		}
	}
	for _, sum := range sums {
		if sum.Failures > 0 {
			out.Failures = append(out.Failures, *sum)
		}
	}
	slices.SortFunc(out.Failures, func(a, b domain.EpisodeTally) int {
		return cmp.Or(b.Failures-a.Failures, a.Episodes-b.Episodes, strings.Compare(a.ModelID, b.ModelID), strings.Compare(string(a.Baseline), string(b.Baseline)), strings.Compare(a.MazeID, b.MazeID))
	})
	if limit := cmp.Or(in.Limit, defaultFailures); len(out.Failures) > limit {
		out.LeftOut = len(out.Failures) - limit
		out.Failures = out.Failures[:limit]
	}
	return out, nil
}

// check requires every field to be in its range.
func (in *ListFailuresInput) check() error {
	if in.Days < 0 || in.Days > mostFailureDays {
		return outOfRange("days", "must be 0 (the default, 7) or between 1 and 31")
	}
	if in.Limit < 0 || in.Limit > mostFailures {
		return outOfRange("limit", "must be 0 (the default, 50) or between 1 and 100")
	}
	return checkFilter(in.Filter)
}
