package usecase

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Figures of ListEpisodes, for which the contract has the reasons.
const (
	defaultEpisodePage = 50
	largestEpisodePage = 100
	mostDays           = 31                      // that one call looks at; an empty one costs the store a millisecond or two
	searchLimit        = 1500 * time.Millisecond // after which no further day is begun: a call of the page's server has five seconds
)

// logBegins is a day before the first episode that any server logged: where the log has been searched to the end.
var logBegins = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// ListEpisodes returns the log page by page, newest first.
type ListEpisodes struct {
	Log      domain.EpisodeLog
	Capacity *Capacity
	Now      func() time.Time
}

// ListEpisodesInput asks for one page.
type ListEpisodesInput struct {
	Filter    domain.EpisodeFilter
	PageSize  int // 0 means 50
	PageToken string
}

// ListEpisodesOutput is one page; NextPageToken is empty when the log was searched to its begin.
type ListEpisodesOutput struct {
	Episodes       []domain.EpisodeRecord // without their actions
	NextPageToken  string
	SearchedBackTo time.Time // the earliest day that was looked at
}

// Run walks through the log day by day, backwards from where the token says, until the page is full or the call has done enough.
// Errors: CodeInvalidArgument on "page_size", "page_token" or "baseline"; CodeResourceExhausted; CodeUnavailable.
func (u *ListEpisodes) Run(ctx context.Context, in ListEpisodesInput) (ListEpisodesOutput, error) {
	if err := in.check(); err != nil {
		return ListEpisodesOutput{}, err
	}
	began := u.Now()
	at := endOfDay(began)
	if in.PageToken != "" {
		var ok bool
		if at, ok = in.position(); !ok {
			return ListEpisodesOutput{}, &domain.Error{Code: domain.CodeInvalidArgument, Field: "page_token", Rule: "page_token.unknown", Message: "page_token is not one of this listing; leave it empty to start at the first page"}
		}
	}
	if err := u.Capacity.lists.acquire(ctx); err != nil {
		return ListEpisodesOutput{}, err
	}
	defer u.Capacity.lists.release()
	size := cmp.Or(in.PageSize, defaultEpisodePage)
	var out ListEpisodesOutput
	for searched := 0; ; {
		out.SearchedBackTo = dayBefore(at)
		// One more than fits, which tells whether the day goes on.
		found, err := u.Log.ListEpisodes(ctx, domain.EpisodeDay{Day: out.SearchedBackTo, Filter: in.Filter, After: at, Limit: size - len(out.Episodes) + 1})
		if err != nil {
			return ListEpisodesOutput{}, err
		}
		out.Episodes = append(out.Episodes, found...)
		if len(out.Episodes) > size {
			out.Episodes = out.Episodes[:size]
			last := &out.Episodes[size-1]
			out.NextPageToken = in.token(domain.EpisodePosition{FinishedAt: last.Timestamp, EpisodeID: last.EpisodeID})
			return out, nil
		}
		if !out.SearchedBackTo.After(logBegins) {
			return out, nil
		}
		at = domain.EpisodePosition{FinishedAt: out.SearchedBackTo}
		if searched++; len(out.Episodes) == size || searched == mostDays || u.Now().Sub(began) > searchLimit {
			out.NextPageToken = in.token(at)
			return out, nil
		}
	}
}

// check requires every field to be in its range.
func (in *ListEpisodesInput) check() error {
	if in.PageSize < 0 || in.PageSize > largestEpisodePage {
		return outOfRange("page_size", "must be 0 (the default, 50) or between 1 and 100")
	}
	return checkFilter(in.Filter)
}

func checkFilter(f domain.EpisodeFilter) error {
	if f.ModelID != "" && f.Baseline != domain.BaselineNone {
		return &domain.Error{Code: domain.CodeInvalidArgument, Field: "baseline", Rule: "policy.one", Message: "model_id and baseline exclude one another; set one of them, or none"}
	}
	return nil
}

// endOfDay is the position before everything of the moment's day.
func endOfDay(moment time.Time) domain.EpisodePosition {
	return domain.EpisodePosition{FinishedAt: moment.UTC().Truncate(day).Add(day)}
}

// dayBefore is the begin of the day with which a listing goes on at the position.
func dayBefore(at domain.EpisodePosition) time.Time {
	if at.EpisodeID == "" {
		return at.FinishedAt.Add(-time.Millisecond).UTC().Truncate(day)
	}
	return at.FinishedAt.UTC().Truncate(day)
}

// token names the position where the listing goes on, and the filters, so that it can't be carried into another listing by mistake.
func (in *ListEpisodesInput) token(at domain.EpisodePosition) string {
	filters := fnv.New64a()
	_, _ = fmt.Fprintf(filters, "%q", in.Filter) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s %x", at.FinishedAt.UnixMilli(), at.EpisodeID, filters.Sum64()))
}

func (in *ListEpisodesInput) position() (domain.EpisodePosition, bool) {
	b, err := base64.RawURLEncoding.DecodeString(in.PageToken)
	if err != nil {
		return domain.EpisodePosition{}, false
	}
	parts := strings.Split(string(b), " ")
	if len(parts) != 3 {
		return domain.EpisodePosition{}, false
	}
	ms, err := strconv.ParseInt(parts[0], 10, 64)
	at := domain.EpisodePosition{FinishedAt: time.UnixMilli(ms).UTC(), EpisodeID: parts[1]}
	return at, err == nil && at.FinishedAt.After(logBegins) && in.token(at) == in.PageToken
}
