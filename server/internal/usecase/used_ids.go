package usecase

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// That an episode_id was used for another episode is found out at the latest when the log refuses the document. It is told at the start where
// that is cheap: ids that this server logged a moment ago are remembered; only for an id that was not made just now is the log asked.
const (
	rememberedIDs   = 8192                   // about a megabyte
	freshID         = time.Minute            // an id younger than that was used a moment ago, if at all
	usedLookupLimit = 250 * time.Millisecond // how long the log may take to answer; a start must not wait for a store that hangs
)

// usedIDs remembers the episodes that were logged last. Safe for concurrent use; the zero value is ready.
type usedIDs struct {
	mu    sync.Mutex
	known map[string]episodeInputs
	order []string // a ring, once it is full
	next  int
}

// episodeInputs determine an episode. Two with the same id and the same inputs are the same episode.
type episodeInputs struct {
	policy   domain.PolicyRef
	mazeID   string
	rowsHash [sha256.Size]byte
	seed     uint64
	sampling domain.Sampling
}

func (l *liveEpisode) inputs() episodeInputs {
	return episodeInputs{policy: l.claims.Policy, mazeID: l.episode.Maze().ID, rowsHash: l.claims.RowsHash, seed: l.claims.Seed, sampling: l.claims.Sampling}
}

func (u *usedIDs) add(l *liveEpisode) {
	u.mu.Lock()
	defer u.mu.Unlock()
	id := l.claims.EpisodeID
	if _, known := u.known[id]; known {
		return
	}
	if u.known == nil {
		u.known = make(map[string]episodeInputs)
	}
	if len(u.order) < rememberedIDs {
		u.order = append(u.order, id)
	} else {
		delete(u.known, u.order[u.next])
		u.order[u.next] = id
		u.next = (u.next + 1) % rememberedIDs
	}
	u.known[id] = l.inputs()
}

func (u *usedIDs) find(id string) (episodeInputs, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	inputs, known := u.known[id]
	return inputs, known
}

// isUsed tells whether the episode's id, which the client chose, is known to be another episode's.
func (s *episodeStarter) isUsed(ctx context.Context, l *liveEpisode, now time.Time) bool {
	if inputs, known := s.used.find(l.claims.EpisodeID); known {
		return inputs != l.inputs()
	}
	if domain.EpisodeIDAge(l.claims.EpisodeID, now) < freshID {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, usedLookupLimit)
	defer cancel()
	record, err := s.deps.Log.FindEpisode(ctx, l.claims.EpisodeID)
	return err == nil && !l.mayBe(&record) // no such episode, or a log that is away: its end will tell
}

// mayBe says whether the record can be this episode's, by its inputs.
func (l *liveEpisode) mayBe(r *domain.EpisodeRecord) bool {
	maze := l.episode.Maze()
	return r.ModelID == l.claims.Policy.ModelID && r.Baseline == l.claims.Policy.Baseline && r.Seed == l.claims.Seed && r.Sampling == l.claims.Sampling &&
		r.MazeID == maze.ID && r.MazeHash == maze.Hash() && (maze.ID != "" || slices.Equal(r.MazeRows, maze.Rows()))
}
