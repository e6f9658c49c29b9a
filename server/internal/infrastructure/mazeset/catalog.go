// Package mazeset reads the committed maze sets, which are embedded in the binary. It believes no fact that it can compute: a file that says
// something else about a maze than the domain stops the start.
package mazeset

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"github.com/rlmaze/rlmaze/ml/mazes"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// order is how ListMazeSets shows the sets: what people look at first, what models are trained on last.
var order = []string{"showcase", "puzzles", "heldout", "large20", "large30", "large50", "validation", "training"}

// Catalog holds all sets in memory. It is immutable.
type Catalog struct {
	sets   []domain.MazeSet
	byID   map[string]*domain.Maze
	byHash map[string]*domain.Maze
}

// Load reads the embedded sets.
func Load() (*Catalog, error) { return load(mazes.Files) }

// file is one <set_id>.json.
type file struct {
	SetID          string     `json:"set_id"`
	Description    string     `json:"description"`
	Rows           int        `json:"rows"`
	Cols           int        `json:"cols"`
	SeenInTraining bool       `json:"seen_in_training"`
	Hash           string     `json:"hash"`
	Mazes          []mazeFile `json:"mazes"`
}

type mazeFile struct {
	MazeID       string   `json:"maze_id"`
	Seed         uint64   `json:"seed,string"`
	LoopRatio    float64  `json:"loop_ratio"`
	Difficulty   string   `json:"difficulty"`
	ShortestPath int      `json:"shortest_path"`
	Hash         string   `json:"hash"`
	Title        string   `json:"title"`
	Tests        string   `json:"tests"`
	Rows         []string `json:"rows"`
}

var difficultyNames = map[domain.Difficulty]string{domain.DifficultyEasy: "EASY", domain.DifficultyMedium: "MEDIUM", domain.DifficultyHard: "HARD"}

func load(files fs.FS) (*Catalog, error) {
	c := &Catalog{byID: map[string]*domain.Maze{}, byHash: map[string]*domain.Maze{}}
	for _, id := range order {
		content, err := fs.ReadFile(files, id+".json")
		if err != nil {
			return nil, fmt.Errorf("read maze set %s: %w", id, err)
		}
		set, err := readSet(id, content)
		if err != nil {
			return nil, fmt.Errorf("read maze set %s: %w", id, err)
		}
		for _, m := range set.Mazes {
			if _, taken := c.byID[m.ID]; taken {
				return nil, fmt.Errorf("read maze set %s: maze %s exists twice", id, m.ID)
			}
			if other, taken := c.byHash[m.Hash()]; taken {
				return nil, fmt.Errorf("read maze set %s: maze %s is %s, rotated or mirrored", id, m.ID, other.ID)
			}
			c.byID[m.ID], c.byHash[m.Hash()] = m, m
		}
		c.sets = append(c.sets, set)
	}
	return c, nil
}

func readSet(id string, content []byte) (domain.MazeSet, error) {
	var f file
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return domain.MazeSet{}, err
	}
	if f.SetID != id {
		return domain.MazeSet{}, fmt.Errorf("it calls itself %q", f.SetID)
	}
	set := domain.MazeSet{ID: f.SetID, Description: f.Description, Rows: f.Rows, Cols: f.Cols, SeenInTraining: f.SeenInTraining, Hash: f.Hash, Mazes: make([]*domain.Maze, len(f.Mazes))}
	for i, written := range f.Mazes {
		m, err := readMaze(written)
		if err != nil {
			return domain.MazeSet{}, fmt.Errorf("maze %s: %w", written.MazeID, err)
		}
		m.SetID = id
		set.Mazes[i] = m
	}
	if got := domain.SetHash(set.Mazes); got != f.Hash {
		return domain.MazeSet{}, fmt.Errorf("its hash is %s and not %s", got, f.Hash)
	}
	slices.SortStableFunc(set.Mazes, func(a, b *domain.Maze) int { return cmp.Compare(a.ID, b.ID) })
	return set, nil
}

func readMaze(f mazeFile) (*domain.Maze, error) {
	m, problems := domain.ParseMaze(f.Rows)
	if problems != nil {
		return nil, problems[0].Err("rows")
	}
	if m.Hash() != f.Hash || m.ShortestPath() != f.ShortestPath || difficultyNames[m.Difficulty()] != f.Difficulty {
		return nil, fmt.Errorf("hash %s, shortest path %d and difficulty %s are not those of its rows", f.Hash, f.ShortestPath, f.Difficulty)
	}
	m.ID, m.Seed, m.LoopRatio, m.Title, m.Tests = f.MazeID, f.Seed, f.LoopRatio, f.Title, f.Tests
	return m, nil
}

// MazeSets returns every set in the fixed order.
func (c *Catalog) MazeSets() []domain.MazeSet { return c.sets }

// FindMaze returns the maze with that id.
func (c *Catalog) FindMaze(id string) (*domain.Maze, bool) {
	m, ok := c.byID[id]
	return m, ok
}

// FindMazeByHash returns the maze with that canonical hash.
func (c *Catalog) FindMazeByHash(hash string) (*domain.Maze, bool) {
	m, ok := c.byHash[hash]
	return m, ok
}
