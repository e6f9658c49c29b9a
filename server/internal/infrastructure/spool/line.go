package spool

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// A record is one line: eight hex digits, the CRC-32C of the rest, a space, JSON, a newline. JSON has no newline inside, so whatever
// happened to one line, the next one is found; and a person can read the file.
const checksumDigits = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// line is an episode as the file holds it. Names stay when the domain's change: files outlive versions.
type line struct {
	EpisodeID   string    `json:"episode_id"`
	Timestamp   time.Time `json:"timestamp"`
	ModelID     string    `json:"model_id,omitempty"`
	Baseline    string    `json:"baseline,omitempty"`
	MazeID      string    `json:"maze_id,omitempty"`
	MazeHash    string    `json:"maze_hash"`
	MazeRows    []string  `json:"maze_rows,omitempty"`
	Observation string    `json:"observation,omitempty"`
	Seed        uint64    `json:"seed,string"`
	Temperature float64   `json:"temperature"`
	Steps       int       `json:"steps"`
	Bumps       int       `json:"bumps"`
	Outcome     string    `json:"outcome"`
	TotalReward float64   `json:"total_reward"`
	SPL         float64   `json:"spl"`
	Actions     []byte    `json:"actions"`
	DurationNS  int64     `json:"duration_ns"`
}

func encodeLine(r domain.EpisodeRecord) ([]byte, error) {
	content, err := json.Marshal(line{
		EpisodeID:   r.EpisodeID,
		Timestamp:   r.Timestamp.UTC(),
		ModelID:     r.ModelID,
		Baseline:    string(r.Baseline),
		MazeID:      r.MazeID,
		MazeHash:    r.MazeHash,
		MazeRows:    r.MazeRows,
		Observation: string(r.Observation),
		Seed:        r.Seed,
		Temperature: r.Sampling.Temperature,
		Steps:       r.Steps,
		Bumps:       r.Bumps,
		Outcome:     string(r.Outcome),
		TotalReward: r.TotalReward,
		SPL:         r.SPL,
		Actions:     r.Actions,
		DurationNS:  int64(r.Duration),
	})
	if err != nil {
		return nil, fmt.Errorf("encode episode: %w", err)
	}
	encoded := fmt.Appendf(make([]byte, 0, checksumDigits+len(content)+2), "%08x ", crc32.Checksum(content, castagnoli))
	return append(append(encoded, content...), '\n'), nil
}

func decodeLine(encoded []byte) (domain.EpisodeRecord, error) {
	var sum [checksumDigits / 2]byte
	if len(encoded) < checksumDigits+2 || encoded[checksumDigits] != ' ' || encoded[len(encoded)-1] != '\n' {
		return domain.EpisodeRecord{}, errors.New("not a record")
	}
	if _, err := hex.Decode(sum[:], encoded[:checksumDigits]); err != nil {
		return domain.EpisodeRecord{}, errors.New("not a record")
	}
	content := encoded[checksumDigits+1 : len(encoded)-1]
	if uint32(sum[0])<<24|uint32(sum[1])<<16|uint32(sum[2])<<8|uint32(sum[3]) != crc32.Checksum(content, castagnoli) {
		return domain.EpisodeRecord{}, errors.New("wrong checksum")
	}
	var l line
	if err := json.Unmarshal(content, &l); err != nil {
		return domain.EpisodeRecord{}, fmt.Errorf("decode episode: %w", err)
	}
	return domain.EpisodeRecord{
		EpisodeID:   l.EpisodeID,
		Timestamp:   l.Timestamp.UTC(),
		ModelID:     l.ModelID,
		Baseline:    domain.Baseline(l.Baseline),
		MazeID:      l.MazeID,
		MazeHash:    l.MazeHash,
		MazeRows:    l.MazeRows,
		Observation: domain.ObservationVersion(l.Observation),
		Seed:        l.Seed,
		Sampling:    domain.Sampling{Temperature: l.Temperature},
		Steps:       l.Steps,
		Bumps:       l.Bumps,
		Outcome:     domain.Outcome(l.Outcome),
		TotalReward: l.TotalReward,
		SPL:         l.SPL,
		Actions:     l.Actions,
		Duration:    time.Duration(l.DurationNS),
	}, nil
}

// load reads the file of an earlier run. A last line without its newline, or with a wrong checksum, is a record that was being written
// when the server was killed: it was never acknowledged, and is cut off. A bad line before good ones is damage: it is set aside.
func (l *Log) load() error {
	content, err := io.ReadAll(l.file)
	if err != nil {
		return fmt.Errorf("read the spool: %w", err)
	}
	type damage struct{ from, to int64 }
	var bad []damage
	for offset := int64(0); offset < int64(len(content)); {
		length := bytes.IndexByte(content[offset:], '\n') + 1
		if length == 0 {
			break
		}
		encoded := content[offset : offset+int64(length)]
		r, err := decodeLine(encoded)
		if err != nil {
			bad = append(bad, damage{offset, offset + int64(length)})
		} else {
			if known, ok := l.entries[r.EpisodeID]; !ok {
				e := &entry{id: r.EpisodeID, offset: offset, length: length, settled: true}
				l.entries[e.id] = e
				l.order = append(l.order, e)
			} else {
				l.logger.Warn("the spool holds an episode twice; the first one counts", "episode_id", known.id)
			}
			l.size = offset + int64(length)
		}
		offset += int64(length)
	}
	for _, d := range bad {
		if d.from >= l.size {
			break
		}
		if err := appendFile(l.path+".damaged", content[d.from:d.to]); err != nil {
			return err
		}
		l.logger.Error("a record of the spool is damaged and was set aside", "offset", d.from, "bytes", d.to-d.from, "file", l.path+".damaged")
	}
	if torn := int64(len(content)) - l.size; torn > 0 {
		l.logger.Warn("the spool ends in a torn record, which was cut off", "bytes", torn)
		if err := l.file.Truncate(l.size); err != nil {
			return fmt.Errorf("cut the spool: %w", err)
		}
		if err := l.file.Sync(); err != nil {
			return fmt.Errorf("sync the spool: %w", err)
		}
	}
	return nil
}
