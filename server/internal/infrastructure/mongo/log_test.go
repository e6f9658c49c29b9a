package mongo_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedferret"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedpostgres"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mongo"
	"github.com/rlmaze/rlmaze/server/internal/testing/contract"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/testing/mongotest"
	"github.com/rlmaze/rlmaze/server/internal/testing/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, func() error { return goleak.Find() }) }

func TestLogKeepsTheEpisodeLogContract(t *testing.T) {
	contract.EpisodeLogContract(t, func(t *testing.T) (domain.EpisodeLog, func() int) {
		log, uri := mongotest.Log(t)
		return log, func() int { return mongotest.Count(t, uri) }
	})
	contract.EpisodeListContract(t, func(t *testing.T) domain.EpisodeLog {
		log, _ := mongotest.Log(t)
		return log
	})
	contract.EpisodeTalliesContract(t, func(t *testing.T) contract.TalliedLog {
		log, _ := mongotest.Log(t)
		return log
	})
	contract.EpisodePrunerContract(t, func(t *testing.T) contract.PrunedLog {
		log, _ := mongotest.Log(t)
		return log
	})
}

func open(t testing.TB, uri string, timeout time.Duration) *mongo.Log {
	t.Helper()
	log, err := mongo.Open(mongo.Options{URI: uri, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return log
}

func TestTwoInstancesShareOneLog(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	one, other := open(t, uri, pgtest.Patience), open(t, uri, pgtest.Patience)
	r := contract.Episode(contract.EpisodeID())
	failures := make([]error, 2)
	var both sync.WaitGroup
	both.Go(func() { failures[0] = one.AppendEpisode(t.Context(), r) })
	both.Go(func() { failures[1] = other.AppendEpisode(t.Context(), r) })
	both.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	if n := mongotest.Count(t, uri); n != 1 {
		t.Fatalf("%d episodes", n)
	}
	changed := r
	changed.Seed++
	if err := other.AppendEpisode(t.Context(), changed); !errors.Is(err, domain.ErrEpisodeConflict) {
		t.Fatalf("append on the other instance: %v", err)
	}
}

func TestAStoreThatIsDownIsUnavailableWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	// Takes connections and never answers, like a frozen machine.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, address := range map[string]string{"silent": silent.Addr().String(), "refusing": closed.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			log := open(t, "mongodb://"+address+"/", 0)
			for what, call := range map[string]func() error{
				"append": func() error { return log.AppendEpisode(t.Context(), contract.Episode(contract.EpisodeID())) },
				"find":   func() error { _, err := log.FindEpisode(t.Context(), contract.EpisodeID()); return err },
				"list": func() error {
					_, err := log.ListEpisodes(t.Context(), domain.EpisodeDay{Day: time.Now(), After: domain.EpisodePosition{FinishedAt: time.Now()}, Limit: 1})
					return err
				},
				"count":  func() error { _, err := log.CountEpisodes(t.Context(), time.Now()); return err },
				"delete": func() error { _, err := log.DeleteEpisodes(t.Context(), time.Now()); return err },
				"tally":  func() error { _, err := log.TallyEpisodes(t.Context(), time.Now(), domain.EpisodeFilter{}); return err },
				"ping":   func() error { return log.PingStore(t.Context()) },
			} {
				start := time.Now()
				err := call()
				if domain.CodeOf(err) != domain.CodeUnavailable || time.Since(start) > measured.Limit(2*time.Second) {
					t.Errorf("%s: %v after %v", what, err, time.Since(start))
				}
				if e, ok := errors.AsType[*domain.Error](err); !ok || strings.Contains(e.Message, "127.0.0.1") {
					t.Errorf("the message shows the address: %v", err)
				}
			}
		})
	}
}

func TestTheLogSurvivesKillOfPostgreSQL(t *testing.T) {
	t.Parallel()
	server, err := embeddedpostgres.Start(t.Context(), embeddedpostgres.Options{DataDir: t.TempDir(), Databases: []string{"ferretdb"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	ferret, err := embeddedferret.Start(embeddedferret.Options{PostgresURL: server.URL("ferretdb"), SocketFolder: server.SocketFolder()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ferret.Stop)
	log := open(t, ferret.URI(), 0)
	before := contract.Episode(contract.EpisodeID())
	if err := log.AppendEpisode(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(server.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	after := contract.Episode(contract.EpisodeID())
	// FerretDB keeps several connections to PostgreSQL, and each that died is found out by the call that takes it from the pool: one call that
	// succeeds does not mean that the next one does.
	deadline := time.Now().Add(20 * time.Second)
	untilBack := func(what string, call func() error) {
		t.Helper()
		for {
			err := call()
			if err == nil {
				return
			}
			if domain.CodeOf(err) != domain.CodeUnavailable {
				t.Fatalf("%s while PostgreSQL is away: %v", what, err)
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: the log does not come back: %v", what, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	untilBack("append", func() error { return log.AppendEpisode(t.Context(), after) })
	for _, want := range []domain.EpisodeRecord{before, after} {
		untilBack("find", func() error {
			got, err := log.FindEpisode(t.Context(), want.EpisodeID)
			if err == nil && !got.SameContent(want) {
				t.Fatalf("the log has %+v, and %+v was appended", got, want)
			}
			return err
		})
	}
}

func TestCloseWritesWhatIsQueuedAndRefusesMore(t *testing.T) {
	t.Parallel()
	uri := mongotest.URI(t)
	log := open(t, uri, pgtest.Patience)
	failures := make([]error, 50)
	var all sync.WaitGroup
	var begun sync.WaitGroup
	begun.Add(len(failures))
	for i := range failures {
		all.Go(func() {
			begun.Done()
			failures[i] = log.AppendEpisode(t.Context(), contract.Episode(contract.EpisodeID()))
		})
	}
	begun.Wait()
	log.Close()
	log.Close()
	all.Wait()
	logged := 0
	for _, err := range failures {
		switch {
		case err == nil:
			logged++
		case domain.CodeOf(err) != domain.CodeUnavailable:
			t.Errorf("append: %v", err)
		}
	}
	if n := mongotest.Count(t, uri); n != logged {
		t.Fatalf("%d episodes are stored of %d that were acknowledged", n, logged)
	}
}

func TestAWrongAddressNamesItsVariable(t *testing.T) {
	t.Parallel()
	if _, err := mongo.Open(mongo.Options{URI: "http://example"}); err == nil || !strings.Contains(err.Error(), "MONGODB_URI") {
		t.Fatalf("open: %v", err)
	}
}

// BenchmarkAppend measures the log behind a synced PostgreSQL, as the product runs it:
// CPU is this process's own, FerretDB included, PostgreSQL not.
func BenchmarkAppend(b *testing.B) {
	server, err := embeddedpostgres.Start(b.Context(), embeddedpostgres.Options{DataDir: b.TempDir(), Databases: []string{"ferretdb"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Stop)
	ferret, err := embeddedferret.Start(embeddedferret.Options{PostgresURL: server.URL("ferretdb"), SocketFolder: server.SocketFolder()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(ferret.Stop)
	log := open(b, ferret.URI(), pgtest.Patience)
	if err := log.AppendEpisode(b.Context(), contract.Episode(contract.EpisodeID())); err != nil {
		b.Fatal(err)
	}
	for _, callers := range []int{1, 8, 32, 128} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			var left atomic.Int64
			left.Store(int64(b.N))
			start := cpuTime()
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						if err := log.AppendEpisode(context.Background(), contract.Episode(contract.EpisodeID())); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64((cpuTime()-start).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
