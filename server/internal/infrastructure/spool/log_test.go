package spool

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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

// appendEnv makes the test binary append to the spool that it names, printing each acknowledged id, until it is killed.
const appendEnv = "SPOOL_TEST_APPEND"

func TestMain(m *testing.M) {
	if path := os.Getenv(appendEnv); path != "" {
		appendForEver(path)
	}
	pgtest.Main(m, func() error { return goleak.Find() })
}

// faulty is a log with a switch: a fault at the port of a real one.
type faulty struct {
	domain.EpisodeLog
	away  atomic.Bool
	calls atomic.Int64
}

func (f *faulty) AppendEpisode(ctx context.Context, r domain.EpisodeRecord) error {
	f.calls.Add(1)
	if f.away.Load() {
		return domain.Unavailable("mongodb", errors.New("switched off"))
	}
	return f.EpisodeLog.AppendEpisode(ctx, r)
}

// empty is a store that never takes anything and holds nothing.
type empty struct{}

func (empty) AppendEpisode(context.Context, domain.EpisodeRecord) error {
	return domain.Unavailable("mongodb", errors.New("never there"))
}

func (empty) FindEpisode(context.Context, string) (domain.EpisodeRecord, error) {
	return domain.EpisodeRecord{}, domain.ErrEpisodeUnknown
}

func (empty) ListEpisodes(context.Context, domain.EpisodeDay) ([]domain.EpisodeRecord, error) {
	return nil, nil
}

// greedy is a store that takes everything.
type greedy struct{ empty }

func (greedy) AppendEpisode(context.Context, domain.EpisodeRecord) error { return nil }

func open(t testing.TB, path string, store domain.EpisodeLog) *Log {
	t.Helper()
	l, err := Open(Options{Path: path, Store: store, retryPause: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func mustAppend(t *testing.T, l domain.EpisodeLog, records ...domain.EpisodeRecord) {
	t.Helper()
	for _, r := range records {
		if err := l.AppendEpisode(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func episodes(n int) []domain.EpisodeRecord {
	records := make([]domain.EpisodeRecord, n)
	for i := range records {
		records[i] = contract.Episode(contract.EpisodeID())
	}
	return records
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, fact func() bool) {
	t.Helper()
	for deadline := time.Now().Add(measured.Patience); !fact(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestSpoolKeepsTheEpisodeLogContract(t *testing.T) {
	t.Run("while the store answers", func(t *testing.T) {
		contract.EpisodeLogContract(t, func(t *testing.T) (domain.EpisodeLog, func() int) {
			store, uri := mongotest.Log(t)
			return open(t, filepath.Join(t.TempDir(), "episodes.spool"), store), func() int { return mongotest.Count(t, uri) }
		})
		contract.EpisodeListContract(t, func(t *testing.T) domain.EpisodeLog {
			store, _ := mongotest.Log(t)
			return open(t, filepath.Join(t.TempDir(), "episodes.spool"), store)
		})
	})
	t.Run("while the store is down", func(t *testing.T) {
		contract.EpisodeLogContract(t, func(t *testing.T) (domain.EpisodeLog, func() int) {
			l := open(t, filepath.Join(t.TempDir(), "episodes.spool"), empty{})
			return l, func() int { return int(l.Spooled()) }
		})
	})
}

func TestSpooledEpisodesAreListedOnceTheyHaveReachedTheStore(t *testing.T) {
	t.Parallel()
	store, _ := mongotest.Log(t)
	inner := &faulty{EpisodeLog: store}
	inner.away.Store(true)
	l := open(t, filepath.Join(t.TempDir(), "episodes.spool"), inner)
	r := contract.Episode(contract.EpisodeID())
	mustAppend(t, l, r)
	day := domain.EpisodeDay{Day: r.Timestamp, After: domain.EpisodePosition{FinishedAt: r.Timestamp.Add(time.Second)}, Limit: 10}
	if listed, err := l.ListEpisodes(t.Context(), day); err != nil || len(listed) != 0 {
		t.Fatalf("while it is spooled: %v, %v", listed, err)
	}
	inner.away.Store(false)
	eventually(t, "the spool is empty", func() bool { return l.Spooled() == 0 })
	if listed, err := l.ListEpisodes(t.Context(), day); err != nil || len(listed) != 1 || listed[0].EpisodeID != r.EpisodeID {
		t.Fatalf("once it is in the store: %v, %v", listed, err)
	}
}

func TestEpisodesOfADownTimeReachTheStoreInOrderOnce(t *testing.T) {
	t.Parallel()
	store, uri := mongotest.Log(t)
	inner := &faulty{EpisodeLog: store}
	path := filepath.Join(t.TempDir(), "episodes.spool")
	l := open(t, path, inner)
	records := episodes(200)
	mustAppend(t, l, records[:10]...)
	if l.Spooled() != 0 {
		t.Fatalf("%d spooled while the store answers", l.Spooled())
	}
	inner.away.Store(true)
	mustAppend(t, l, records[10:150]...)
	if l.Spooled() != 140 {
		t.Fatalf("%d spooled of 140", l.Spooled())
	}
	for _, r := range []domain.EpisodeRecord{records[10], records[149]} {
		if got, err := l.FindEpisode(t.Context(), r.EpisodeID); err != nil || !got.SameContent(r) {
			t.Fatalf("find a spooled one: %v", err)
		}
	}
	inner.away.Store(false)
	mustAppend(t, l, records[150:]...)
	eventually(t, "the spool is empty", func() bool { return l.Spooled() == 0 })
	if n := mongotest.Count(t, uri); n != 200 {
		t.Fatalf("%d episodes in the store of 200", n)
	}
	if file, err := os.Stat(path); err != nil || file.Size() != 0 {
		t.Fatalf("the drained file holds %v bytes, %v", file.Size(), err)
	}
}

func TestAnEpisodeDoesNotWaitForAStoreThatIsKnownToBeDown(t *testing.T) {
	t.Parallel()
	inner := &faulty{EpisodeLog: empty{}}
	inner.away.Store(true)
	l, err := Open(Options{Path: filepath.Join(t.TempDir(), "episodes.spool"), Store: inner, retryPause: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	mustAppend(t, l, episodes(50)...)
	// The first episode's, and the drain's first look.
	if calls := inner.calls.Load(); calls > 2 {
		t.Fatalf("the store was asked %d times", calls)
	}
}

func TestAConflictWithASpooledEpisodeIsRefused(t *testing.T) {
	t.Parallel()
	l := open(t, filepath.Join(t.TempDir(), "episodes.spool"), empty{})
	r := contract.Episode(contract.EpisodeID())
	mustAppend(t, l, r, r)
	other := r
	other.Seed++
	if err := l.AppendEpisode(t.Context(), other); !errors.Is(err, domain.ErrEpisodeConflict) {
		t.Fatalf("append: %v", err)
	}
	if l.Spooled() != 1 {
		t.Fatalf("%d spooled", l.Spooled())
	}
}

func TestAConflictWithTheStoreIsSetAsideAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	store, _ := mongotest.Log(t)
	inner := &faulty{EpisodeLog: store}
	path := filepath.Join(t.TempDir(), "episodes.spool")
	l := open(t, path, inner)
	first := contract.Episode(contract.EpisodeID())
	mustAppend(t, l, first)
	inner.away.Store(true)
	other := first
	other.Seed++
	follower := contract.Episode(contract.EpisodeID())
	mustAppend(t, l, other, follower)
	inner.away.Store(false)
	eventually(t, "the spool is empty", func() bool { return l.Spooled() == 0 })
	if got, err := l.FindEpisode(t.Context(), first.EpisodeID); err != nil || !got.SameContent(first) {
		t.Fatalf("the first episode is another one now: %v", err)
	}
	if _, err := inner.FindEpisode(t.Context(), follower.EpisodeID); err != nil {
		t.Fatalf("the follower did not arrive: %v", err)
	}
	aside, err := os.ReadFile(path + ".conflicts")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := decodeLine(aside); err != nil || !got.SameContent(other) {
		t.Fatalf("set aside: %v", err)
	}
}

func TestSpooledEpisodesSurviveARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "episodes.spool")
	records := episodes(20)
	l := open(t, path, empty{})
	mustAppend(t, l, records...)
	l.Close()
	l.Close()
	store, uri := mongotest.Log(t)
	// Some arrived before the end of the earlier run without its knowing.
	mustAppend(t, store, records[:5]...)
	again := open(t, path, store)
	eventually(t, "the spool is empty", func() bool { return again.Spooled() == 0 })
	if n := mongotest.Count(t, uri); n != 20 {
		t.Fatalf("%d episodes in the store of 20", n)
	}
	if _, err := os.Stat(path + ".conflicts"); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("duplicates were set aside: %v", err)
	}
}

func TestASecondServerOnTheFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "episodes.spool")
	open(t, path, empty{})
	if _, err := Open(Options{Path: path, Store: empty{}}); !errors.Is(err, ErrFileInUse) {
		t.Fatalf("second open: %v", err)
	}
}

func TestATornRecordIsCutOffWhereverItWasTorn(t *testing.T) {
	t.Parallel()
	whole, err := encodeLine(contract.Episode(contract.EpisodeID()))
	if err != nil {
		t.Fatal(err)
	}
	last, err := encodeLine(contract.DrawnEpisode(contract.EpisodeID()))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "episodes.spool")
	for cut := range last {
		if err := os.WriteFile(path, append(bytes.Clone(whole), last[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Path: path, Store: empty{}, retryPause: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if l.Spooled() != 1 {
			t.Errorf("cut at %d: %d records", cut, l.Spooled())
		}
		r := contract.Episode(contract.EpisodeID())
		mustAppend(t, l, r)
		l.Close()
		again, err := Open(Options{Path: path, Store: empty{}, retryPause: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.FindEpisode(t.Context(), r.EpisodeID); err != nil || again.Spooled() != 2 {
			t.Errorf("cut at %d: the next record is lost: %v", cut, err)
		}
		again.Close()
	}
	if _, err := os.Stat(path + ".damaged"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a torn record was taken for damage: %v", err)
	}
}

func TestADamagedRecordIsSetAsideAndLosesNoOther(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "episodes.spool")
	records := episodes(3)
	var content []byte
	for i, r := range records {
		encoded, err := encodeLine(r)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			encoded[20] ^= 1
		}
		content = append(content, encoded...)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, path, empty{})
	if l.Spooled() != 2 {
		t.Fatalf("%d records of 2", l.Spooled())
	}
	if _, err := l.FindEpisode(t.Context(), records[2].EpisodeID); err != nil {
		t.Fatal(err)
	}
	if aside, err := os.ReadFile(path + ".damaged"); err != nil || len(aside) == 0 {
		t.Fatalf("set aside: %d bytes, %v", len(aside), err)
	}
}

func appendForEver(path string) {
	l, err := Open(Options{Path: path, Store: empty{}})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	var output sync.Mutex
	for range 8 {
		go func() {
			for {
				r := contract.Episode(contract.EpisodeID())
				if err := l.AppendEpisode(context.Background(), r); err != nil {
					fmt.Println("failed", err)
					os.Exit(1)
				}
				output.Lock()
				fmt.Println(r.EpisodeID)
				output.Unlock()
			}
		}()
	}
	select {}
}

func TestNoAcknowledgedEpisodeIsLostByAKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "episodes.spool")
	acknowledged := make(map[string]bool)
	for round := range 5 {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), appendEnv+"="+path)
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		for n := 0; n < 20+13*round && lines.Scan(); n++ {
			acknowledged[lines.Text()] = true
		}
		if err := command.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// What is in the pipe was acknowledged as well; the last line may be cut.
		rest, _ := io.ReadAll(output)
		_ = command.Wait()
		for _, id := range strings.Split(string(rest), "\n") {
			if len(id) == 36 {
				acknowledged[id] = true
			}
		}
	}
	l := open(t, path, empty{})
	for id := range acknowledged {
		if _, err := l.FindEpisode(t.Context(), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if len(acknowledged) < 5*20 {
		t.Errorf("only %d acknowledged", len(acknowledged))
	}
}

func TestEpisodesBridgeADownTimeOfTheRealStores(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	options := embeddedpostgres.Options{DataDir: folder, Databases: []string{"ferretdb"}}
	server, err := embeddedpostgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	ferret, err := embeddedferret.Start(embeddedferret.Options{PostgresURL: server.URL("ferretdb"), SocketFolder: server.SocketFolder()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ferret.Stop)
	store, err := mongo.Open(mongo.Options{URI: ferret.URI()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	l := open(t, filepath.Join(folder, "episodes.spool"), store)
	records := episodes(30)
	mustAppend(t, l, records[:10]...)
	server.Stop()
	start := time.Now()
	mustAppend(t, l, records[10:]...)
	if took := time.Since(start); took > measured.Limit(3*time.Second) {
		t.Errorf("20 episodes took %v while the store was down", took)
	}
	if l.Spooled() != 20 {
		t.Fatalf("%d spooled of 20", l.Spooled())
	}
	again, err := embeddedpostgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Stop)
	eventually(t, "the spool is empty", func() bool { return l.Spooled() == 0 })
	if n := mongotest.Count(t, ferret.URI()); n != 30 {
		t.Fatalf("%d episodes in the store of 30", n)
	}
}

func TestAFullDiskIsUnavailableAndLosesNothing(t *testing.T) {
	t.Parallel()
	l := open(t, filepath.Join(t.TempDir(), "episodes.spool"), empty{})
	first, second := contract.Episode(contract.EpisodeID()), contract.Episode(contract.EpisodeID())
	mustAppend(t, l, first)
	whole := l.file
	// Writing to a file that was opened for reading fails as on a full disk.
	readOnly, err := os.Open(l.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = readOnly.Close() })
	l.syncing.Lock()
	l.mu.Lock()
	l.file = readOnly
	l.mu.Unlock()
	l.syncing.Unlock()
	if err := l.AppendEpisode(t.Context(), second); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Fatalf("append: %v", err)
	}
	l.syncing.Lock()
	l.mu.Lock()
	l.file = whole
	l.mu.Unlock()
	l.syncing.Unlock()
	mustAppend(t, l, second)
	for _, r := range []domain.EpisodeRecord{first, second} {
		if _, err := l.FindEpisode(t.Context(), r.EpisodeID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullSpoolRefusesAndTakesAgainWhenTheStoreIsBack(t *testing.T) {
	t.Parallel()
	line, err := encodeLine(contract.Episode(contract.EpisodeID()))
	if err != nil {
		t.Fatal(err)
	}
	store := &faulty{EpisodeLog: greedy{}}
	store.away.Store(true)
	l, err := Open(Options{Path: filepath.Join(t.TempDir(), "episodes.spool"), Store: store, retryPause: time.Millisecond, largestFile: int64(3 * len(line))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	first := contract.Episode(contract.EpisodeID())
	mustAppend(t, l, first, contract.Episode(contract.EpisodeID()), contract.Episode(contract.EpisodeID()))
	refused := contract.Episode(contract.EpisodeID())
	if err := l.AppendEpisode(t.Context(), refused); domain.CodeOf(err) != domain.CodeUnavailable || l.Spooled() != 3 {
		t.Errorf("the fourth: %v, %d spooled", err, l.Spooled())
	}
	mustAppend(t, l, first) // it is there already
	store.away.Store(false)
	eventually(t, "the spool is empty", func() bool { return l.Spooled() == 0 })
	mustAppend(t, l, refused)
}

func FuzzOpenTakesAnyFile(f *testing.F) {
	whole, err := encodeLine(contract.Episode("01940000-0000-7000-8000-000000000000"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(whole, "rubbish\n\n"...))
	f.Add([]byte("00000000 {}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "episodes.spool")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Path: path, Store: empty{}, retryPause: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		mustAppend(t, l, contract.Episode(contract.EpisodeID()))
	})
}

// BenchmarkAppendWhileDown measures what a down time costs an episode.
func BenchmarkAppendWhileDown(b *testing.B) {
	l := open(b, filepath.Join(b.TempDir(), "episodes.spool"), empty{})
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := l.AppendEpisode(context.Background(), contract.Episode(contract.EpisodeID())); err != nil {
				b.Error(err)
			}
		}
	})
}
