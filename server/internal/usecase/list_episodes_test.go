package usecase

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/contract"
)

// logged puts an episode into the log that ended so long before now.
func (b *bench) logged(now time.Time, ago time.Duration, change func(*domain.EpisodeRecord)) domain.EpisodeRecord {
	r := contract.Episode(contract.EpisodeID())
	r.Timestamp = now.Add(-ago).Truncate(time.Millisecond)
	if change != nil {
		change(&r)
	}
	b.log.records[r.EpisodeID] = r
	return r
}

func ids(records []domain.EpisodeRecord) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.EpisodeID)
	}
	return all
}

func TestTheLogIsListedNewestFirstOverDaysAndPages(t *testing.T) {
	b := newBench(t)
	now := time.Date(2026, 11, 29, 0, 30, 0, 0, time.UTC)
	var want []domain.EpisodeRecord
	for _, hours := range []int{0, 1, 1, 2, 26, 26, 27, 80, 1999} {
		want = append(want, b.logged(now, time.Duration(hours)*time.Hour, nil))
	}
	slices.SortFunc(want, func(a, b domain.EpisodeRecord) int {
		return cmp.Or(b.Timestamp.Compare(a.Timestamp), strings.Compare(b.EpisodeID, a.EpisodeID))
	})
	u := &ListEpisodes{Log: b.log, Capacity: b.deps.Capacity, Now: func() time.Time { return now }}
	for _, size := range []int{1, 2, 3, 4, 100} {
		in := ListEpisodesInput{PageSize: size}
		var got []string
		for pages := 0; ; pages++ {
			out, err := u.Run(t.Context(), in)
			if err != nil || len(out.Episodes) > size || pages > 40 {
				t.Fatalf("page %d of %d: %d episodes, %v", pages, size, len(out.Episodes), err)
			}
			got = append(got, ids(out.Episodes)...)
			if out.NextPageToken == "" {
				if out.SearchedBackTo != logBegins {
					t.Errorf("the last page searched back to %v", out.SearchedBackTo)
				}
				break
			}
			in.PageToken = out.NextPageToken
		}
		if !slices.Equal(got, ids(want)) {
			t.Errorf("pages of %d: %v, want %v", size, got, ids(want))
		}
	}
}

func TestACallSearchesABoundedNumberOfDaysAndSaysHowFarItCame(t *testing.T) {
	b := newBench(t)
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	old := b.logged(now, 50*day, nil)
	u := &ListEpisodes{Log: b.log, Capacity: b.deps.Capacity, Now: func() time.Time { return now }}
	first, err := u.Run(t.Context(), ListEpisodesInput{})
	if err != nil || len(first.Episodes) != 0 || first.NextPageToken == "" || len(b.log.listed) != mostDays {
		t.Fatalf("first page %+v after %d days, %v", first, len(b.log.listed), err)
	}
	if want := time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC); first.SearchedBackTo != want || b.log.listed[0] != "2026-11-29" || b.log.listed[mostDays-1] != "2026-10-30" {
		t.Errorf("searched %v to %v", b.log.listed[0], first.SearchedBackTo)
	}
	second, err := u.Run(t.Context(), ListEpisodesInput{PageToken: first.NextPageToken})
	if err != nil || !slices.Equal(ids(second.Episodes), []string{old.EpisodeID}) || b.log.listed[mostDays] != "2026-10-29" {
		t.Errorf("second page %+v, %v", second, err)
	}
}

func TestASlowStoreEndsThePageEarlier(t *testing.T) {
	b := newBench(t)
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	u := &ListEpisodes{Log: b.log, Capacity: b.deps.Capacity, Now: func() time.Time { now = now.Add(time.Second); return now }}
	out, err := u.Run(t.Context(), ListEpisodesInput{})
	if err != nil || out.NextPageToken == "" || len(b.log.listed) != 2 {
		t.Errorf("%+v after %d days, %v", out, len(b.log.listed), err)
	}
}

func TestFiltersReachTheLogAndPinTheToken(t *testing.T) {
	b := newBench(t)
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	b.logged(now, time.Hour, nil)
	var want []string
	for range 3 {
		want = append(want, b.logged(now, time.Hour, func(r *domain.EpisodeRecord) { r.ModelID, r.Baseline = "", domain.BaselineRandom }).EpisodeID)
	}
	slices.Sort(want)
	slices.Reverse(want)
	u := &ListEpisodes{Log: b.log, Capacity: b.deps.Capacity, Now: func() time.Time { return now }}
	in := ListEpisodesInput{Filter: domain.EpisodeFilter{Baseline: domain.BaselineRandom}, PageSize: 2}
	out, err := u.Run(t.Context(), in)
	if err != nil || !slices.Equal(ids(out.Episodes), want[:2]) || out.NextPageToken == "" {
		t.Fatalf("%+v, %v", out, err)
	}
	for name, other := range map[string]ListEpisodesInput{
		"other filter": {Filter: domain.EpisodeFilter{Baseline: domain.BaselineWallFollower}, PageToken: out.NextPageToken},
		"no filter":    {PageToken: out.NextPageToken},
		"rubbish":      {PageToken: "rubbish"},
		"no base64":    {PageToken: "!"},
	} {
		_, err := u.Run(t.Context(), other)
		t.Log(name)
		wantError(t, err, domain.CodeInvalidArgument, "page_token")
	}
	in.PageToken = out.NextPageToken
	if out, err = u.Run(t.Context(), in); err != nil || !slices.Equal(ids(out.Episodes), want[2:]) {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAListThatBreaksARuleIsRefused(t *testing.T) {
	b := newBench(t)
	u := &ListEpisodes{Log: b.log, Capacity: b.deps.Capacity, Now: time.Now}
	for _, size := range []int{-1, 101} {
		_, err := u.Run(t.Context(), ListEpisodesInput{PageSize: size})
		wantError(t, err, domain.CodeInvalidArgument, "page_size")
	}
	_, err := u.Run(t.Context(), ListEpisodesInput{Filter: domain.EpisodeFilter{ModelID: "first-1", Baseline: domain.BaselineRandom}})
	wantError(t, err, domain.CodeInvalidArgument, "baseline")
	u.Capacity = NewCapacity(Limits{Lists: 1, Wait: time.Millisecond})
	_ = u.Capacity.lists.acquire(t.Context())
	if _, err := u.Run(t.Context(), ListEpisodesInput{}); domain.CodeOf(err) != domain.CodeResourceExhausted {
		t.Errorf("with no room left: %v", err)
	}
	u.Capacity.lists.release()
	b.log.findErr = domain.Unavailable("mongodb", errors.New("refused"))
	if _, err := u.Run(t.Context(), ListEpisodesInput{}); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("while the log is away: %v", err)
	}
}
