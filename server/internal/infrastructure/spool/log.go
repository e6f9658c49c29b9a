// Package spool is an episode log that bridges the time when the one behind it is down: what can't be stored there now goes to a local
// file, synced before it is acknowledged, and from there to the store when it is back. While the store answers, nothing is written here.
// It is not responsible for how the store keeps episodes, and knows it only as domain.EpisodeLog.
package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// ErrFileInUse: a living server appends to the spool. Two of them would overwrite each other's records.
var ErrFileInUse = errors.New("another server runs on this data folder")

const (
	// retryPause between two looks whether the store is back. Episodes do not wait for it, only their way into the store does.
	retryPause = time.Second
	// drainWindow is how many episodes go to the store at once, so that they can share an insert there.
	drainWindow = 64
	// lockPatience: an instance that was stopped a moment ago may still hold the lock.
	lockPatience = time.Second
	// largestFile is some 300,000 usual episodes, whose ids are also kept in memory. Beyond it episodes are refused, which says logged = false.
	largestFile = 256 << 20
	// drainTimeout bounds one attempt of the drain; the store has shorter ones of its own.
	drainTimeout = 10 * time.Second
)

// Options says what to bridge, and where.
type Options struct {
	// Path of the file; conflicts and damaged records go beside it, to Path.conflicts and Path.damaged.
	Path string
	// Store is the log behind the spool. It stays its owner's to close, after the spool.
	Store domain.EpisodeLog
	// Logger gets what an operator must know: the store went away or came back, an episode was set aside.
	Logger *slog.Logger

	// retryPause and largestFile are smaller in tests; 0 means the constant.
	retryPause  time.Duration
	largestFile int64
}

// Log is the spooling episode log. All its methods may be called by many goroutines at once. One goroutine drains; Close ends it.
type Log struct {
	store      domain.EpisodeLog
	logger     *slog.Logger
	path       string
	retryPause time.Duration
	largest    int64 // bytes of the file

	file *os.File
	// syncing is held by the caller who writes and syncs for all that wait: one sync of the disk serves many episodes.
	syncing sync.Mutex

	// down is set while the store is known to be away, so that episodes do not wait for a timeout each.
	down atomic.Bool

	mu      sync.Mutex
	entries map[string]*entry // by episode id: everything that is in the file or on its way there
	order   []*entry          // the synced ones, oldest first
	waiting []*entry          // to be written by whoever gets syncing next
	size    int64             // end of the last whole record; what is beyond was not acknowledged and gets overwritten

	wake chan struct{} // holds one token when there is something to drain
	stop context.CancelFunc
	done chan struct{}
}

var _ domain.EpisodeLog = (*Log)(nil)

// entry is one spooled episode. Its fields are guarded by Log.mu; offset and length do not change once it is synced.
type entry struct {
	id      string
	offset  int64
	length  int
	record  *domain.EpisodeRecord // until it is synced; afterwards the file has it
	line    []byte                // as record
	settled bool                  // synced or failed
	err     error                 // why it failed
}

// Open reads what an earlier run left, cuts off a record that was torn by its end, and starts to drain. ErrFileInUse when another
// server has the file.
func Open(o Options) (*Log, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.retryPause, o.largestFile = cmp.Or(o.retryPause, retryPause), cmp.Or(o.largestFile, largestFile)
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return nil, fmt.Errorf("make the spool's folder: %w", err)
	}
	file, err := os.OpenFile(o.Path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	if err := lock(file); err != nil {
		_ = file.Close()
		return nil, err
	}
	l := &Log{
		store: o.Store, logger: o.Logger, path: o.Path, retryPause: o.retryPause, largest: o.largestFile,
		file: file, entries: make(map[string]*entry), wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := l.load(); err != nil {
		_ = file.Close()
		return nil, err
	}
	// A file that was just made must not vanish with the machine's power after its first record was acknowledged.
	if err := syncFolder(filepath.Dir(o.Path)); err != nil {
		_ = file.Close()
		return nil, err
	}
	var ctx context.Context
	ctx, l.stop = context.WithCancel(context.Background())
	l.wakeDrain()
	go l.drain(ctx)
	return l, nil
}

// Close stops draining and frees the file; what is spooled stays for the next start. Appending must have ended. It may be called twice.
func (l *Log) Close() {
	l.stop()
	<-l.done
	_ = l.file.Close()
}

// Spooled says how many episodes are in the file and not known to be in the store.
func (l *Log) Spooled() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.order))
}

// AppendEpisode implements domain.EpisodeLog. When it returns nil the episode is in the store, or on the disk of this machine.
// A conflict with an episode of the store, while that is down, is found out by the drain only; it sets the later one aside.
func (l *Log) AppendEpisode(ctx context.Context, r domain.EpisodeRecord) error {
	if known, err := l.appendKnown(r); known {
		return err
	}
	if !l.down.Load() {
		err := l.store.AppendEpisode(ctx, r)
		if domain.CodeOf(err) != domain.CodeUnavailable {
			return err
		}
		l.logger.DebugContext(ctx, "the episode goes to the spool", "episode_id", r.EpisodeID, "error", err)
	}
	if err := l.spool(r); err != nil {
		return err
	}
	if !l.down.Swap(true) {
		l.logger.WarnContext(ctx, "the episode log is down; episodes go to the spool")
	}
	l.wakeDrain()
	return nil
}

// appendKnown answers for an id that is in the spool already.
func (l *Log) appendKnown(r domain.EpisodeRecord) (bool, error) {
	l.mu.Lock()
	e, ok := l.entries[r.EpisodeID]
	if !ok {
		l.mu.Unlock()
		return false, nil
	}
	err := l.compare(e, r)
	l.mu.Unlock()
	if err != nil {
		return true, err
	}
	return true, l.syncUpTo(e)
}

// compare says whether the entry holds the same episode. The caller holds mu.
func (l *Log) compare(e *entry, r domain.EpisodeRecord) error {
	known, err := l.read(e)
	if err == nil && !known.SameContent(r) {
		return domain.ErrEpisodeConflict
	}
	return err
}

// errFull: the store has been away for too long.
var errFull = errors.New("the spool is full")

// spool appends the record to the file and returns when it is synced.
func (l *Log) spool(r domain.EpisodeRecord) error {
	line, err := encodeLine(r)
	if err != nil {
		return &domain.Error{Code: domain.CodeInternal, Rule: "store.refused", Message: "the episode can't be spooled", Cause: err}
	}
	l.mu.Lock()
	e, ok := l.entries[r.EpisodeID]
	switch {
	case ok:
		// Another stream of the same id was faster, since the first look.
		err = l.compare(e, r)
	case l.size+int64(len(line)) > l.largest:
		err = domain.Unavailable("episode log", errFull)
	default:
		e = &entry{id: r.EpisodeID, record: &r, line: line, length: len(line)}
		l.entries[e.id] = e
		l.waiting = append(l.waiting, e)
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return l.syncUpTo(e)
}

// syncUpTo returns when the entry is settled. The first caller who gets here writes for everybody who waits.
func (l *Log) syncUpTo(e *entry) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	if e.settled {
		defer l.mu.Unlock()
		return e.err
	}
	batch, offset := l.waiting, l.size
	l.waiting = nil
	l.mu.Unlock()

	var lines []byte
	for _, e := range batch {
		lines = append(lines, e.line...)
	}
	_, err := l.file.WriteAt(lines, offset)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		// size stays, so the next batch overwrites what may stand half written beyond it.
		err = domain.Unavailable("episode log", fmt.Errorf("write the spool: %w", err))
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range batch {
		e.offset, e.settled, e.err = offset, true, err
		e.record, e.line = nil, nil
		offset += int64(e.length)
		if err != nil {
			delete(l.entries, e.id)
			continue
		}
		l.order = append(l.order, e)
		l.size = offset
	}
	return e.err
}

// FindEpisode implements domain.EpisodeLog.
func (l *Log) FindEpisode(ctx context.Context, episodeID string) (domain.EpisodeRecord, error) {
	if r, ok, err := l.findSpooled(episodeID); ok || err != nil {
		return r, err
	}
	return l.store.FindEpisode(ctx, episodeID)
}

// ListEpisodes implements domain.EpisodeLog. It lists the store: episodes that are spooled and not yet drained are found by their id, but not
// listed, and the error while the store is away is its own.
func (l *Log) ListEpisodes(ctx context.Context, d domain.EpisodeDay) ([]domain.EpisodeRecord, error) {
	return l.store.ListEpisodes(ctx, d)
}

func (l *Log) findSpooled(episodeID string) (domain.EpisodeRecord, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.entries[episodeID]
	if !ok {
		return domain.EpisodeRecord{}, false, nil
	}
	r, err := l.read(e)
	return r, err == nil, err
}

// read returns the record of an entry. The caller holds mu, because the file is emptied, and its places are used again, as soon as all
// of it is drained.
func (l *Log) read(e *entry) (domain.EpisodeRecord, error) {
	if e.record != nil {
		return *e.record, nil
	}
	line := make([]byte, e.length)
	if _, err := l.file.ReadAt(line, e.offset); err != nil {
		return domain.EpisodeRecord{}, domain.Unavailable("episode log", fmt.Errorf("read the spool: %w", err))
	}
	r, err := decodeLine(line)
	if err != nil {
		return domain.EpisodeRecord{}, &domain.Error{Code: domain.CodeInternal, Rule: "episode.damaged", Message: "the spooled episode can't be read", Cause: err}
	}
	return r, nil
}

func lock(file *os.File) error {
	for deadline := time.Now().Add(lockPatience); ; {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // file descriptors are small
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock the spool: %w", err)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %s is in use; stop it, or set DATA_DIR to another folder", ErrFileInUse, file.Name())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the spool's folder: %w", err)
	}
	defer folder.Close() //nolint:errcheck // opened for reading
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("sync the spool's folder: %w", err)
	}
	return nil
}
