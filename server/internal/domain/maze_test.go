package domain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestDrawnMazesAreJudgedRuleByRule(t *testing.T) {
	tall := slices.Repeat([]string{"..."}, 98)
	for name, c := range map[string]struct {
		rows  []string
		rules string
		cells [][]Cell
	}{
		"good":                {[]string{"S..", ".#.", "..G"}, "", nil},
		"as large as allowed": {append(append([]string{"S.."}, tall...), "..G"), "", nil},
		"no rows":             {nil, "rows.size", [][]Cell{nil}},
		"too few rows":        {[]string{"S.G", "..."}, "rows.size", [][]Cell{nil}},
		"too many rows":       {append(append([]string{"S.."}, tall...), "...", "..G"), "rows.size", [][]Cell{nil}},
		"too few columns":     {[]string{"S.", "..", ".G"}, "rows.size", [][]Cell{nil}},
		"too many columns":    {[]string{"S..", "...", strings.Repeat(".", 101)}, "rows.size", [][]Cell{nil}},
		"an empty row":        {[]string{"S.G", "", "..."}, "rows.size", [][]Cell{nil}},
		"other characters":    {[]string{"S.s", ".A.", "..G"}, "rows.characters", [][]Cell{{{0, 2}, {1, 1}}}},
		"bytes of a letter":   {[]string{"Sé", "...", "..G"}, "rows.characters", [][]Cell{{{0, 1}, {0, 2}}}},
		"ragged":              {[]string{"S..", "....", "..G", "....."}, "rows.ragged", [][]Cell{{{1, 3}, {3, 3}}}},
		"ragged, no goal":     {[]string{"S..", "....", "..."}, "rows.ragged goal.missing", [][]Cell{{{1, 3}}, nil}},
		"no start":            {[]string{"...", "...", "..G"}, "start.missing", [][]Cell{nil}},
		"no goal":             {[]string{"S..", "...", "..."}, "goal.missing", [][]Cell{nil}},
		"neither":             {[]string{"...", "###", "..."}, "start.missing goal.missing", [][]Cell{nil, nil}},
		"two starts":          {[]string{"S.S", "...", "..G"}, "start.many", [][]Cell{{{0, 2}}}},
		"three goals":         {[]string{"S.G", "..G", "..G"}, "goal.many", [][]Cell{{{1, 2}, {2, 2}}}},
		"many of both":        {[]string{"SSG", "...", "..G"}, "start.many goal.many", [][]Cell{{{0, 1}}, {{2, 2}}}},
		"no way":              {[]string{"S#.", "##.", "..G"}, "goal.unreachable", [][]Cell{{{2, 2}}}},
		"only diagonally":     {[]string{"S##", "#.#", "##G"}, "goal.unreachable", [][]Cell{{{2, 2}}}},
	} {
		t.Run(name, func(t *testing.T) {
			m, problems := ParseMaze(c.rows)
			if (m == nil) != (problems != nil) || (m == nil) != (c.rules != "") {
				t.Fatalf("maze %v, problems %v", m, problems)
			}
			var rules []string
			for i, p := range problems {
				rules = append(rules, p.Rule)
				if p.Message == "" {
					t.Errorf("%s has no message", p.Rule)
				}
				if i < len(c.cells) && !slices.Equal(p.Cells, c.cells[i]) {
					t.Errorf("%s is at %v, want %v", p.Rule, p.Cells, c.cells[i])
				}
				if err := p.Err("maze.drawn.rows"); err.Code != CodeInvalidArgument || err.Field != "maze.drawn.rows" || err.Rule != p.Rule || err.Message != p.Message {
					t.Errorf("as an error it is %+v", err)
				}
			}
			if got := strings.Join(rules, " "); got != c.rules {
				t.Errorf("rules %q, want %q", got, c.rules)
			}
		})
	}
}

func TestFactsOfAMaze(t *testing.T) {
	m := mustParse(t, []string{
		"S.#..",
		"#...#",
		"..#.G",
	})
	rows, cols := m.Size()
	if rows != 3 || cols != 5 || m.Start() != (Cell{0, 0}) || m.Goal() != (Cell{2, 4}) || m.ShortestPath() != 6 || m.MaxSteps() != 30 || m.Difficulty() != DifficultyEasy {
		t.Errorf("size %d × %d, start %v, goal %v, shortest %d, limit %d, difficulty %d", rows, cols, m.Start(), m.Goal(), m.ShortestPath(), m.MaxSteps(), m.Difficulty())
	}
	for _, c := range []struct {
		cell Cell
		open bool
	}{{Cell{0, 0}, true}, {Cell{0, 2}, false}, {Cell{-1, 0}, false}, {Cell{0, 5}, false}, {Cell{3, 0}, false}, {Cell{2, 4}, true}} {
		if m.Open(c.cell) != c.open {
			t.Errorf("open(%v) is %v", c.cell, !c.open)
		}
	}
}

// turned is the maze rotated by a quarter; mirrored is its mirror image.
func turned(rows []string) []string {
	out := make([]string, len(rows[0]))
	for c := range out {
		line := make([]byte, len(rows))
		for r := range rows {
			line[len(rows)-1-r] = rows[r][c]
		}
		out[c] = string(line)
	}
	return out
}

func mirrored(rows []string) []string {
	out := slices.Clone(rows)
	slices.Reverse(out)
	return out
}

func TestAllEightImagesAreTheSameMaze(t *testing.T) {
	for _, size := range [][2]int{{3, 3}, {10, 10}, {3, 9}, {12, 5}, {7, 100}} {
		m := GenerateMaze(GeneratorParams{Rows: size[0], Cols: size[1], Seed: 11, LoopPercent: 10})
		rows := m.Rows()
		images := map[[32]byte]bool{}
		for range 2 {
			for range 4 {
				image := mustParse(t, rows)
				if image.Hash() != m.Hash() {
					t.Errorf("%v: an image has another hash", size)
				}
				images[image.RowsHash()] = true
				rows = turned(rows)
			}
			rows = mirrored(rows)
		}
		if len(images) < 4 {
			t.Errorf("%v: only %d images differ", size, len(images))
		}
	}
	if mustParse(t, []string{"S..", "...", "..G"}).Hash() == mustParse(t, []string{"S..", "...", ".G."}).Hash() {
		t.Error("two mazes have one hash")
	}
}

func TestGeneratedMazesKeepTheirDistance(t *testing.T) {
	for seed := range uint64(300) {
		p := GeneratorParams{Rows: 3 + int(seed%28), Cols: 3 + int(seed*7%28), Seed: seed, LoopPercent: int(seed % 3 * 15)}
		m := GenerateMaze(p)
		if rows, cols := m.Size(); rows != p.Rows || cols != p.Cols || m.ID != p.ID() || m.Seed != seed {
			t.Fatalf("%s is %d × %d", m.ID, rows, cols)
		}
		if p.Rows >= 10 && p.Cols >= 10 && m.ShortestPath() < max(p.Rows, p.Cols) {
			t.Errorf("%s has a way of %d steps", m.ID, m.ShortestPath())
		}
	}
}

func FuzzParseMaze(f *testing.F) {
	f.Add("S..\n.#.\n..G")
	f.Add("S..\n...\n...")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		rows := strings.Split(text, "\n")
		m, problems := ParseMaze(rows)
		if (m == nil) == (problems == nil) {
			t.Fatalf("maze %v and problems %v", m, problems)
		}
		if m == nil {
			return
		}
		if m.ShortestPath() < 1 || m.ShortestPath() >= m.MaxSteps() || len(m.Hash()) != 64 {
			t.Fatalf("shortest %d, hash %q", m.ShortestPath(), m.Hash())
		}
		e := NewEpisode(m)
		p, _ := NewBaselinePolicy(BaselineShortestPath, 0)
		var o [ObservationLength]float32
		for e.Outcome() == OutcomeRunning {
			a, _, _ := p.Decide(e)
			e.Apply(a)
			e.Observe(ObservationMemory, &o)
		}
		if e.Outcome() != OutcomeReachedGoal || e.Steps() != m.ShortestPath() || e.SPL() != 1 {
			t.Fatalf("%s after %d steps, SPL %v", e.Outcome(), e.Steps(), e.SPL())
		}
	})
}

func FuzzGeneratedMazeID(f *testing.F) {
	f.Add("generated-10x10-42-30")
	f.Add("generated-3x100-18446744073709551615")
	f.Add("generated-10x10-42-0")
	f.Fuzz(func(t *testing.T, id string) {
		p, ok := ParseGeneratedMazeID(id)
		if ok && (p.ID() != id || !p.Valid()) {
			t.Fatalf("%q is read as %+v", id, p)
		}
	})
}

func TestGeneratedMazeIDsHaveOneSpelling(t *testing.T) {
	for _, p := range []GeneratorParams{{3, 3, 0, 0}, {100, 3, 1, 100}, {10, 10, 18446744073709551615, 1}} {
		if got, ok := ParseGeneratedMazeID(p.ID()); !ok || got != p {
			t.Errorf("%s is read as %+v", p.ID(), got)
		}
	}
	for _, id := range []string{
		"", "generated-", "generated-10-1", "generated-10x10", "generated-10x10-", "generated-10x10-1-", "generated-10x10-1-0", "generated-10x10-1-101", "generated-10x10-1-5-5", "generated-010x10-1",
		"generated-10x10-01", "generated-10x10-+1", "generated-10x10-1-05", "generated-2x10-1", "generated-10x101-1", "generated-10x10-18446744073709551616", "generated-10x10x10-1", "Generated-10x10-1", "heldout-0001",
	} {
		if p, ok := ParseGeneratedMazeID(id); ok {
			t.Errorf("%q is read as %+v", id, p)
		}
	}
}

type oneMaze struct{ maze *Maze }

func (c oneMaze) MazeSets() []MazeSet { return nil }
func (c oneMaze) FindMaze(id string) (*Maze, bool) {
	return c.maze, id == c.maze.ID
}
func (c oneMaze) FindMazeByHash(string) (*Maze, bool) { return nil, false }

func TestAMazeIsFoundByWhatNamesIt(t *testing.T) {
	m := mustParse(t, []string{"S..", "...", "..G"})
	m.ID = "puzzle-one"
	c := oneMaze{m}
	if got, err := ResolveMaze(c, MazeRef{ID: "puzzle-one"}); err != nil || got != m {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := ResolveMaze(c, MazeRef{ID: "generated-5x7-3"}); err != nil || got.ID != "generated-5x7-3" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := ResolveMaze(c, MazeRef{Drawn: m.Rows()}); err != nil || got.ID != "" || got.Hash() != m.Hash() {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ResolveMaze(c, MazeRef{ID: "none"}); CodeOf(err) != CodeNotFound || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("%v", err)
	}
	if _, err := ResolveMaze(c, MazeRef{Drawn: []string{"S..", "...", "..."}}); fmt.Sprint(CodeOf(err)) != fmt.Sprint(CodeInvalidArgument) {
		t.Errorf("%v", err)
	}
}
