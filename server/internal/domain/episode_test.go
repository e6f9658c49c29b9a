package domain

import (
	"testing"
)

// removeNaively is the removal as the law words it, over the whole grid until nothing changes.
func removeNaively(e *Episode, agent int) map[int]bool {
	removed := map[int]bool{}
	for changed := true; changed; {
		changed = false
		for _, at := range e.maze.openCells() {
			cell := int(at)
			if !e.cells[cell].seen || removed[cell] || cell == agent || cell == e.maze.goal {
				continue
			}
			counting := 0
			c := e.maze.cell(cell)
			for _, n := range [4]Cell{{c.Row - 1, c.Col}, {c.Row + 1, c.Col}, {c.Row, c.Col - 1}, {c.Row, c.Col + 1}} {
				if n.Row < 0 || n.Row >= e.maze.rows || n.Col < 0 || n.Col >= e.maze.cols {
					continue
				}
				next := e.maze.padded(n)
				if !e.cells[next].seen || !e.maze.wall[next] && !removed[next] {
					counting++
				}
			}
			if counting <= 1 {
				removed[cell] = true
				changed = true
			}
		}
	}
	return removed
}

// The incremental removal is that of the law at every step, for the agent and for every cell of the policy map.
func TestDeadEndsAreThoseOfTheLawAtEveryStep(t *testing.T) {
	baselines := []Baseline{BaselineRandom, BaselineLeastRecentlyVisited, BaselineMemoryHeuristic, BaselineNearestFrontier}
	count := 60
	if testing.Short() {
		count = 12
	}
	rescued := 0
	for seed := range uint64(count) {
		rng := NewSplitMix64(seed)
		m := GenerateMaze(GeneratorParams{Rows: 3 + rng.Below(12), Cols: 3 + rng.Below(12), Seed: seed, LoopPercent: rng.Below(60)})
		p, _ := NewBaselinePolicy(baselines[seed%uint64(len(baselines))], seed)
		e := NewEpisode(m)
		for e.Outcome() == OutcomeRunning && e.Steps() < 60 {
			for _, at := range m.openCells() {
				agent := int(at)
				want := removeNaively(e, agent)
				e.dead.rescue(e, agent)
				rescued += len(e.dead.saved)
				for _, other := range m.openCells() {
					if got := e.cells[other].marks&markDead != 0; got != want[int(other)] {
						t.Fatalf("seed %d, step %d, agent on %v: %v leads nowhere is %v\n%s", seed, e.Steps(), m.cell(agent), m.cell(int(other)), got, join(m.Rows()))
					}
				}
				e.dead.release(e)
			}
			a, _, _ := p.Decide(e)
			e.Apply(a)
		}
	}
	if rescued == 0 {
		t.Error("no dead end was ever stood in: the test tests nothing")
	}
}

func TestKnownDeadTellsWhatTheAgentKnows(t *testing.T) {
	e := NewEpisode(mustParse(t, []string{
		"..S..",
		".###.",
		".#.#.",
		".###.",
		"....G",
	}))
	if e.KnownDead(Cell{0, 0}) || e.KnownDead(Cell{-1, 0}) || e.KnownDead(Cell{9, 9}) {
		t.Error("a corridor is known as dead")
	}
	if !e.KnownDead(Cell{2, 2}) {
		t.Error("the chamber is not known as dead")
	}
}

func TestObservingAllocatesNothing(t *testing.T) {
	e := NewEpisode(GenerateMaze(GeneratorParams{Rows: 10, Cols: 10, Seed: 3}))
	p, _ := NewBaselinePolicy(BaselineLeastRecentlyVisited, 0)
	var o [ObservationLength]float32
	for range 30 {
		a, _, _ := p.Decide(e)
		e.Apply(a)
		for _, v := range []ObservationVersion{ObservationPlain, ObservationTrail, ObservationMemory} {
			if n := testing.AllocsPerRun(10, func() { e.Observe(v, &o) }); n != 0 {
				t.Fatalf("%s allocates %v times", v, n)
			}
		}
	}
}

func TestTheGoalOnTheLastStepIsAGoal(t *testing.T) {
	m := mustParse(t, []string{"S.G", "###", "###"})
	e := NewEpisode(m)
	for range m.MaxSteps() - 2 {
		if s := e.Apply(ActionUp); !s.HitWall || s.Reward != -6 || s.Outcome != OutcomeRunning {
			t.Fatalf("%+v", s)
		}
	}
	e.Apply(ActionRight)
	s := e.Apply(ActionRight)
	if s.Index != m.MaxSteps() || s.Outcome != OutcomeReachedGoal || s.Reward != 99 || s.Cumulative != 100-18-5*16 || e.SPL() != 2.0/18 {
		t.Errorf("%+v, SPL %v", s, e.SPL())
	}
	defer func() {
		if recover() == nil {
			t.Error("a step after the end was made")
		}
	}()
	e.Apply(ActionUp)
}

func TestAgesBeyondTheTableStayAtItsEnd(t *testing.T) {
	if trailAge(0) != -0.8 || trailAge(oldestAge) != -0.2 || trailAge(20000) != trailAge(oldestAge) {
		t.Errorf("ages are %v, %v, %v", trailAge(0), trailAge(oldestAge), trailAge(20000))
	}
	defer func() {
		if recover() == nil {
			t.Error("a table that is cut short was taken")
		}
	}()
	readTrailAges(make([]byte, 40000))
}

func TestEveryBaselineIsKnownAndOthersAreNot(t *testing.T) {
	for _, b := range Baselines() {
		if _, ok := NewBaselinePolicy(b, 1); !ok {
			t.Errorf("%s is unknown", b)
		}
	}
	for _, b := range []Baseline{BaselineNone, "genius"} {
		if _, ok := NewBaselinePolicy(b, 1); ok {
			t.Errorf("%q is known", b)
		}
	}
}

func TestLearnedFreeHeuristicsReachEveryGoal(t *testing.T) {
	for _, b := range []Baseline{BaselineTrailHeuristic, BaselineMemoryHeuristic, BaselineNearestFrontier, BaselineShortestPath} {
		for seed := range uint64(100) {
			e := NewEpisode(GenerateMaze(GeneratorParams{Rows: 10, Cols: 10, Seed: seed}))
			p, _ := NewBaselinePolicy(b, seed)
			for e.Outcome() == OutcomeRunning {
				a, _, _ := p.Decide(e)
				e.Apply(a)
			}
			if e.Outcome() != OutcomeReachedGoal || e.Bumps() > 0 {
				t.Errorf("%s on seed %d: %s with %d bumps", b, seed, e.Outcome(), e.Bumps())
			}
		}
	}
}

func TestTwinPlayIsThatOfPython(t *testing.T) {
	// What `python -m rlmaze_env twin-play --seed 7 --steps 20000` prints; `make conformance` compares a million steps.
	want := TwinPlay{Episodes: 390, Steps: 20020, Digest: "580187031b2cfdddf4c1e8e1ddaa0e8332b14071b7254574d0e774c1a381cb48"}
	if got := PlayTwin(7, 20_000); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
