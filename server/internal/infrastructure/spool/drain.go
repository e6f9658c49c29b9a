package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func (l *Log) wakeDrain() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// drain brings spooled episodes to the store, oldest first, until ctx ends. While the store is away it asks with one episode at a time.
func (l *Log) drain(ctx context.Context) {
	defer close(l.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		window := 1
		for ctx.Err() == nil {
			drained, err := l.drainWindow(ctx, window)
			if err != nil {
				window = 1
				l.logger.DebugContext(ctx, "the episode log is still down", "error", err)
				select {
				case <-ctx.Done():
				case <-time.After(l.retryPause):
				}
				continue
			}
			// New episodes may go straight to the store again; the older ones follow here.
			if l.down.Swap(false) {
				l.logger.InfoContext(ctx, "the episode log is back", "spooled", l.Spooled())
			}
			window = drainWindow
			if drained == 0 {
				break
			}
		}
	}
}

// drainWindow brings the oldest n episodes to the store. The error is that of a store that is away; what got there is not tried again.
func (l *Log) drainWindow(ctx context.Context, n int) (int, error) {
	l.mu.Lock()
	batch := append([]*entry(nil), l.order[:min(n, len(l.order))]...)
	records := make([]domain.EpisodeRecord, len(batch))
	damaged := make([]error, len(batch))
	for i, e := range batch {
		records[i], damaged[i] = l.read(e)
	}
	l.mu.Unlock()
	if len(batch) == 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	results := make([]error, len(batch))
	var all sync.WaitGroup
	for i := range batch {
		if results[i] = damaged[i]; damaged[i] == nil {
			all.Go(func() { results[i] = l.store.AppendEpisode(ctx, records[i]) })
		}
	}
	all.Wait()

	var away error
	settled := make(map[*entry]bool, len(batch))
	for i, e := range batch {
		err := results[i]
		switch {
		case err == nil:
		case domain.CodeOf(err) == domain.CodeUnavailable, ctx.Err() != nil:
			away = err
			continue
		default:
			// A conflict, or an episode that the store will never take: it must not hold up the others.
			if err := l.setAside(ctx, e, err); err != nil {
				away = err
				continue
			}
		}
		settled[e] = true
	}
	l.forget(settled)
	return len(settled), away
}

// forget drops entries that are in the store, and empties the file once nothing in it is needed.
func (l *Log) forget(settled map[*entry]bool) {
	// No writer may be between taking its offset and writing there.
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	// They are among the oldest: the rest of a long spool is not looked at.
	looked := min(drainWindow, len(l.order))
	var kept []*entry
	for _, e := range l.order[:looked] {
		if settled[e] {
			delete(l.entries, e.id)
		} else {
			kept = append(kept, e)
		}
	}
	copy(l.order[looked-len(kept):], kept)
	if l.order = l.order[looked-len(kept):]; len(l.order) > 0 {
		return
	}
	l.order = nil // lets go of the array
	// When this fails, or the machine ends before it reaches the disk, the episodes are drained once more, which is success again.
	if err := l.file.Truncate(0); err != nil {
		l.logger.Warn("empty the spool", "error", err)
		return
	}
	l.size = 0
}

// setAside keeps an episode that can't be stored where an operator finds it. After a kill in the middle it may stand there twice.
func (l *Log) setAside(ctx context.Context, e *entry, reason error) error {
	target := l.path + ".conflicts"
	if !errors.Is(reason, domain.ErrEpisodeConflict) {
		target = l.path + ".damaged"
	}
	line := make([]byte, e.length)
	if _, err := l.file.ReadAt(line, e.offset); err != nil {
		return fmt.Errorf("read the spool: %w", err)
	}
	if err := appendFile(target, line); err != nil {
		return err
	}
	l.logger.ErrorContext(ctx, "a spooled episode can't be stored and was set aside", "episode_id", e.id, "file", target, "error", reason)
	return nil
}

// appendFile appends and syncs.
func appendFile(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("set an episode aside: %w", err)
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("set an episode aside: %w", err)
	}
	return nil
}
