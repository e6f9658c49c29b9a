package postgres_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/postgres"
	"github.com/rlmaze/rlmaze/server/internal/testing/contract"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/testing/pgtest"
)

// follower keeps what one instance heard.
type follower struct {
	mu    sync.Mutex
	heard []int64
	lost  int
	news  chan struct{} // something was heard; one waits at most
	back  chan struct{} // a connection was made; one waits at most
}

// follow runs a feed until the test ends. take may be nil.
func follow(t *testing.T, store *postgres.Store, take func([]domain.Activation) error) *follower {
	t.Helper()
	f := &follower{news: make(chan struct{}, 1), back: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- store.FollowActivations(ctx, func(_ context.Context, activations []domain.Activation) error {
			if take != nil {
				if err := take(activations); err != nil {
					return err
				}
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, a := range activations {
				f.heard = append(f.heard, a.ID)
			}
			signal(f.news)
			return nil
		}, func(err error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if err == nil {
				signal(f.back)
			} else {
				f.lost++
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the feed ended with %v", err)
		}
	})
	return f
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// reach waits until the activation was heard of, and returns all that were.
func (f *follower) reach(id int64) []int64 {
	for {
		f.mu.Lock()
		heard := slices.Clone(f.heard)
		f.mu.Unlock()
		if slices.Contains(heard, id) {
			return heard
		}
		<-f.news
	}
}

func TestEveryInstanceHearsOfEachSwitchOnceHoweverOftenItsListenerIsKilled(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	var instances []*postgres.Store
	for range 2 {
		store, err := postgres.Open(t.Context(), postgres.Options{URL: url, Timeout: pgtest.Patience})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(store.Close)
		instances = append(instances, store)
	}
	for version := range 2 {
		if err := instances[0].RegisterModel(t.Context(), contract.ReadyModel("m", version+1)); err != nil {
			t.Fatal(err)
		}
	}
	ids := []string{"m-1", "m-2"}
	first, err := instances[0].ActivateModel(t.Context(), domain.Switch{ModelID: ids[0]})
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{first.ID}
	followers := []*follower{follow(t, instances[0], nil), follow(t, instances[1], nil)}
	for _, f := range followers {
		f.reach(first.ID)
	}
	kills := 10
	if measured.Quiet() {
		kills = 100
	}
	killer := connect(t, url)
	for n := 0; n < kills; {
		for range 3 {
			a, err := instances[len(want)%2].ActivateModel(t.Context(), domain.Switch{ModelID: ids[len(want)%2]})
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, a.ID)
			// Between the switches: some come while nobody listens.
			var killed int
			if err := killer.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND application_name = 'rlmaze switches'`).Scan(&killed); err != nil {
				t.Fatal(err)
			}
			n += killed
		}
		// Until at least one of them has listened again, there is nothing to kill.
		select {
		case <-followers[0].back:
		case <-followers[1].back:
		}
	}
	for i, f := range followers {
		if heard := f.reach(want[len(want)-1]); !slices.Equal(heard, want) {
			t.Errorf("instance %d heard of %v, want %v", i, heard, want)
		}
		f.mu.Lock()
		t.Logf("instance %d lost its connection %d times under %d switches", i, f.lost, len(want))
		f.mu.Unlock()
	}
}

func TestTheFeedBringsAgainWhatCouldNotBeTaken(t *testing.T) {
	t.Parallel()
	store := pgtest.Store(t)
	if err := store.RegisterModel(t.Context(), contract.ReadyModel("m", 1)); err != nil {
		t.Fatal(err)
	}
	refusals := 2
	f := follow(t, store, func([]domain.Activation) error {
		if refusals--; refusals >= 0 {
			return errors.New("not now")
		}
		return nil
	})
	<-f.back // It has seen that nothing is active: also the first activation is then brought by a notification.
	a, err := store.ActivateModel(t.Context(), domain.Switch{ModelID: "m-1"})
	if err != nil {
		t.Fatal(err)
	}
	if heard := f.reach(a.ID); !slices.Equal(heard, []int64{a.ID}) || refusals >= 0 {
		t.Errorf("heard of %v, %d refusals are left", heard, refusals)
	}
}
