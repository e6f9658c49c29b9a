package usecase

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// pinger is a store that answers after a while, or not at all.
type pinger struct {
	name  string
	after time.Duration
	err   error
}

func (p *pinger) StoreName() string   { return p.name }
func (p *pinger) StoreEmbedded() bool { return true }
func (p *pinger) PingStore(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(p.after):
		return p.err
	}
}

func TestStatusTellsWhatIsUpAndWhatIsNot(t *testing.T) {
	for name, c := range map[string]struct {
		postgres, mongo pinger
		noModel         bool
		draining        bool
		state           ServerState
		up              [2]bool
	}{
		"serving":  {state: ServerStateServing, up: [2]bool{true, true}},
		"down":     {mongo: pinger{err: errors.New("dial tcp 10.0.0.1:27017")}, state: ServerStateDegraded, up: [2]bool{true, false}},
		"hanging":  {postgres: pinger{after: time.Hour}, state: ServerStateDegraded, up: [2]bool{false, true}},
		"no model": {noModel: true, state: ServerStateDegraded, up: [2]bool{true, true}},
		"draining": {mongo: pinger{err: errors.New("gone")}, draining: true, state: ServerStateDraining, up: [2]bool{true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				c.postgres.name, c.mongo.name = "postgresql", "mongodb"
				if c.noModel {
					b.models.Close()
				}
				b.deps.Counters.Steps.Record(3 * time.Microsecond)
				b.deps.Counters.Requests.Store(4)
				b.deps.Counters.FailedRequests.Store(1)
				reported := 0
				u := &GetStatus{
					Stores: []domain.StorePinger{&c.postgres, &c.mongo}, Models: b.models, Counters: b.deps.Counters, Now: time.Now, StartedAt: time.Now().Add(-time.Hour),
					SpooledEpisodes: func() int64 { return 5 }, Draining: func() bool { return c.draining }, OnPingError: func(string, error) { reported++ },
				}
				begin := time.Now()
				s := u.Run(t.Context())
				if took := time.Since(begin); took > pingTimeout {
					t.Errorf("it took %s", took)
				}
				if s.State != c.state || s.SpooledEpisodes != 5 || s.StepLatency.Count != 1 || s.Requests != 4 || s.ErrorRate != 0.25 || s.ServerTime.Sub(s.StartedAt) < time.Hour {
					t.Errorf("%+v", s)
				}
				if (s.ActiveModelID == "") != c.noModel || (s.ModelsLoaded == 0) != c.noModel {
					t.Errorf("active %q, %d loaded", s.ActiveModelID, s.ModelsLoaded)
				}
				down := 0
				for i, store := range s.Stores {
					if !store.Up {
						down++
					}
					if store.Up != c.up[i] || (store.Message == "") != c.up[i] || !store.Embedded {
						t.Errorf("%+v", store)
					}
				}
				if reported != down {
					t.Errorf("%d stores are reported and %d are down", reported, down)
				}
			})
		})
	}
}

func TestPercentilesLieInTheirBuckets(t *testing.T) {
	var h StepHistogram
	if l := h.Latency(); l != (StepLatency{}) {
		t.Errorf("an empty histogram tells %+v", l)
	}
	for i := range 1000 {
		h.Record(time.Duration(i+1) * time.Microsecond)
	}
	l := h.Latency()
	if l.Count != 1000 || l.Sum != 500500*time.Microsecond {
		t.Errorf("%+v", l)
	}
	for want, got := range map[time.Duration]time.Duration{500 * time.Microsecond: l.P50, 950 * time.Microsecond: l.P95, 990 * time.Microsecond: l.P99} {
		if off := math.Abs(float64(got-want)) / float64(want); off > 0.05 {
			t.Errorf("%s instead of %s", got, want)
		}
	}
}

func TestEveryDurationHasItsBucket(t *testing.T) {
	last := -1
	for _, d := range []time.Duration{-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 100, 1000, 1023, 1024, time.Millisecond, time.Second, time.Hour, math.MaxInt64} {
		i := bucketOf(d)
		if i < last || i >= histogramBuckets {
			t.Errorf("%d ns is in bucket %d after %d", d, i, last)
		}
		if i < histogramBuckets-1 && d >= 0 && (float64(d) < bucketStart(i) || float64(d) >= bucketStart(i+1)) {
			t.Errorf("%d ns is in bucket %d, which is %v to %v", d, i, bucketStart(i), bucketStart(i+1))
		}
		last = i
	}
}

func TestACallerWhoLeavesSaysNothingAboutTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		u := &GetStatus{Stores: []domain.StorePinger{&pinger{name: "mongodb", after: pingTimeout / 2}}, Models: b.models, Counters: b.deps.Counters, Now: time.Now, OnPingError: func(store string, err error) { t.Errorf("%s is blamed: %v", store, err) }}
		if s := u.Run(ctx); !s.Stores[0].Up {
			t.Errorf("%+v", s)
		}
	})
}

func TestACrowdSharesOnePingAndADownTimeIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		store := &countedPinger{pinger: pinger{name: "mongodb", after: 10 * time.Millisecond}}
		reported := 0
		u := &GetStatus{Stores: []domain.StorePinger{store}, Models: b.models, Counters: b.deps.Counters, Now: time.Now, OnPingError: func(string, error) { reported++ }}
		crowd := func() {
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() { u.Run(t.Context()) })
			}
			all.Wait()
		}
		crowd()
		if pings := store.pings.Load(); pings != 1 {
			t.Errorf("a hundred callers cost %d pings", pings)
		}
		store.err = errors.New("gone")
		for range 3 {
			time.Sleep(pingFreshness)
			crowd()
		}
		if pings := store.pings.Load(); pings != 4 {
			t.Errorf("four moments cost %d pings", pings)
		}
		if reported != 1 {
			t.Errorf("one down time is reported %d times", reported)
		}
		if s := u.Run(t.Context()); s.Stores[0].Up {
			t.Errorf("%+v", s)
		}
	})
}

type countedPinger struct {
	pinger
	pings atomic.Int32
}

func (p *countedPinger) PingStore(ctx context.Context) error {
	p.pings.Add(1)
	return p.pinger.PingStore(ctx)
}
