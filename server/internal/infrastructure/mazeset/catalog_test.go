package mazeset

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rlmaze/rlmaze/ml/mazes"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

var _ domain.MazeCatalog = (*Catalog)(nil)

func TestCommittedSetsAreWhole(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	least := map[string]int{"training": 2000, "validation": 500, "heldout": 1000, "showcase": 12, "puzzles": 8, "large20": 50, "large30": 50, "large50": 50}
	for i, set := range c.MazeSets() {
		if set.ID != order[i] || len(set.Mazes) < least[set.ID] {
			t.Errorf("set %d is %s with %d mazes; want %s with at least %d", i, set.ID, len(set.Mazes), order[i], least[set.ID])
		}
		if set.SeenInTraining != (set.ID == "training") {
			t.Errorf("set %s: seen in training is %v", set.ID, set.SeenInTraining)
		}
		if !slices.IsSortedFunc(set.Mazes, func(a, b *domain.Maze) int { return strings.Compare(a.ID, b.ID) }) {
			t.Errorf("set %s is not in the order of its ids", set.ID)
		}
		for _, m := range set.Mazes {
			if rows, cols := m.Size(); set.Rows != 0 && (rows != set.Rows || cols != set.Cols) {
				t.Errorf("maze %s is %d × %d in a set of %d × %d", m.ID, rows, cols, set.Rows, set.Cols)
			}
			if m.SetID != set.ID {
				t.Errorf("maze %s is said to be of set %q", m.ID, m.SetID)
			}
			if set.ID == "puzzles" && m.Tests == "" {
				t.Errorf("puzzle %s does not say what it tests", m.ID)
			}
		}
	}
}

func TestMazesAreFoundByIDAndByHash(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	m, ok := c.FindMaze("heldout-0001")
	if !ok || m.ID != "heldout-0001" {
		t.Fatalf("heldout-0001 is %v", m)
	}
	if same, ok := c.FindMazeByHash(m.Hash()); !ok || same != m {
		t.Errorf("its hash finds %v", same)
	}
	if _, ok := c.FindMaze("heldout-9999"); ok {
		t.Error("an unknown id was found")
	}
	if _, ok := c.FindMazeByHash(""); ok {
		t.Error("an empty hash was found")
	}
}

// A change of any fact of a file stops the start and names the set.
func TestFilesThatContradictTheirMazesAreRefused(t *testing.T) {
	for name, change := range map[string][2]string{
		"unknown field":   {`"set_id"`, `"colour": 1, "set_id"`},
		"other set":       {`"set_id": "puzzles"`, `"set_id": "training"`},
		"wall moved":      {`"...#.......",`, `"....#......",`},
		"ragged rows":     {`"...#.......",`, `"...#......",`},
		"shortest path":   {`"shortest_path": 15`, `"shortest_path": 14`},
		"set hash":        {`"hash": "`, `"hash": "0`},
		"no JSON":         {`{`, `[`},
		"number for seed": {`"seed": "0"`, `"seed": "-1"`},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			for _, id := range order {
				content, err := fs.ReadFile(mazes.Files, id+".json")
				if err != nil {
					t.Fatal(err)
				}
				if id == "puzzles" {
					changed := strings.Replace(string(content), change[0], change[1], 1)
					if changed == string(content) {
						t.Fatalf("%q does not occur", change[0])
					}
					content = []byte(changed)
				}
				files[id+".json"] = &fstest.MapFile{Data: content}
			}
			if _, err := load(files); err == nil || !strings.Contains(err.Error(), "puzzles") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := load(fstest.MapFS{}); err == nil {
		t.Error("missing files were taken")
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}
