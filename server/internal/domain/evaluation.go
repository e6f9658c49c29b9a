package domain

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// MostFailedMazes that an evaluation names; how many there are follows from its figures.
const MostFailedMazes = 100

// Tally adds up finished episodes. Every figure that is shown follows from it, so two tallies of different mazes can be added.
type Tally struct {
	Episodes  int
	Successes int
	Steps     int
	Bumps     int
	Revisits  int     // see Episode.Revisits
	SPLSum    float64 // of Episode.SPL
}

// Plus is the tally of the episodes of both.
func (t Tally) Plus(other Tally) Tally {
	return Tally{
		Episodes:  t.Episodes + other.Episodes,
		Successes: t.Successes + other.Successes,
		Steps:     t.Steps + other.Steps,
		Bumps:     t.Bumps + other.Bumps,
		Revisits:  t.Revisits + other.Revisits,
		SPLSum:    t.SPLSum + other.SPLSum,
	}
}

// Rate is the share of successes, 0–1.
func (t Tally) Rate() float64 { return share(float64(t.Successes), t.Episodes) }

// SPL is the mean of success · shortest / max(shortest, steps), 0–1.
func (t Tally) SPL() float64 { return share(t.SPLSum, t.Episodes) }

// MeanSteps over all episodes, failed ones with their limit.
func (t Tally) MeanSteps() float64 { return share(float64(t.Steps), t.Episodes) }

// BumpsPerEpisode is the mean number of bumps.
func (t Tally) BumpsPerEpisode() float64 { return share(float64(t.Bumps), t.Episodes) }

// RevisitRate is the share of steps that were revisits, 0–1.
func (t Tally) RevisitRate() float64 { return share(float64(t.Revisits), t.Steps) }

func share(part float64, of int) float64 {
	if of == 0 {
		return 0
	}
	return part / float64(of)
}

// EvaluationGroup is the tally of the mazes of one difficulty and size, or of one puzzle.
type EvaluationGroup struct {
	Difficulty Difficulty // DifficultyAny where it does not count
	Rows, Cols int        // 0 where the size does not count
	PuzzleID   string     // of a maze with a title, which is a group of its own; empty for all others and where puzzles do not count
	Tally      Tally
}

// compareGroups orders by difficulty, then by size, then by puzzle.
func compareGroups(a, b EvaluationGroup) int {
	return cmp.Or(
		cmp.Compare(a.Difficulty, b.Difficulty), cmp.Compare(a.Rows, b.Rows), cmp.Compare(a.Cols, b.Cols), cmp.Compare(a.PuzzleID, b.PuzzleID),
	)
}

// Evaluation is what one policy reached on every maze of a set, greedy.
type Evaluation struct {
	Policy          PolicyRef // a model or a baseline, never empty
	ModelSHA256     string    // of the file that acted; empty for a baseline
	SetID           string
	SetHash         string
	Groups          []EvaluationGroup // one a difficulty, size and puzzle that the set has, in this order
	FailedPositions []int             // of the first MostFailedMazes failed mazes in the set, from 0, ascending
	MeanStep        time.Duration     // what a step cost: its batch's time divided by the batch's steps
	P95Step         time.Duration
	EvaluatedAt     time.Time
}

// SumUp makes groups and failed positions of the finished episodes of a set, in the order of its mazes. The order of adding is that of the set, so the
// same episodes come to the same bits whatever the order in which they were played.
func SumUp(episodes []*Episode) (groups []EvaluationGroup, failedPositions []int) {
	for position, e := range episodes {
		if e.outcome != OutcomeReachedGoal && len(failedPositions) < MostFailedMazes {
			failedPositions = append(failedPositions, position)
		}
		t := Tally{Episodes: 1, Steps: e.steps, Bumps: e.bumps, Revisits: e.revisits, SPLSum: e.SPL()}
		if e.outcome == OutcomeReachedGoal {
			t.Successes = 1
		}
		g := EvaluationGroup{Difficulty: e.maze.Difficulty(), Rows: e.maze.rows, Cols: e.maze.cols, Tally: t}
		if e.maze.Title != "" {
			g.PuzzleID = e.maze.ID
		}
		groups = addTo(groups, g)
	}
	slices.SortFunc(groups, compareGroups)
	return groups, failedPositions
}

// addTo adds the tally to the group of the same difficulty, size and puzzle, or appends one.
func addTo(groups []EvaluationGroup, g EvaluationGroup) []EvaluationGroup {
	for i := range groups {
		if compareGroups(groups[i], g) == 0 {
			groups[i].Tally = groups[i].Tally.Plus(g.Tally)
			return groups
		}
	}
	return append(groups, g)
}

// Total is the tally of the whole set.
func (e *Evaluation) Total() Tally {
	var total Tally
	for _, g := range e.Groups {
		total = total.Plus(g.Tally)
	}
	return total
}

// ByDifficulty has a group for each difficulty that the set has, easy first.
func (e *Evaluation) ByDifficulty() []EvaluationGroup {
	return e.merge(func(g *EvaluationGroup) { g.Rows, g.Cols, g.PuzzleID = 0, 0, "" })
}

// BySize has a group for each size that the set has, the smallest first.
func (e *Evaluation) BySize() []EvaluationGroup {
	return e.merge(func(g *EvaluationGroup) { g.Difficulty, g.PuzzleID = DifficultyAny, "" })
}

// ByPuzzle has a group for each puzzle that the set has, by id; none where mazes have no titles.
func (e *Evaluation) ByPuzzle() []EvaluationGroup {
	merged := e.merge(func(g *EvaluationGroup) { g.Difficulty, g.Rows, g.Cols = DifficultyAny, 0, 0 })
	return slices.DeleteFunc(merged, func(g EvaluationGroup) bool { return g.PuzzleID == "" })
}

// merge adds up the groups that forget makes alike.
func (e *Evaluation) merge(forget func(*EvaluationGroup)) []EvaluationGroup {
	var merged []EvaluationGroup
	for _, g := range e.Groups {
		forget(&g)
		merged = addTo(merged, g)
	}
	slices.SortFunc(merged, compareGroups)
	return merged
}

// CompareEvaluations orders evaluations of one set, the best first: by successes, then SPL, then mean steps; what is equal then by the policy's name.
func CompareEvaluations(a, b Evaluation) int {
	s, t := a.Total(), b.Total()
	return cmp.Or(
		cmp.Compare(t.Rate(), s.Rate()), cmp.Compare(t.SPL(), s.SPL()), cmp.Compare(s.MeanSteps(), t.MeanSteps()),
		cmp.Compare(a.Policy.ModelID, b.Policy.ModelID), cmp.Compare(a.Policy.Baseline, b.Policy.Baseline),
	)
}

// EvaluationStore keeps the newest evaluation of each policy on each content of a set. PostgreSQL implements it.
// Every method may return an error of CodeUnavailable.
type EvaluationStore interface {
	// SaveEvaluation writes the evaluation, whole or not at all, over the one of the same policy and set hash. ErrModelNotFound when its model
	// is not registered.
	SaveEvaluation(ctx context.Context, e Evaluation) error
	// ListEvaluations returns the evaluations on that content of a set: those of models by id, then those of baselines by name.
	ListEvaluations(ctx context.Context, setHash string) ([]Evaluation, error)
}
