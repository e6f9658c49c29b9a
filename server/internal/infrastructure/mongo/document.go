package mongo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// document is an episode as the collection holds it.
type document struct {
	EpisodeID   string    `bson:"_id"`
	Day         string    `bson:"day"`       // of timestamp in UTC, "2026-11-23": lists go by day
	Timestamp   time.Time `bson:"timestamp"` // to the millisecond
	ModelID     string    `bson:"model_id"`
	Baseline    string    `bson:"baseline,omitempty"`
	MazeID      string    `bson:"maze_id"`
	MazeHash    string    `bson:"maze_hash"`
	MazeRows    []string  `bson:"maze_rows,omitempty"` // of a drawn maze
	Observation string    `bson:"observation,omitempty"`
	Seed        string    `bson:"seed"` // decimal: BSON has no unsigned 64-bit number
	Temperature float64   `bson:"temperature"`
	Steps       int64     `bson:"steps"`
	Bumps       int64     `bson:"bumps"`
	Success     bool      `bson:"success"`
	Outcome     string    `bson:"outcome"`
	TotalReward float64   `bson:"total_reward"`
	SPL         float64   `bson:"spl"`
	Actions     []byte    `bson:"actions"`      // two bits an action, the first in the lowest bits of the first byte
	ActionCount int64     `bson:"action_count"` // the last byte may be filled in part
	DurationNS  int64     `bson:"duration_ns"`
}

// dayOf is the text that the episodes of one day share.
func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func documentFromRecord(r domain.EpisodeRecord) document {
	return document{
		EpisodeID:   r.EpisodeID,
		Day:         dayOf(r.Timestamp),
		Timestamp:   r.Timestamp.UTC(),
		ModelID:     r.ModelID,
		Baseline:    string(r.Baseline),
		MazeID:      r.MazeID,
		MazeHash:    r.MazeHash,
		MazeRows:    r.MazeRows,
		Observation: string(r.Observation),
		Seed:        strconv.FormatUint(r.Seed, 10),
		Temperature: r.Sampling.Temperature,
		Steps:       int64(r.Steps),
		Bumps:       int64(r.Bumps),
		Success:     r.Outcome == domain.OutcomeReachedGoal,
		Outcome:     string(r.Outcome),
		TotalReward: r.TotalReward,
		SPL:         r.SPL,
		Actions:     packActions(r.Actions),
		ActionCount: int64(len(r.Actions)),
		DurationNS:  int64(r.Duration),
	}
}

func recordFromDocument(d document) (domain.EpisodeRecord, error) {
	seed, err := strconv.ParseUint(d.Seed, 10, 64)
	if err != nil {
		return domain.EpisodeRecord{}, translateDamage(d.EpisodeID, fmt.Errorf("read seed: %w", err))
	}
	actions, err := unpackActions(d.Actions, d.ActionCount)
	if err != nil {
		return domain.EpisodeRecord{}, translateDamage(d.EpisodeID, err)
	}
	return domain.EpisodeRecord{
		EpisodeID:   d.EpisodeID,
		Timestamp:   d.Timestamp.UTC(),
		ModelID:     d.ModelID,
		Baseline:    domain.Baseline(d.Baseline),
		MazeID:      d.MazeID,
		MazeHash:    d.MazeHash,
		MazeRows:    d.MazeRows,
		Observation: domain.ObservationVersion(d.Observation),
		Seed:        seed,
		Sampling:    domain.Sampling{Temperature: d.Temperature},
		Steps:       int(d.Steps),
		Bumps:       int(d.Bumps),
		Outcome:     domain.Outcome(d.Outcome),
		TotalReward: d.TotalReward,
		SPL:         d.SPL,
		Actions:     actions,
		Duration:    time.Duration(d.DurationNS),
	}, nil
}

// translateDamage: somebody else wrote into the collection.
func translateDamage(episodeID string, err error) error {
	return &domain.Error{Code: domain.CodeInternal, Rule: "episode.damaged", Message: "the logged episode can't be read", Cause: fmt.Errorf("episode %s: %w", episodeID, err)}
}

func packActions(actions []byte) []byte {
	packed := make([]byte, (len(actions)+3)/4)
	for i, action := range actions {
		packed[i/4] |= action & 3 << (2 * (i % 4))
	}
	return packed
}

func unpackActions(packed []byte, count int64) ([]byte, error) {
	if count < 0 || int64(len(packed)) != (count+3)/4 {
		return nil, fmt.Errorf("%d bytes can't hold %d actions", len(packed), count)
	}
	if count == 0 {
		return nil, nil // also what a list leaves out
	}
	actions := make([]byte, count)
	for i := range actions {
		actions[i] = packed[i/4] >> (2 * (i % 4)) & 3
	}
	return actions, nil
}
