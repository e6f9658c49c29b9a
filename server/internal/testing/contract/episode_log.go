package contract

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// EpisodeID returns a new UUIDv7.
func EpisodeID() string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMilli())<<16) //nolint:gosec // after 1970
	_, _ = rand.Read(id[6:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	text := hex.EncodeToString(id[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// Episode returns a record with every field of a logged one set, of a model on a listed maze.
func Episode(id string) domain.EpisodeRecord {
	return domain.EpisodeRecord{
		EpisodeID:   id,
		Timestamp:   time.Date(2026, 11, 23, 23, 59, 59, 999000000, time.UTC),
		ModelID:     "ppo-memory-1",
		MazeID:      "heldout-0007",
		MazeHash:    strings.Repeat("ab", 32),
		Observation: domain.ObservationMemory,
		Seed:        18446744073709551615,
		Sampling:    domain.Sampling{Temperature: 0.1},
		Steps:       7,
		Bumps:       2,
		Outcome:     domain.OutcomeReachedGoal,
		TotalReward: 1.0 - 0.01*7 - 0.05*2,
		SPL:         5.0 / 7.0,
		Actions:     []byte{3, 2, 1, 0, 3, 3, 1},
		Duration:    1234567 * time.Nanosecond,
	}
}

// DrawnEpisode returns a record of a baseline on a drawn maze.
func DrawnEpisode(id string) domain.EpisodeRecord {
	return domain.EpisodeRecord{
		EpisodeID:   id,
		Timestamp:   time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC),
		Baseline:    domain.BaselineWallFollower,
		MazeHash:    strings.Repeat("cd", 32),
		MazeRows:    []string{"S..", "##.", "G.."},
		Steps:       3,
		Bumps:       3,
		Outcome:     domain.OutcomeStepLimit,
		TotalReward: -0.18,
		Actions:     []byte{0, 1, 2},
	}
}

func appendAll(t *testing.T, l domain.EpisodeLog, records ...domain.EpisodeRecord) {
	t.Helper()
	for _, r := range records {
		if err := l.AppendEpisode(t.Context(), r); err != nil {
			t.Fatalf("append %s: %v", r.EpisodeID, err)
		}
	}
}

// EpisodeLogContract runs the suite of domain.EpisodeLog, but for its lists. open returns an empty log that lives until the test ends,
// and a count of its documents by another way than the log's own.
func EpisodeLogContract(t *testing.T, open func(t *testing.T) (l domain.EpisodeLog, documents func() int)) {
	t.Run("an episode comes back with every field", func(t *testing.T) {
		l, _ := open(t)
		for _, want := range []domain.EpisodeRecord{Episode(EpisodeID()), DrawnEpisode(EpisodeID())} {
			appendAll(t, l, want)
			got, err := l.FindEpisode(t.Context(), want.EpisodeID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-appended +found\n%s", diff)
			}
		}
	})

	t.Run("actions of every number come back", func(t *testing.T) {
		l, _ := open(t)
		for n := range 10 {
			want := Episode(EpisodeID())
			want.Actions = make([]byte, n)
			for i := range want.Actions {
				want.Actions[i] = byte(3 - i%4)
			}
			want.Steps = n
			appendAll(t, l, want)
			if got, err := l.FindEpisode(t.Context(), want.EpisodeID); err != nil || !got.SameContent(want) {
				t.Errorf("%d actions: %v, %v", n, got.Actions, err)
			}
		}
	})

	t.Run("the longest episode on the largest maze fits", func(t *testing.T) {
		l, _ := open(t)
		want := DrawnEpisode(EpisodeID())
		want.Steps = 2 * 100 * 100
		want.Actions = make([]byte, want.Steps)
		want.MazeRows = make([]string, 100)
		for i := range want.MazeRows {
			want.MazeRows[i] = strings.Repeat(".", 100)
		}
		appendAll(t, l, want)
		if got, err := l.FindEpisode(t.Context(), want.EpisodeID); err != nil || !got.SameContent(want) {
			t.Errorf("found %v", err)
		}
	})

	t.Run("an unknown episode is not found", func(t *testing.T) {
		l, _ := open(t)
		for _, id := range []string{EpisodeID(), ""} {
			if _, err := l.FindEpisode(t.Context(), id); !errors.Is(err, domain.ErrEpisodeUnknown) {
				t.Errorf("find %q: %v", id, err)
			}
		}
	})

	t.Run("the same episode again is success and leaves the first document", func(t *testing.T) {
		l, documents := open(t)
		first := Episode(EpisodeID())
		appendAll(t, l, first)
		again := first
		again.Timestamp, again.Duration = first.Timestamp.Add(time.Hour), time.Minute
		appendAll(t, l, again)
		if got, err := l.FindEpisode(t.Context(), first.EpisodeID); err != nil || !cmp.Equal(first, got) {
			t.Errorf("%v\n%s", err, cmp.Diff(first, got))
		}
		if n := documents(); n != 1 {
			t.Errorf("%d documents", n)
		}
	})

	t.Run("another episode under the id is a conflict and changes nothing", func(t *testing.T) {
		l, _ := open(t)
		first := Episode(EpisodeID())
		appendAll(t, l, first)
		for name, change := range map[string]func(r *domain.EpisodeRecord){
			"model":       func(r *domain.EpisodeRecord) { r.ModelID = "ppo-memory-2" },
			"baseline":    func(r *domain.EpisodeRecord) { r.Baseline = domain.BaselineRandom },
			"maze":        func(r *domain.EpisodeRecord) { r.MazeID = "heldout-0008" },
			"hash":        func(r *domain.EpisodeRecord) { r.MazeHash = "other" },
			"rows":        func(r *domain.EpisodeRecord) { r.MazeRows = []string{"SG"} },
			"observation": func(r *domain.EpisodeRecord) { r.Observation = domain.ObservationTrail },
			"seed":        func(r *domain.EpisodeRecord) { r.Seed-- },
			"sampling":    func(r *domain.EpisodeRecord) { r.Sampling.Temperature = 0.2 },
			"steps":       func(r *domain.EpisodeRecord) { r.Steps++ },
			"bumps":       func(r *domain.EpisodeRecord) { r.Bumps++ },
			"outcome":     func(r *domain.EpisodeRecord) { r.Outcome = domain.OutcomeStepLimit },
			"reward":      func(r *domain.EpisodeRecord) { r.TotalReward += 1e-12 },
			"spl":         func(r *domain.EpisodeRecord) { r.SPL = 0 },
			"actions":     func(r *domain.EpisodeRecord) { r.Actions = append([]byte{0}, r.Actions[1:]...) },
		} {
			other := first
			change(&other)
			if err := l.AppendEpisode(t.Context(), other); !errors.Is(err, domain.ErrEpisodeConflict) {
				t.Errorf("another %s: %v", name, err)
			}
		}
		if got, err := l.FindEpisode(t.Context(), first.EpisodeID); err != nil || !cmp.Equal(first, got) {
			t.Errorf("%v\n%s", err, cmp.Diff(first, got))
		}
	})

	t.Run("many episodes at once are all logged, each once", func(t *testing.T) {
		l, documents := open(t)
		const n = 300
		ids := make([]string, n)
		failures := make([]error, 2*n)
		var all sync.WaitGroup
		for i := range ids {
			ids[i] = EpisodeID()
			// Two streams of one episode end at the same moment.
			for twin := range 2 {
				all.Go(func() { failures[2*i+twin] = l.AppendEpisode(t.Context(), Episode(ids[i])) })
			}
		}
		all.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		if count := documents(); count != n {
			t.Errorf("%d documents, want %d", count, n)
		}
		for _, id := range ids[:10] {
			if _, err := l.FindEpisode(t.Context(), id); err != nil {
				t.Errorf("find %s: %v", id, err)
			}
		}
	})

	t.Run("of many different episodes under one id at once exactly one is logged", func(t *testing.T) {
		l, _ := open(t)
		id := EpisodeID()
		failures := make([]error, 20)
		var all sync.WaitGroup
		for i := range failures {
			r := Episode(id)
			r.Seed = uint64(i) //nolint:gosec // small
			all.Go(func() { failures[i] = l.AppendEpisode(t.Context(), r) })
		}
		all.Wait()
		logged := 0
		for _, err := range failures {
			if err == nil {
				logged++
			} else if !errors.Is(err, domain.ErrEpisodeConflict) {
				t.Error(err)
			}
		}
		if logged != 1 {
			t.Errorf("%d were logged", logged)
		}
	})
}

// EpisodeListContract runs the suite of the lists of domain.EpisodeLog, on a log whose store answers. open returns an empty one that lives until
// the test ends.
func EpisodeListContract(t *testing.T, open func(t *testing.T) domain.EpisodeLog) {
	t.Run("the episodes of a day are listed newest first, page by page, without their actions", func(t *testing.T) {
		l := open(t)
		noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		var want []domain.EpisodeRecord
		for i := range 7 {
			r := Episode(EpisodeID())
			r.Timestamp = noon.Add(-time.Duration(i/3) * time.Millisecond) // three end in one millisecond
			want = append(want, r)
		}
		drawn := DrawnEpisode(EpisodeID())
		drawn.Timestamp = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) // the first moment of the day
		want = append(want, drawn)
		before, after := Episode(EpisodeID()), Episode(EpisodeID())
		before.Timestamp = drawn.Timestamp.Add(-time.Millisecond)
		after.Timestamp = drawn.Timestamp.Add(24 * time.Hour)
		appendAll(t, l, append([]domain.EpisodeRecord{before, after}, want...)...)
		slices.SortFunc(want, func(a, b domain.EpisodeRecord) int {
			if order := b.Timestamp.Compare(a.Timestamp); order != 0 {
				return order
			}
			return strings.Compare(b.EpisodeID, a.EpisodeID)
		})
		for i := range want {
			want[i].Actions = nil
		}
		for _, size := range []int{1, 2, 3, 8, 100} {
			var got []domain.EpisodeRecord
			at := domain.EpisodePosition{FinishedAt: after.Timestamp}
			for {
				page, err := l.ListEpisodes(t.Context(), domain.EpisodeDay{Day: noon, After: at, Limit: size})
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				if len(page) > size {
					t.Fatalf("%d episodes on a page of %d", len(page), size)
				}
				got = append(got, page...)
				at = domain.EpisodePosition{FinishedAt: page[len(page)-1].Timestamp, EpisodeID: page[len(page)-1].EpisodeID}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages of %d: -appended +listed\n%s", size, diff)
			}
		}
	})

	t.Run("a list keeps what fits every filter", func(t *testing.T) {
		l := open(t)
		end := time.Date(2026, 11, 23, 23, 59, 59, 0, time.UTC)
		add := func(change func(*domain.EpisodeRecord)) string {
			r := Episode(EpisodeID())
			r.Timestamp = end
			change(&r)
			appendAll(t, l, r)
			return r.EpisodeID
		}
		plain := add(func(*domain.EpisodeRecord) {})
		model := add(func(r *domain.EpisodeRecord) { r.ModelID = "ppo-memory-2" })
		maze := add(func(r *domain.EpisodeRecord) { r.MazeID = "heldout-0008" })
		failed := add(func(r *domain.EpisodeRecord) { r.Outcome = domain.OutcomeStepLimit })
		baseline := add(func(r *domain.EpisodeRecord) { r.ModelID, r.Baseline = "", domain.BaselineRandom })
		for name, c := range map[string]struct {
			filter domain.EpisodeFilter
			want   []string
		}{
			"none":             {domain.EpisodeFilter{}, []string{plain, model, maze, failed, baseline}},
			"model":            {domain.EpisodeFilter{ModelID: "ppo-memory-1"}, []string{plain, maze, failed}},
			"baseline":         {domain.EpisodeFilter{Baseline: domain.BaselineRandom}, []string{baseline}},
			"maze":             {domain.EpisodeFilter{MazeID: "heldout-0008"}, []string{maze}},
			"outcome":          {domain.EpisodeFilter{Outcome: domain.OutcomeStepLimit}, []string{failed}},
			"model and goal":   {domain.EpisodeFilter{ModelID: "ppo-memory-1", Outcome: domain.OutcomeReachedGoal}, []string{plain, maze}},
			"everything":       {domain.EpisodeFilter{ModelID: "ppo-memory-1", MazeID: "heldout-0007", Outcome: domain.OutcomeReachedGoal}, []string{plain}},
			"nothing that is":  {domain.EpisodeFilter{ModelID: "nobody-1"}, nil},
			"a part of a name": {domain.EpisodeFilter{ModelID: "ppo-memory"}, nil},
		} {
			listed, err := l.ListEpisodes(t.Context(), domain.EpisodeDay{Day: end, Filter: c.filter, After: domain.EpisodePosition{FinishedAt: end.Add(time.Second)}, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range listed {
				got = append(got, r.EpisodeID)
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	})

	t.Run("a day without episodes is empty", func(t *testing.T) {
		l := open(t)
		day := domain.EpisodeDay{Day: time.Now(), After: domain.EpisodePosition{FinishedAt: time.Now().Add(24 * time.Hour)}, Limit: 10}
		if listed, err := l.ListEpisodes(t.Context(), day); err != nil || len(listed) != 0 {
			t.Errorf("%v, %v", listed, err)
		}
	})
}

// TalliedLog is a log that counts what was appended.
type TalliedLog interface {
	domain.EpisodeLog
	domain.EpisodeTallies
}

// EpisodeTalliesContract runs the suite of domain.EpisodeTallies, on a log whose store answers. open returns an empty one that lives until the
// test ends.
func EpisodeTalliesContract(t *testing.T, open func(t *testing.T) TalliedLog) {
	t.Run("a day is counted by policy and maze, failures and all", func(t *testing.T) {
		l := open(t)
		noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		add := func(at time.Time, change func(*domain.EpisodeRecord)) {
			r := Episode(EpisodeID())
			r.Timestamp = at
			change(&r)
			appendAll(t, l, r)
		}
		failed := func(r *domain.EpisodeRecord) { r.Outcome = domain.OutcomeStepLimit }
		reached := func(*domain.EpisodeRecord) {}
		add(noon, reached)
		add(noon.Truncate(24*time.Hour), failed)
		add(noon, failed)
		add(noon, func(r *domain.EpisodeRecord) { r.MazeID = "heldout-0008" })
		add(noon, func(r *domain.EpisodeRecord) { r.ModelID, r.Baseline = "", domain.BaselineRandom })
		drawn := DrawnEpisode(EpisodeID())
		drawn.Timestamp = noon
		appendAll(t, l, drawn)
		add(noon.Add(-24*time.Hour), failed)
		add(noon.Add(24*time.Hour), failed)
		model := []domain.EpisodeTally{
			{ModelID: "ppo-memory-1", MazeID: "heldout-0007", Episodes: 3, Failures: 2},
			{ModelID: "ppo-memory-1", MazeID: "heldout-0008", Episodes: 1},
		}
		baseline := domain.EpisodeTally{Baseline: domain.BaselineRandom, MazeID: "heldout-0007", Episodes: 1}
		of := domain.EpisodeTally{ModelID: drawn.ModelID, Baseline: drawn.Baseline, Episodes: 1}
		if drawn.Outcome != domain.OutcomeReachedGoal {
			of.Failures = 1
		}
		for name, c := range map[string]struct {
			filter domain.EpisodeFilter
			want   []domain.EpisodeTally
		}{
			"all":      {domain.EpisodeFilter{}, append([]domain.EpisodeTally{baseline, of}, model...)},
			"maze":     {domain.EpisodeFilter{MazeID: "heldout-0007"}, []domain.EpisodeTally{baseline, model[0]}},
			"baseline": {domain.EpisodeFilter{Baseline: domain.BaselineRandom, MazeID: "heldout-0007"}, []domain.EpisodeTally{baseline}},
			"nothing":  {domain.EpisodeFilter{ModelID: "nobody-1"}, nil},
		} {
			got, err := l.TallyEpisodes(t.Context(), noon, c.filter)
			if err != nil {
				t.Fatal(err)
			}
			order := func(a, b domain.EpisodeTally) int {
				return strings.Compare(a.ModelID+" "+string(a.Baseline)+" "+a.MazeID, b.ModelID+" "+string(b.Baseline)+" "+b.MazeID)
			}
			slices.SortFunc(got, order)
			slices.SortFunc(c.want, order)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %+v, want %+v", name, got, c.want)
			}
		}
	})
}

// PrunedLog is a log that forgets what was appended.
type PrunedLog interface {
	domain.EpisodeLog
	domain.EpisodePruner
}

// EpisodePrunerContract runs the suite of domain.EpisodePruner, on a log whose store answers. open returns an empty one that lives until the
// test ends.
func EpisodePrunerContract(t *testing.T, open func(t *testing.T) PrunedLog) {
	t.Run("a day is counted and deleted, and its neighbours stay", func(t *testing.T) {
		l := open(t)
		midnight := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
		var ids []string
		for _, at := range []time.Duration{-time.Millisecond, 0, time.Hour, 24*time.Hour - time.Millisecond, 24 * time.Hour} {
			r := Episode(EpisodeID())
			r.Timestamp = midnight.Add(at)
			appendAll(t, l, r)
			ids = append(ids, r.EpisodeID)
		}
		noon := midnight.Add(12 * time.Hour)
		if n, err := l.CountEpisodes(t.Context(), noon); n != 3 || err != nil {
			t.Errorf("counted %d, %v", n, err)
		}
		if n, err := l.DeleteEpisodes(t.Context(), noon); n != 3 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
		if n, err := l.DeleteEpisodes(t.Context(), noon); n != 0 || err != nil {
			t.Errorf("deleted %d a second time, %v", n, err)
		}
		if n, err := l.CountEpisodes(t.Context(), noon); n != 0 || err != nil {
			t.Errorf("counted %d afterwards, %v", n, err)
		}
		for i, id := range ids {
			_, err := l.FindEpisode(t.Context(), id)
			if gone := errors.Is(err, domain.ErrEpisodeUnknown); gone != (i > 0 && i < 4) {
				t.Errorf("episode %d: %v", i, err)
			}
		}
	})
}
