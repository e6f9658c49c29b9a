package main

import (
	"encoding/json"
	"fmt"
	"sync/atomic"

	mazesets "github.com/rlmaze/rlmaze/ml/mazes"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// maze of a committed set. Our server is asked for it by its id, the peer is given the rows, so both see the same mazes.
type maze struct {
	id   string
	maze *domain.Maze
}

// turns deals the mazes of a set to many goroutines, one after the other.
type turns struct {
	mazes []maze
	next  atomic.Int64
}

func readSet(id string) (*turns, error) {
	file, err := mazesets.Files.ReadFile(id + ".json")
	if err != nil {
		return nil, fmt.Errorf("set: there is no maze set %q", id)
	}
	var set struct {
		Mazes []struct {
			MazeID string   `json:"maze_id"`
			Rows   []string `json:"rows"`
		} `json:"mazes"`
	}
	if err := json.Unmarshal(file, &set); err != nil {
		return nil, fmt.Errorf("read set %s: %w", id, err)
	}
	t := &turns{}
	for _, entry := range set.Mazes {
		parsed, problems := domain.ParseMaze(entry.Rows)
		if len(problems) > 0 {
			return nil, fmt.Errorf("read set %s: %s breaks %d rules", id, entry.MazeID, len(problems))
		}
		t.mazes = append(t.mazes, maze{id: entry.MazeID, maze: parsed})
	}
	return t, nil
}

func (t *turns) take() maze {
	return t.mazes[int(t.next.Add(1)-1)%len(t.mazes)]
}
