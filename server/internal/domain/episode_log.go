package domain

import (
	"bytes"
	"context"
	"slices"
	"time"
)

// ErrEpisodeConflict: the episode_id is taken by an episode with other content.
var ErrEpisodeConflict = &Error{Code: CodeAlreadyExists, Field: "episode_id", Rule: "episode_id.taken", Message: "episode_id was used for another episode; take a new UUIDv7"}

// ErrEpisodeUnknown: the log holds no such episode.
var ErrEpisodeUnknown = &Error{Code: CodeNotFound, Field: "episode_id", Rule: "episode.unknown", Message: "no such episode in the log; only finished ones are kept"}

// EpisodeRecord is the log's document of one finished episode: all that a replay needs.
type EpisodeRecord struct {
	EpisodeID   string // UUIDv7
	Timestamp   time.Time
	ModelID     string // empty for a baseline
	Baseline    Baseline
	MazeID      string   // empty for a drawn maze
	MazeHash    string   // canonical hash
	MazeRows    []string // for a drawn maze only
	Observation ObservationVersion
	Seed        uint64
	Sampling    Sampling
	Steps       int
	Bumps       int
	Outcome     Outcome
	TotalReward float64
	SPL         float64
	Actions     []byte // one action 0–3 a byte here; adapters store two bits each
	Duration    time.Duration
}

// SameContent says whether both records tell the same episode. When it was finished and how long that took may differ: an episode that
// is resumed elsewhere ends a second time.
func (r EpisodeRecord) SameContent(o EpisodeRecord) bool {
	return r.EpisodeID == o.EpisodeID && r.ModelID == o.ModelID && r.Baseline == o.Baseline &&
		r.MazeID == o.MazeID && r.MazeHash == o.MazeHash && slices.Equal(r.MazeRows, o.MazeRows) &&
		r.Observation == o.Observation && r.Seed == o.Seed && r.Sampling == o.Sampling &&
		r.Steps == o.Steps && r.Bumps == o.Bumps && r.Outcome == o.Outcome &&
		r.TotalReward == o.TotalReward && r.SPL == o.SPL && bytes.Equal(r.Actions, o.Actions)
}

// EpisodeFilter narrows a listing: every field that is set must hold.
type EpisodeFilter struct {
	ModelID  string
	Baseline Baseline
	MazeID   string
	Outcome  Outcome
}

// EpisodePosition is a place in the log, which is listed newest first: of those that finished at the same moment, the larger EpisodeID first.
type EpisodePosition struct {
	FinishedAt time.Time
	EpisodeID  string // empty: after all that finished at that moment or later
}

// EpisodeDay asks for the episodes of one day.
type EpisodeDay struct {
	Day    time.Time // any moment of it; days are those of UTC
	Filter EpisodeFilter
	After  EpisodePosition // only those that are listed after it
	Limit  int
}

// EpisodeLog is append-only and holds exactly one document per EpisodeID. MongoDB implements it, a spool wraps it.
type EpisodeLog interface {
	// AppendEpisode stores the record. The same id with the same content (Timestamp and Duration aside) is success; with other content ErrEpisodeConflict.
	// CodeUnavailable when it is not stored.
	AppendEpisode(ctx context.Context, r EpisodeRecord) error
	// FindEpisode returns the record, or ErrEpisodeUnknown.
	FindEpisode(ctx context.Context, episodeID string) (EpisodeRecord, error)
	// ListEpisodes returns the episodes of a day in the order of EpisodePosition, at most Limit, without their Actions. By days, because what
	// every store finds fast is a text that is equal. A document that can't be read is left out. CodeUnavailable while the store is away.
	ListEpisodes(ctx context.Context, d EpisodeDay) ([]EpisodeRecord, error)
}

// EpisodeTally is how one policy fared in one maze.
type EpisodeTally struct {
	ModelID  string
	Baseline Baseline
	MazeID   string // empty: all drawn mazes
	Episodes int
	Failures int // of the episodes: those that ended without the goal
}

// EpisodeTallies counts the log, where it lies: what a spool holds is not counted yet. MongoDB implements it.
type EpisodeTallies interface {
	// TallyEpisodes counts the episodes of a day (any moment of it, UTC) that fit the filter, by policy and maze, in no order. CodeUnavailable
	// while the store is away, or when it can't read the day in time.
	TallyEpisodes(ctx context.Context, day time.Time, filter EpisodeFilter) ([]EpisodeTally, error)
}

// EpisodePruner forgets episodes by whole days (any moment of it, UTC): it is the one exception from a log that is only appended to. MongoDB
// implements it.
type EpisodePruner interface {
	// CountEpisodes says how many episodes a day has. CodeUnavailable while the store is away.
	CountEpisodes(ctx context.Context, day time.Time) (int64, error)
	// DeleteEpisodes deletes the episodes of a day and says how many there were. CodeUnavailable while the store is away, or when it can't delete them
	// in time; some of them may be gone then.
	DeleteEpisodes(ctx context.Context, day time.Time) (int64, error)
}
