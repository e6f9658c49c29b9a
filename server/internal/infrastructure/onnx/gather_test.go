package onnx

import (
	"sync"
	"testing"
)

func TestSimultaneousCallsGoThroughTheNetworkTogetherWithTheSameBits(t *testing.T) {
	loaded, err := openRuntime(t).LoadNetwork(rightFile().write())
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	n := loaded.(*network)
	if n.gatherer == nil {
		t.Skip("gathered rows have other bits than single ones on this processor, so nothing is gathered")
	}
	const callers, rounds = 2*mostRows + 1, 100 // more than one gathering holds
	var wait sync.WaitGroup
	for caller := range callers {
		wait.Go(func() {
			observation, scores, value := make([]float32, 25), make([]float32, 4), make([]float32, 1)
			observation[caller%25] = 1
			for range rounds {
				n.gatherer.company.Store(true) // as after a gathering that was joined
				if err := n.Infer(observation, scores, value); err != nil {
					t.Error(err)
					return
				}
				for action, score := range scores {
					if score != weight(caller%25, action) {
						t.Errorf("caller %d got the scores of another one", caller)
						return
					}
				}
			}
		})
	}
	wait.Wait()
	if n.gatherer.open != nil || n.gatherer.gathering.Load() {
		t.Error("a gathering was left open")
	}
	largest := 0
	for _, r := range n.gatherer.idle {
		for count, b := range r.bindings {
			if b != nil {
				largest = max(largest, count)
			}
		}
	}
	if largest < 2 {
		t.Error("no two of them went together")
	}
}

func TestALoneCallerIsNotMadeToWaitForCompany(t *testing.T) {
	g := &gatherer{}
	worthWhile := 0
	for range 10 * aloneRetry {
		if g.worthWhile() {
			worthWhile++
		}
	}
	if worthWhile != 10 {
		t.Errorf("looked for company %d times in %d calls, want every %d calls", worthWhile, 10*aloneRetry, aloneRetry)
	}
}
