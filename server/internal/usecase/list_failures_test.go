package usecase

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func TestFailuresAreCountedByPolicyAndMazeOverDays(t *testing.T) {
	b := newBench(t)
	now := time.Date(2026, 11, 29, 0, 30, 0, 0, time.UTC)
	failed := func(change func(*domain.EpisodeRecord)) func(*domain.EpisodeRecord) {
		return func(r *domain.EpisodeRecord) {
			r.Outcome = domain.OutcomeStepLimit
			if change != nil {
				change(r)
			}
		}
	}
	other := func(r *domain.EpisodeRecord) { r.MazeID = "heldout-0008" }
	b.logged(now, 0, failed(nil))
	b.logged(now, 24*time.Hour, failed(nil))
	b.logged(now, 48*time.Hour, nil)
	b.logged(now, time.Hour, failed(other))
	b.logged(now, time.Hour, func(r *domain.EpisodeRecord) { r.ModelID = "ppo-memory-2" }) // reached every goal
	b.logged(now, time.Hour, failed(func(r *domain.EpisodeRecord) { r.ModelID, r.Baseline = "", domain.BaselineRandom }))
	b.logged(now, time.Hour, failed(func(r *domain.EpisodeRecord) { r.MazeID, r.MazeRows = "", []string{"S.G"} }))
	b.logged(now, 8*24*time.Hour, failed(nil)) // too long ago
	u := &ListFailures{Tallies: b.log, Capacity: b.deps.Capacity, Now: func() time.Time { return now }}

	out, err := u.Run(t.Context(), ListFailuresInput{})
	if err != nil {
		t.Fatal(err)
	}
	want := ListFailuresOutput{
		Failures: []domain.EpisodeTally{
			{ModelID: "ppo-memory-1", MazeID: "heldout-0007", Episodes: 3, Failures: 2},
			{Baseline: domain.BaselineRandom, MazeID: "heldout-0007", Episodes: 1, Failures: 1},
			{ModelID: "ppo-memory-1", Episodes: 1, Failures: 1},
			{ModelID: "ppo-memory-1", MazeID: "heldout-0008", Episodes: 1, Failures: 1},
		},
		Episodes: 7, FailedEpisodes: 5, CountedBackTo: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("-want +counted\n%s", diff)
	}

	out, err = u.Run(t.Context(), ListFailuresInput{Days: 1, Limit: 1, Filter: domain.EpisodeFilter{ModelID: "ppo-memory-1", Outcome: domain.OutcomeReachedGoal}})
	if err != nil || len(out.Failures) != 1 || out.LeftOut != 0 || out.Episodes != 1 {
		t.Errorf("one day of one model: %+v, %v", out, err)
	}
	out, err = u.Run(t.Context(), ListFailuresInput{Limit: 3})
	if err != nil || len(out.Failures) != 3 || out.LeftOut != 1 {
		t.Errorf("three of four: %+v, %v", out, err)
	}
}

func TestACountThatTakesLongSaysHowFarItCame(t *testing.T) {
	b := newBench(t)
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	u := &ListFailures{Tallies: b.log, Capacity: b.deps.Capacity, Now: func() time.Time {
		now = now.Add(searchLimit / 2)
		return now
	}}
	out, err := u.Run(t.Context(), ListFailuresInput{})
	if err != nil || out.CountedBackTo != time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC) {
		t.Errorf("counted back to %v, %v", out.CountedBackTo, err)
	}
	if want := []string{"2026-11-29", "2026-11-28", "2026-11-27"}; !slices.Equal(b.log.listed, want) {
		t.Errorf("asked for %v, want %v", b.log.listed, want)
	}
}

func TestACountIsRefusedBeforeItAsksTheLog(t *testing.T) {
	b := newBench(t)
	u := &ListFailures{Tallies: b.log, Capacity: b.deps.Capacity, Now: time.Now}
	for field, in := range map[string]ListFailuresInput{
		"days":     {Days: 32},
		"limit":    {Limit: -1},
		"baseline": {Filter: domain.EpisodeFilter{ModelID: "ppo-memory-1", Baseline: domain.BaselineRandom}},
	} {
		_, err := u.Run(t.Context(), in)
		if known, ok := errors.AsType[*domain.Error](err); !ok || known.Code != domain.CodeInvalidArgument || known.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if len(b.log.listed) != 0 {
		t.Errorf("the log was asked for %v", b.log.listed)
	}
	b.log.findErr = &domain.Error{Code: domain.CodeUnavailable, Message: "away"}
	if _, err := u.Run(t.Context(), ListFailuresInput{}); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("a log that is away: %v", err)
	}
}
