// Package setupstate reads the file in which `make run` tells what it is installing beside the running server. It writes nothing.
package setupstate

import (
	"encoding/json"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	freshness = 250 * time.Millisecond // of what was read, for a crowd of askers
	largest   = 64 << 10               // bytes of the file; more than that is none of ours
)

// File is the state file. Its methods may be called by many goroutines at once.
type File struct {
	path string

	mu      sync.Mutex
	read    time.Time
	entries map[string]entry
}

type entry struct {
	Message  string   `json:"message"`
	Progress *float64 `json:"progress"`
	Failed   bool     `json:"failed"`
}

// New returns the file of that path; an empty path is a file without entries, and so is one that is missing or unreadable.
func New(path string) *File { return &File{path: path} }

// Preparation implements domain.Preparations.
func (f *File) Preparation(service string) (domain.Preparation, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path == "" {
		return domain.Preparation{}, false
	}
	if now := time.Now(); f.read.IsZero() || now.Sub(f.read) >= freshness {
		f.entries, f.read = load(f.path), now
	}
	found, known := f.entries[service]
	if found.Progress != nil && (*found.Progress < 0 || *found.Progress > 1) {
		found.Progress = nil
	}
	return domain.Preparation{Message: found.Message, Progress: found.Progress, Failed: found.Failed}, known
}

func load(path string) map[string]entry {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	var entries map[string]entry
	if json.NewDecoder(io.LimitReader(file, largest)).Decode(&entries) != nil {
		return nil // the next reading finds it whole
	}
	return entries
}
