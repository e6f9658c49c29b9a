package domain

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"testing"

	"github.com/rlmaze/rlmaze/ml/conformance"
)

// readCases decodes the cases of one file of the law, §8.
func readCases[T any](t *testing.T, name string) []T {
	t.Helper()
	b, err := conformance.Cases.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []T }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s holds no cases", name)
	}
	return file.Cases
}

// digits turns a trace of one digit an action into actions.
func digits(trace string) []Action {
	actions := make([]Action, len(trace))
	for i := range trace {
		actions[i] = Action(trace[i] - '0')
	}
	return actions
}

func mustParse(t testing.TB, rows []string) *Maze {
	t.Helper()
	m, problems := ParseMaze(rows)
	if problems != nil {
		t.Fatalf("maze %q: %v", rows, problems)
	}
	return m
}

// observations are the three of one moment, as the files spell them.
type observations struct {
	Plain  string `json:"plain/1"`
	Trail  string `json:"trail/1"`
	Memory string `json:"memory/1"`
}

func spell(o *[ObservationLength]float32) string {
	b := make([]byte, 0, 4*ObservationLength)
	for _, v := range o {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return hex.EncodeToString(b)
}

func observeAll(e *Episode, at int) observations {
	var o observations
	var view [ObservationLength]float32
	e.observeAt(at, ObservationPlain, &view)
	o.Plain = spell(&view)
	e.observeAt(at, ObservationTrail, &view)
	o.Trail = spell(&view)
	e.observeAt(at, ObservationMemory, &view)
	o.Memory = spell(&view)
	return o
}

func TestRandomNumbersAreThoseOfTheLaw(t *testing.T) {
	type drawn struct{ N, Value int }
	for _, c := range readCases[struct {
		Seed  uint64 `json:",string"`
		Next  []string
		Below []drawn
		Draw  []string
		Unit  []float64
	}](t, "rng.json") {
		g := NewSplitMix64(c.Seed)
		for i, want := range c.Next {
			if got := strconv.FormatUint(g.Next(), 10); got != want {
				t.Errorf("seed %d: next %d is %s, want %s", c.Seed, i, got, want)
			}
		}
		g = NewSplitMix64(c.Seed)
		for _, want := range c.Below {
			if got := g.Below(want.N); got != want.Value {
				t.Errorf("seed %d: below(%d) is %d, want %d", c.Seed, want.N, got, want.Value)
			}
		}
		for step, want := range c.Draw {
			if got := strconv.FormatUint(Draw(c.Seed, step), 10); got != want {
				t.Errorf("seed %d: draw %d is %s, want %s", c.Seed, step, got, want)
			}
			if got := Unit(c.Seed, step); got != c.Unit[step] {
				t.Errorf("seed %d: unit %d is %v, want %v", c.Seed, step, got, c.Unit[step])
			}
		}
	}
}

var difficultyNames = map[Difficulty]string{DifficultyEasy: "EASY", DifficultyMedium: "MEDIUM", DifficultyHard: "HARD"}

func TestGeneratedMazesAreThoseOfTheLaw(t *testing.T) {
	for _, c := range readCases[struct {
		Rows, Cols   int
		Seed         uint64  `json:",string"`
		LoopRatio    float64 `json:"loop_ratio"`
		Maze         []string
		ShortestPath int `json:"shortest_path"`
		Difficulty   string
		Hash         string
	}](t, "generator.json") {
		p := GeneratorParams{Rows: c.Rows, Cols: c.Cols, Seed: c.Seed, LoopPercent: LoopPercentOf(c.LoopRatio)}
		m := GenerateMaze(p)
		if got, want := join(m.Rows()), join(c.Maze); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", p.ID(), got, want)
		}
		if m.ShortestPath() != c.ShortestPath || difficultyNames[m.Difficulty()] != c.Difficulty || m.Hash() != c.Hash {
			t.Errorf("%s: shortest %d, difficulty %s, hash %s; want %d, %s, %s", p.ID(), m.ShortestPath(), difficultyNames[m.Difficulty()], m.Hash(), c.ShortestPath, c.Difficulty, c.Hash)
		}
	}
}

func join(rows []string) string {
	s := ""
	for _, row := range rows {
		s += row + "\n"
	}
	return s
}

func TestEpisodesAreThoseOfTheLaw(t *testing.T) {
	type step struct {
		observations
		Position   int
		HitWall    bool `json:"hit_wall"`
		Reward     int  `json:"reward_hundredths"`
		Cumulative int  `json:"cumulative_hundredths"`
		End        string
	}
	ends := map[Outcome]string{OutcomeRunning: "", OutcomeReachedGoal: "terminated", OutcomeStepLimit: "truncated"}
	for i, c := range readCases[struct {
		Rows    []string
		Actions string
		Start   observations
		Steps   []step
	}](t, "episodes.json") {
		m := mustParse(t, c.Rows)
		e := NewEpisode(m)
		if got := observeAll(e, e.position); got != c.Start {
			t.Errorf("case %d: observations at the start are %v, want %v", i, got, c.Start)
		}
		if len(c.Steps) != len(c.Actions) {
			t.Fatalf("case %d has %d steps for %d actions", i, len(c.Steps), len(c.Actions))
		}
		for k, a := range digits(c.Actions) {
			s, want := e.Apply(a), c.Steps[k]
			got := step{observeAll(e, e.position), s.Position.Row*m.cols + s.Position.Col, s.HitWall, s.Reward, s.Cumulative, ends[s.Outcome]}
			if got != want {
				t.Fatalf("case %d step %d: %+v, want %+v", i, k+1, got, want)
			}
		}
	}
}

func TestPolicyMapInputsAreThoseOfTheLaw(t *testing.T) {
	type mapped struct {
		observations
		Row, Col int
	}
	for i, c := range readCases[struct {
		Rows    []string
		Actions string
		Cells   []mapped
	}](t, "policy_map.json") {
		m := mustParse(t, c.Rows)
		e := NewEpisode(m)
		for _, a := range digits(c.Actions) {
			e.Apply(a)
		}
		before := observeAll(e, e.position)
		cells := m.openCells()
		if len(cells) != len(c.Cells) {
			t.Fatalf("case %d: %d open cells, want %d", i, len(cells), len(c.Cells))
		}
		for k, want := range c.Cells {
			at := int(cells[k])
			if got := (mapped{observeAll(e, at), m.cell(at).Row, m.cell(at).Col}); got != want {
				t.Errorf("case %d cell %d: %+v, want %+v", i, k, got, want)
			}
		}
		if after := observeAll(e, e.position); after != before {
			t.Errorf("case %d: mapping changed the agent's own observation", i)
		}
	}
}

func TestBaselinesPlayAsTheLawSays(t *testing.T) {
	type play struct {
		Baseline string
		Actions  string
		Outcome  string
		Steps    int
		Bumps    int
		SPL      float64
	}
	names := map[string]Baseline{
		"RANDOM": BaselineRandom, "WALL_FOLLOWER": BaselineWallFollower, "LEAST_RECENTLY_VISITED": BaselineLeastRecentlyVisited, "TRAIL_HEURISTIC": BaselineTrailHeuristic,
		"MEMORY_HEURISTIC": BaselineMemoryHeuristic, "NEAREST_FRONTIER": BaselineNearestFrontier, "SHORTEST_PATH": BaselineShortestPath,
	}
	for i, c := range readCases[struct {
		Rows  []string
		Seed  uint64 `json:",string"`
		Plays []play
	}](t, "baselines.json") {
		if len(c.Plays) != len(Baselines()) {
			t.Errorf("case %d has %d plays", i, len(c.Plays))
		}
		for _, want := range c.Plays {
			p, ok := NewBaselinePolicy(names[want.Baseline], c.Seed)
			if !ok {
				t.Fatalf("no baseline %s", want.Baseline)
			}
			e := NewEpisode(mustParse(t, c.Rows))
			for e.Outcome() == OutcomeRunning {
				a, scores, err := p.Decide(e)
				if err != nil || scores != (ActionScores{}) {
					t.Fatalf("case %d %s: scores %v, error %v", i, want.Baseline, scores, err)
				}
				e.Apply(a)
			}
			trace := make([]byte, e.Steps())
			for k, a := range e.Actions() {
				trace[k] = '0' + a
			}
			got := play{want.Baseline, string(trace), string(e.Outcome()), e.Steps(), e.Bumps(), e.SPL()}
			if got != want {
				t.Errorf("case %d: %+v, want %+v", i, got, want)
			}
		}
	}
}

func TestActionsFollowFromScoresAsTheLawSays(t *testing.T) {
	for i, c := range readCases[struct {
		Scores      [4]float32
		Kind        ScoreKind
		Temperature float64
		Seed        uint64 `json:",string"`
		Step        int
		Action      Action
	}](t, "sampling.json") {
		s := ActionScores{Kind: c.Kind, Values: c.Scores}
		if got := s.Choose(Sampling{Temperature: c.Temperature}, c.Seed, c.Step); got != c.Action {
			t.Errorf("case %d: action %d, want %d (%+v)", i, got, c.Action, c)
		}
	}
}

func TestDigestsAreThoseOfTheLaw(t *testing.T) {
	for _, c := range readCases[struct {
		Actions string
		Digest  uint64 `json:",string"`
	}](t, "digests.json") {
		actions := make([]byte, len(c.Actions))
		for i, a := range digits(c.Actions) {
			actions[i] = byte(a)
		}
		if got := ActionsDigest(actions); got != c.Digest {
			t.Errorf("digest of %q is %d, want %d", c.Actions, got, c.Digest)
		}
	}
}
