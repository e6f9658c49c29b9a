package domain

import (
	"fmt"
	"math"
)

// ObservationVersion names one of the three encodings of the law, §5.
type ObservationVersion string

// The observation versions.
const (
	ObservationPlain  ObservationVersion = "plain/1"
	ObservationTrail  ObservationVersion = "trail/1"
	ObservationMemory ObservationVersion = "memory/1"
)

// Valid says whether the version is one of the three.
func (v ObservationVersion) Valid() bool {
	return v == ObservationPlain || v == ObservationTrail || v == ObservationMemory
}

// Action is one of the four moves, numbered as the network's outputs: UP 0, DOWN 1, LEFT 2, RIGHT 3.
type Action uint8

// The actions.
const (
	ActionUp Action = iota
	ActionDown
	ActionLeft
	ActionRight
)

// Baseline is a policy that was not learned; see the law, §7.
type Baseline string

// The baselines; the empty string is none.
const (
	BaselineNone                 Baseline = ""
	BaselineRandom               Baseline = "random"
	BaselineWallFollower         Baseline = "wall_follower"
	BaselineLeastRecentlyVisited Baseline = "least_recently_visited"
	BaselineTrailHeuristic       Baseline = "trail_heuristic"
	BaselineMemoryHeuristic      Baseline = "memory_heuristic"
	BaselineNearestFrontier      Baseline = "nearest_frontier"
	BaselineShortestPath         Baseline = "shortest_path"
)

// Baselines are all seven, in the order of the contract.
func Baselines() []Baseline {
	return []Baseline{
		BaselineRandom, BaselineWallFollower, BaselineLeastRecentlyVisited, BaselineTrailHeuristic, BaselineMemoryHeuristic,
		BaselineNearestFrontier, BaselineShortestPath,
	}
}

// PolicyRef names who acts: a baseline, or a model, or the active model where both are empty.
type PolicyRef struct {
	ModelID  string
	Baseline Baseline
}

// Sampling says how an action follows from scores: greedy when Temperature is 0, else softmax (law, §6).
type Sampling struct {
	Temperature float64
}

// Outcome says how an episode ended.
type Outcome string

// The outcomes.
const (
	OutcomeRunning     Outcome = ""
	OutcomeReachedGoal Outcome = "reached_goal"
	OutcomeStepLimit   Outcome = "step_limit"
)

// ActionScores is what a network said about one observation. Kind is empty for a baseline, which says nothing.
type ActionScores struct {
	Kind       ScoreKind
	Values     [4]float32
	StateValue float32
}

// qUnit is what temperatures are measured in for Q-values: those of neighbouring actions differ by about one step's reward.
const qUnit = 0.01

// softmax fills p with unnormalised probabilities and returns their sum, taken in order.
func (s *ActionScores) softmax(temperature float64, p *[4]float64) float64 {
	if s.Kind == ScoreKindQValue {
		temperature *= qUnit
	}
	highest := math.Inf(-1)
	for i, v := range s.Values {
		p[i] = float64(v) / temperature
		highest = max(highest, p[i])
	}
	sum := 0.0
	for i := range p {
		p[i] = math.Exp(p[i] - highest)
		sum += p[i]
	}
	return sum
}

// Probabilities are those of softmax with temperature 1, as they are shown.
func (s *ActionScores) Probabilities() [4]float32 {
	var p [4]float64
	sum := s.softmax(1, &p)
	var shown [4]float32
	for i := range p {
		shown[i] = float32(p[i] / sum)
	}
	return shown
}

// Choose returns the action that follows from the scores for the step (from 1) to be made.
func (s *ActionScores) Choose(sampling Sampling, seed uint64, step int) Action {
	if sampling.Temperature == 0 {
		best := 0
		for i := 1; i < 4; i++ {
			if s.Values[i] > s.Values[best] {
				best = i
			}
		}
		return Action(best)
	}
	var p [4]float64
	u := Unit(seed, step) * s.softmax(sampling.Temperature, &p)
	running := 0.0
	for i := range 3 {
		running += p[i]
		if running > u {
			return Action(i)
		}
	}
	return ActionRight
}

// Policy decides the next action of an episode. It may keep buffers and state that follow from the episode's past, so each episode has its own.
type Policy interface {
	// Decide returns the action for the step after e.Steps() and the scores that it was chosen from. It does not change the episode.
	Decide(e *Episode) (Action, ActionScores, error)
}

// NetworkPolicy acts by the scores of a network.
type NetworkPolicy struct {
	network     Network
	observation ObservationVersion
	kind        ScoreKind
	sampling    Sampling
	seed        uint64

	input  [ObservationLength]float32
	scores [4]float32
	value  [1]float32
}

// NewNetworkPolicy makes the policy of one episode.
func NewNetworkPolicy(network Network, m *Model, sampling Sampling, seed uint64) *NetworkPolicy {
	return &NetworkPolicy{network: network, observation: m.Observation, kind: m.ScoreKind, sampling: sampling, seed: seed}
}

// Decide observes, infers and chooses. It allocates nothing.
func (p *NetworkPolicy) Decide(e *Episode) (Action, ActionScores, error) {
	e.Observe(p.observation, &p.input)
	if err := p.network.Infer(p.input[:], p.scores[:], p.value[:]); err != nil {
		return 0, ActionScores{}, fmt.Errorf("infer step %d: %w", e.Steps()+1, err)
	}
	scores := ActionScores{Kind: p.kind, Values: p.scores, StateValue: p.value[0]}
	return scores.Choose(p.sampling, p.seed, e.Steps()+1), scores, nil
}

// PolicyMap holds, for every open cell, what the policy would do if the agent stood there now.
type PolicyMap struct {
	AtStep      int
	Kind        ScoreKind
	Cells       []int32   // flat indexes row · cols + col, ascending
	Values      []float32 // four a cell
	StateValues []float32 // one a cell
}

// mapBatch is how many cells are scored in one call: enough to make the call's cost vanish, small enough to bound the memory of a 100 × 100 maze.
const mapBatch = 2048

// MapPolicy scores every open cell of the episode's maze at the present moment.
func MapPolicy(e *Episode, network Network, m *Model) (*PolicyMap, error) {
	cells := e.maze.openCells()
	n := len(cells)
	pm := &PolicyMap{AtStep: e.Steps(), Kind: m.ScoreKind, Cells: make([]int32, n), Values: make([]float32, 4*n), StateValues: make([]float32, n)}
	input := make([]float32, ObservationLength*min(n, mapBatch))
	for from := 0; from < n; from += mapBatch {
		to := min(from+mapBatch, n)
		for i := from; i < to; i++ {
			at := int(cells[i])
			c := e.maze.cell(at)
			pm.Cells[i] = int32(c.Row*e.maze.cols + c.Col)
			e.observeAt(at, m.Observation, (*[ObservationLength]float32)(input[ObservationLength*(i-from):]))
		}
		if err := network.Infer(input[:ObservationLength*(to-from)], pm.Values[4*from:4*to], pm.StateValues[from:to]); err != nil {
			return nil, fmt.Errorf("infer map at step %d: %w", e.Steps(), err)
		}
	}
	return pm, nil
}
