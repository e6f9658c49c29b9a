package usecase

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func TestTheLogKeepsWhatItIsToKeepByWholeDays(t *testing.T) {
	now := time.Date(2026, 11, 29, 0, 30, 0, 0, time.UTC)
	perDay := map[int]int{0: 4, 1: 3, 2: 2, 5: 1, 40: 2, 600: 1} // days ago: episodes
	for name, c := range map[string]struct {
		retention LogRetention
		kept      []int // days ago
	}{
		"everything":                   {LogRetention{}, []int{0, 1, 2, 5, 40, 600}},
		"today":                        {LogRetention{Days: 1}, []int{0}},
		"six days":                     {LogRetention{Days: 6}, []int{0, 1, 2, 5}},
		"exactly so many":              {LogRetention{Episodes: 10}, []int{0, 1, 2, 5}},
		"the day that no longer fits":  {LogRetention{Episodes: 8}, []int{0, 1}},
		"today, which alone has more":  {LogRetention{Episodes: 1}, []int{0}},
		"what both allow, by age":      {LogRetention{Days: 2, Episodes: 100}, []int{0, 1}},
		"what both allow, by size":     {LogRetention{Days: 100, Episodes: 9}, []int{0, 1, 2}},
		"more than there is, for once": {LogRetention{Days: 700, Episodes: 100}, []int{0, 1, 2, 5, 40, 600}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			total, want := 0, map[string]bool{}
			for ago, n := range perDay {
				total += n
				for range n {
					r := b.logged(now, time.Duration(ago)*24*time.Hour, nil)
					if slices.Contains(c.kept, ago) {
						want[r.EpisodeID] = true
					}
				}
			}
			u := &PruneLog{Pruner: b.log, Retention: c.retention, Now: func() time.Time { return now }}
			deleted, err := u.Run(t.Context())
			if err != nil || deleted != int64(total-len(want)) {
				t.Errorf("deleted %d of %d, %v; want to keep %d", deleted, total, err, len(want))
			}
			left := slices.Sorted(maps.Keys(b.log.records))
			if !slices.Equal(left, slices.Sorted(maps.Keys(want))) {
				t.Errorf("%d episodes are left, want %d", len(left), len(want))
			}
			if again, err := u.Run(t.Context()); again != 0 || err != nil {
				t.Errorf("a second run deleted %d, %v", again, err)
			}
		})
	}
}

func TestALogThatIsAwayIsNotPruned(t *testing.T) {
	b := newBench(t)
	now := time.Date(2026, 11, 29, 0, 30, 0, 0, time.UTC)
	b.logged(now, 48*time.Hour, nil)
	b.log.findErr = &domain.Error{Code: domain.CodeUnavailable, Message: "away"}
	for _, retention := range []LogRetention{{Days: 1}, {Episodes: 1}} {
		u := &PruneLog{Pruner: b.log, Retention: retention, Now: func() time.Time { return now }}
		if deleted, err := u.Run(t.Context()); deleted != 0 || domain.CodeOf(err) != domain.CodeUnavailable || len(b.log.records) != 1 {
			t.Errorf("%+v: deleted %d, %v", retention, deleted, err)
		}
	}
}
