package domain

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

// walk plays the actions, one a letter of "UDLR", in the maze.
func walk(t *testing.T, rows []string, actions string) *Episode {
	t.Helper()
	m, problems := ParseMaze(rows)
	if problems != nil {
		t.Fatal(problems)
	}
	e := NewEpisode(m)
	for _, letter := range actions {
		e.Apply(map[rune]Action{'U': ActionUp, 'D': ActionDown, 'L': ActionLeft, 'R': ActionRight}[letter])
	}
	return e
}

func TestAStepToACellOfBeforeIsARevisit(t *testing.T) {
	rows := []string{"S..", "#.#", "..G"}
	for actions, want := range map[string]int{
		"":      0,
		"R":     0,
		"U":     1, // a bump stays on the start
		"RL":    1,
		"RLR":   2,
		"RDDR":  0,
		"RRLDD": 1,
		"RRR":   1,
	} {
		if got := walk(t, rows, actions).Revisits(); got != want {
			t.Errorf("%q: %d revisits, want %d", actions, got, want)
		}
	}
}

func TestEpisodesAreSummedUpByDifficultyAndSize(t *testing.T) {
	corridor := []string{"S....", "####.", "G...."} // 3 × 5, ten steps, hard
	near := []string{"SG.", "...", "..."}           // 3 × 3, one step, easy
	groups, failed := SumUp([]*Episode{
		walk(t, near, "R"),
		walk(t, corridor, strings.Repeat("U", 2*3*5)),
		walk(t, near, "DUR"),
		walk(t, corridor, "RRRRDDLLLL"),
	})
	want := []EvaluationGroup{
		{Difficulty: DifficultyEasy, Rows: 3, Cols: 3, Tally: Tally{Episodes: 2, Successes: 2, Steps: 4, Revisits: 1, SPLSum: 1 + 1.0/3}},
		{Difficulty: DifficultyHard, Rows: 3, Cols: 5, Tally: Tally{Episodes: 2, Successes: 1, Steps: 40, Bumps: 30, Revisits: 30, SPLSum: 1}},
	}
	if !reflect.DeepEqual(groups, want) || !reflect.DeepEqual(failed, []int{1}) {
		t.Errorf("groups %+v, failed %v", groups, failed)
	}
	e := Evaluation{Groups: groups}
	total := e.Total()
	if total.Episodes != 4 || total.Rate() != 0.75 || total.MeanSteps() != 11 || total.BumpsPerEpisode() != 7.5 || total.RevisitRate() != 31.0/44 || math.Abs(total.SPL()-7.0/12) > 1e-15 {
		t.Errorf("total %+v", total)
	}
}

func TestGroupsAreMergedByWhatIsAskedFor(t *testing.T) {
	one := Tally{Episodes: 1, Successes: 1, Steps: 5, SPLSum: 1}
	e := Evaluation{Groups: []EvaluationGroup{
		{Difficulty: DifficultyEasy, Rows: 10, Cols: 10, Tally: one},
		{Difficulty: DifficultyEasy, Rows: 20, Cols: 20, Tally: one},
		{Difficulty: DifficultyHard, Rows: 10, Cols: 10, Tally: one},
	}}
	two := one.Plus(one)
	if got := e.ByDifficulty(); !reflect.DeepEqual(got, []EvaluationGroup{{Difficulty: DifficultyEasy, Tally: two}, {Difficulty: DifficultyHard, Tally: one}}) {
		t.Errorf("by difficulty %+v", got)
	}
	if got := e.BySize(); !reflect.DeepEqual(got, []EvaluationGroup{{Rows: 10, Cols: 10, Tally: two}, {Rows: 20, Cols: 20, Tally: one}}) {
		t.Errorf("by size %+v", got)
	}
}

func TestAMazeWithATitleIsAGroupOfItsOwn(t *testing.T) {
	titled := func(id string, rows []string, actions string) *Episode {
		e := walk(t, rows, actions)
		e.maze.ID, e.maze.Title = id, "A puzzle"
		return e
	}
	near := []string{"SG.", "...", "..."}
	groups, _ := SumUp([]*Episode{walk(t, near, "R"), titled("puzzle-b", near, "R"), titled("puzzle-a", near, "DUR"), walk(t, near, "R")})
	e := Evaluation{Groups: groups}
	want := []EvaluationGroup{
		{PuzzleID: "puzzle-a", Tally: Tally{Episodes: 1, Successes: 1, Steps: 3, Revisits: 1, SPLSum: 1.0 / 3}},
		{PuzzleID: "puzzle-b", Tally: Tally{Episodes: 1, Successes: 1, Steps: 1, SPLSum: 1}},
	}
	if got := e.ByPuzzle(); !reflect.DeepEqual(got, want) {
		t.Errorf("by puzzle %+v", got)
	}
	if got := e.BySize(); len(got) != 1 || got[0].Tally.Episodes != 4 || len(e.ByDifficulty()) != 1 || e.Total().Episodes != 4 {
		t.Errorf("by size %+v, by difficulty %+v", got, e.ByDifficulty())
	}
}

func TestOnlyTheFirstHundredFailuresAreNamed(t *testing.T) {
	failure := walk(t, []string{"SG.", "...", "..."}, strings.Repeat("U", 2*3*3))
	episodes := make([]*Episode, MostFailedMazes+7)
	for i := range episodes {
		episodes[i] = failure
	}
	groups, failed := SumUp(episodes)
	if len(failed) != MostFailedMazes || failed[99] != 99 || groups[0].Tally.Episodes != len(episodes) || groups[0].Tally.Successes != 0 {
		t.Errorf("%d are named of %+v", len(failed), groups)
	}
}

func TestTheBetterEvaluationComesFirst(t *testing.T) {
	row := func(id string, t Tally) Evaluation {
		return Evaluation{Policy: PolicyRef{ModelID: id}, Groups: []EvaluationGroup{{Difficulty: DifficultyEasy, Tally: t}}}
	}
	ordered := []Evaluation{
		row("all", Tally{Episodes: 10, Successes: 10, Steps: 100, SPLSum: 5}),
		row("short", Tally{Episodes: 10, Successes: 9, Steps: 300, SPLSum: 8}),
		row("quick", Tally{Episodes: 10, Successes: 9, Steps: 100, SPLSum: 4}),
		row("slow", Tally{Episodes: 10, Successes: 9, Steps: 200, SPLSum: 4}),
		row("slow-2", Tally{Episodes: 10, Successes: 9, Steps: 200, SPLSum: 4}),
	}
	for i := range ordered[1:] {
		if CompareEvaluations(ordered[i], ordered[i+1]) >= 0 || CompareEvaluations(ordered[i+1], ordered[i]) <= 0 {
			t.Errorf("%s does not come before %s", ordered[i].Policy.ModelID, ordered[i+1].Policy.ModelID)
		}
	}
}

func TestATallyOfNothingHasNoFigures(t *testing.T) {
	var none Tally
	if none.Rate() != 0 || none.SPL() != 0 || none.MeanSteps() != 0 || none.BumpsPerEpisode() != 0 || none.RevisitRate() != 0 {
		t.Errorf("figures of nothing: %+v", none)
	}
}
