package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
)

// parity is what PyTorch answered at the export.
type parity struct {
	Tolerance float64  `json:"tolerance"`
	Vectors   []vector `json:"vectors"`
}

type vector struct {
	Observation  []float32 `json:"observation"`
	ActionScores []float32 `json:"action_scores"`
	StateValue   float32   `json:"state_value"`
}

// readParity reads a parity file and refuses one that would prove nothing.
func readParity(path string) (parity, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return parity{}, fmt.Errorf("read the parity vectors: %w", err)
	}
	var p parity
	if err := json.Unmarshal(content, &p); err != nil {
		return parity{}, fmt.Errorf("read the parity vectors: %w", err)
	}
	if len(p.Vectors) == 0 || p.Tolerance <= 0 {
		return parity{}, fmt.Errorf("parity.json proves nothing: %d vectors, tolerance %g", len(p.Vectors), p.Tolerance)
	}
	for i, v := range p.Vectors {
		if len(v.Observation) != observationLength || len(v.ActionScores) != actionCount {
			return parity{}, fmt.Errorf("vector %d has %d observation values and %d scores instead of %d and %d",
				i, len(v.Observation), len(v.ActionScores), observationLength, actionCount)
		}
	}
	return p, nil
}

// agreement says how close two runtimes are on the same observations.
type agreement struct {
	vectors    int
	sameAction int
	scores     float64 // largest difference of a score
	values     float64 // largest difference of a state value
}

// replay asks the network about every vector, each by itself: so the server asks.
func replay(n *network, p parity) (a agreement, err error) {
	one, err := n.bind(1)
	if err != nil {
		return a, err
	}
	defer one.destroy()
	a.vectors = len(p.Vectors)
	for i, v := range p.Vectors {
		copy(one.input, v.Observation)
		if err := one.run(); err != nil {
			return a, fmt.Errorf("vector %d: %w", i, err)
		}
		for action, score := range one.scores {
			a.scores = larger(a.scores, score, v.ActionScores[action])
		}
		a.values = larger(a.values, one.values[0], v.StateValue)
		if best(one.scores) == best(v.ActionScores) {
			a.sameAction++
		}
	}
	return a, nil
}

// larger returns the larger of a difference so far and that of two numbers. What is no number counts as infinitely far apart.
func larger(soFar float64, got, want float32) float64 {
	difference := math.Abs(float64(got) - float64(want))
	if math.IsNaN(difference) {
		return math.Inf(1)
	}
	return math.Max(soFar, difference)
}

// best is the index of the largest score, the first of equals.
func best(scores []float32) int {
	found := 0
	for i, score := range scores {
		if score > scores[found] {
			found = i
		}
	}
	return found
}

// within tells whether the network may be used.
func (a agreement) within(tolerance float64) error {
	switch {
	case a.sameAction < a.vectors:
		return fmt.Errorf("another action is best on %d of %d vectors", a.vectors-a.sameAction, a.vectors)
	case a.scores > tolerance || a.values > tolerance:
		return fmt.Errorf("the outputs differ by %.1e, allowed is %.0e", math.Max(a.scores, a.values), tolerance)
	}
	return nil
}
