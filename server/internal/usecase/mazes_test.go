package usecase

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// manyMazes is a catalog of 120 generated mazes.
func manyMazes() *memoryCatalog {
	c := &memoryCatalog{set: domain.MazeSet{ID: "heldout"}}
	for i := range 120 {
		m := domain.GenerateMaze(domain.GeneratorParams{Rows: 10, Cols: 10, Seed: uint64(i)})
		m.ID, m.SetID = fmt.Sprintf("heldout-%04d", i+1), c.set.ID
		c.set.Mazes = append(c.set.Mazes, m)
	}
	return c
}

func TestAllPagesTogetherAreTheSet(t *testing.T) {
	c := manyMazes()
	u := &ListMazes{Catalog: c}
	for _, difficulty := range []domain.Difficulty{domain.DifficultyAny, domain.DifficultyEasy, domain.DifficultyMedium, domain.DifficultyHard} {
		for _, size := range []int{0, 1, 7, 119, 120, 200} {
			var want, got []string
			for _, m := range c.set.Mazes {
				if difficulty == domain.DifficultyAny || m.Difficulty() == difficulty {
					want = append(want, m.ID)
				}
			}
			in := ListMazesInput{SetID: "heldout", PageSize: size, Difficulty: difficulty}
			for {
				out, err := u.Run(in)
				if err != nil {
					t.Fatal(err)
				}
				if most := max(size, 1); size > 0 && len(out.Mazes) > most || size == 0 && len(out.Mazes) > 50 {
					t.Fatalf("a page of %d has %d mazes", size, len(out.Mazes))
				}
				for _, m := range out.Mazes {
					got = append(got, m.ID)
				}
				if in.PageToken = out.NextPageToken; in.PageToken == "" {
					break
				}
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("difficulty %d, page size %d: %d mazes, want %d", difficulty, size, len(got), len(want))
			}
		}
	}
}

func TestPagesThatDoNotExistAreRefused(t *testing.T) {
	u := &ListMazes{Catalog: manyMazes()}
	first, err := u.Run(ListMazesInput{SetID: "heldout", Difficulty: domain.DifficultyEasy, PageSize: 2})
	if err != nil || first.NextPageToken == "" {
		t.Fatal(err)
	}
	for name, in := range map[string]ListMazesInput{
		"rubbish":        {SetID: "heldout", PageToken: "!"},
		"no token":       {SetID: "heldout", PageToken: "aGVsbG8"},
		"other listing":  {SetID: "heldout", PageToken: first.NextPageToken},
		"beyond the end": {SetID: "heldout", PageToken: pageToken(ListMazesInput{SetID: "heldout"}, 120)},
		"before":         {SetID: "heldout", PageToken: pageToken(ListMazesInput{SetID: "heldout"}, -1)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := u.Run(in)
			wantError(t, err, domain.CodeInvalidArgument, "page_token")
		})
	}
	_, err = u.Run(ListMazesInput{SetID: "none"})
	wantError(t, err, domain.CodeNotFound, "set_id")
	for _, size := range []int{-1, 201} {
		_, err = u.Run(ListMazesInput{SetID: "heldout", PageSize: size})
		wantError(t, err, domain.CodeInvalidArgument, "page_size")
	}
}

func FuzzPageTokensNeverBreakTheListing(f *testing.F) {
	u := &ListMazes{Catalog: manyMazes()}
	f.Add("")
	f.Add(pageToken(ListMazesInput{SetID: "heldout"}, 3))
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := u.Run(ListMazesInput{SetID: "heldout", PageToken: token}); err != nil {
			wantError(t, err, domain.CodeInvalidArgument, "page_token")
		}
	})
}

func TestMazesAreGivenByID(t *testing.T) {
	u := &GetMaze{Catalog: newMemoryCatalog(t)}
	if m, err := u.Run("puzzle-fork"); err != nil || m.ID != "puzzle-fork" {
		t.Errorf("%v, %v", m, err)
	}
	if m, err := u.Run("generated-12x10-42-30"); err != nil || m.ID != "generated-12x10-42-30" || m.Seed != 42 || m.LoopRatio != 0.3 {
		t.Errorf("%v, %v", m, err)
	}
	for _, id := range []string{"", "none", "generated-", "generated-12x10", "generated-2x10-1", "generated-012x10-1", "generated-12x10-1-0", "generated-12x10-1-101", "generated-10x10--1"} {
		_, err := u.Run(id)
		wantError(t, err, domain.CodeNotFound, "maze_id")
	}
}

func TestAGeneratedMazeIsFoundAgainByItsID(t *testing.T) {
	u := &GenerateMaze{Random: func() uint64 { return math.MaxUint64 }}
	get := &GetMaze{Catalog: newMemoryCatalog(t)}
	for _, c := range []struct {
		in GenerateMazeInput
		id string
	}{
		{GenerateMazeInput{}, "generated-10x10-18446744073709551615"},
		{GenerateMazeInput{Rows: 5, Seed: seedOf(0)}, "generated-5x5-0"},
		{GenerateMazeInput{Cols: 7, Seed: seedOf(1)}, "generated-10x7-1"},
		{GenerateMazeInput{Rows: 100, Cols: 3, Seed: seedOf(1), LoopRatio: 1}, "generated-100x3-1-100"},
		{GenerateMazeInput{Rows: 9, Seed: seedOf(2), LoopRatio: 0.125}, "generated-9x9-2-13"},
		{GenerateMazeInput{Rows: 9, Seed: seedOf(2), LoopRatio: 0.004}, "generated-9x9-2"},
	} {
		m, err := u.Run(c.in)
		if err != nil || m.ID != c.id {
			t.Errorf("%+v gives %v, %v; want %s", c.in, m, err, c.id)
			continue
		}
		if again, err := get.Run(m.ID); err != nil || strings.Join(again.Rows(), "\n") != strings.Join(m.Rows(), "\n") {
			t.Errorf("%s is another maze when it is asked for", m.ID)
		}
	}
	for field, in := range map[string]GenerateMazeInput{
		"rows": {Rows: 2}, "cols": {Cols: 101}, "loop_ratio": {LoopRatio: math.NaN()},
	} {
		_, err := u.Run(in)
		wantError(t, err, domain.CodeInvalidArgument, field)
	}
}

func TestADrawnMazeIsJudged(t *testing.T) {
	u := &CheckMaze{Catalog: newMemoryCatalog(t)}
	out, err := u.Run([]string{"....G", ".####", "....S"}) // puzzle-corridor, turned
	if err != nil || out.Problems != nil || out.Maze.ShortestPath() != 10 || out.KnownMazeID != "puzzle-corridor" {
		t.Errorf("%+v, %v", out, err)
	}
	out, err = u.Run([]string{"S..", "...", "..G"})
	if err != nil || out.Problems != nil || out.KnownMazeID != "" {
		t.Errorf("%+v, %v", out, err)
	}
	out, err = u.Run([]string{"S.S", "...", "..."})
	if err != nil || out.Maze != nil || len(out.Problems) != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	for _, rows := range [][]string{nil, {"S.G", "..."}, {"S.G", "...", "..x"}, {"S.G", "...", ".."}} {
		_, err := u.Run(rows)
		wantError(t, err, domain.CodeInvalidArgument, "maze.rows")
	}
}

func TestSetsAreListedAsTheCatalogHasThem(t *testing.T) {
	c := newMemoryCatalog(t)
	if sets := (&ListMazeSets{Catalog: c}).Run(); len(sets) != 1 || sets[0].ID != "puzzles" {
		t.Errorf("%v", sets)
	}
}
