package embeddedpostgres

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

// keptLines of PostgreSQL's output go into error messages; its own explanation is the last thing that it says.
const keptLines = 8

// lineLog passes PostgreSQL's output on, line by line, and remembers the end of it. It may be written to by many goroutines at once.
type lineLog struct {
	logger *slog.Logger

	mu   sync.Mutex
	rest []byte
	kept []string
}

func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		line := string(bytes.TrimSpace(l.rest[:i]))
		l.rest = l.rest[i+1:]
		if l.kept = append(l.kept, line); len(l.kept) > keptLines {
			l.kept = l.kept[1:]
		}
		l.logger.Log(context.Background(), slog.LevelDebug, "PostgreSQL says", "line", line)
	}
}

func (l *lineLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.kept, "\n")
}

// blamesLeftovers says whether PostgreSQL did not start because of what an earlier one left: locks, shared memory, processes.
func (l *lineLog) blamesLeftovers() bool {
	said := l.tail()
	return strings.Contains(said, "pre-existing shared memory") || strings.Contains(said, "lock file")
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-keptLines):], "\n")
}
