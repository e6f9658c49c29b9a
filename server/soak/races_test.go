package soak

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

const racePace = 30 // ticks a second

// watched is what one viewer of races saw.
type watched struct {
	races, ticks, steps int
	ages                []time.Duration // of the steps, when they came
	err                 error
}

// TestACrowdOfRacesMissesNoTick watches races of four lanes, a model greedy and sampled and two baselines, and requires whole ticks, each once.
func TestACrowdOfRacesMissesNoTick(t *testing.T) {
	viewers, window := 40, 4*time.Second
	if measured.Quiet() {
		viewers, window = 250, time.Minute
	}
	url, _ := start(t, build(t, "./server/cmd/rlmaze"))
	for name, set := range map[string]func(*http.Protocols){"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) }, "h2c": func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }} {
		t.Run(name, func(t *testing.T) {
			protocols := new(http.Protocols)
			set(protocols)
			transport := &http.Transport{Protocols: protocols}
			defer transport.CloseIdleConnections()
			client := inferencev1connect.NewInferenceServiceClient(&http.Client{Transport: transport}, url)
			ctx, cancel := context.WithCancel(t.Context()) // a deadline would be the server's, too, which ends streams by it
			defer cancel()
			defer time.AfterFunc(window, cancel).Stop()
			all := make([]watched, viewers)
			var watching sync.WaitGroup
			for i := range all {
				watching.Go(func() {
					for n := i; ctx.Err() == nil && all[i].err == nil; n += viewers {
						all[i].err = all[i].watch(ctx, client, n)
					}
				})
			}
			watching.Wait()
			var sum watched
			for i := range all {
				if all[i].err != nil {
					t.Errorf("viewer %d: %v", i, all[i].err)
				}
				sum.races, sum.ticks, sum.steps = sum.races+all[i].races, sum.ticks+all[i].ticks, sum.steps+all[i].steps
				sum.ages = append(sum.ages, all[i].ages...)
			}
			if len(sum.ages) == 0 {
				t.Fatal("nobody saw a step")
			}
			slices.Sort(sum.ages)
			p99 := sum.ages[len(sum.ages)*99/100]
			if p99 > measured.Limit(200*time.Millisecond) {
				t.Errorf("p99 of the steps is %v old", p99)
			}
			t.Logf("%d races of four lanes at once, %v: %d ticks with %d steps, %d races to their end; steps p50 %v, p99 %v old",
				viewers, window, sum.ticks, sum.steps, sum.races, sum.ages[len(sum.ages)/2].Round(10*time.Microsecond), p99.Round(10*time.Microsecond))
		})
	}
}

// watch follows one race to its end, or to the end of the window, which is no error.
func (w *watched) watch(ctx context.Context, client inferencev1connect.InferenceServiceClient, n int) error {
	byBaseline := func(b inferencev1.Baseline) *inferencev1.RaceLane {
		return &inferencev1.RaceLane{Policy: &inferencev1.PolicyRef{Policy: &inferencev1.PolicyRef_Baseline{Baseline: b}}}
	}
	stream, err := client.RunRace(ctx, &inferencev1.RunRaceRequest{
		Maze: &mazev1.MazeRef{Maze: &mazev1.MazeRef_MazeId{MazeId: fmt.Sprintf("heldout-%04d", 1+n%1000)}},
		Seed: proto.Uint64(uint64(n)), StepsPerSecond: racePace, //nolint:gosec // not negative
		Lanes: []*inferencev1.RaceLane{
			{},
			{Sampling: &inferencev1.Sampling{Sampling: &inferencev1.Sampling_Softmax{Softmax: &inferencev1.Softmax{Temperature: 1}}}},
			byBaseline(inferencev1.Baseline_BASELINE_NEAREST_FRONTIER), byBaseline(inferencev1.Baseline_BASELINE_WALL_FOLLOWER),
		},
	})
	if err != nil {
		return unlessOver(ctx, err)
	}
	defer func() { _ = stream.Close() }()
	seen, ended, tick := make([]int, 4), make([]bool, 4), 0
	finished := false
	for stream.Receive() {
		now := time.Now()
		last := tick
		for _, lane := range stream.Msg().GetSteps().GetLanes() {
			l := lane.GetLane()
			for _, step := range lane.GetSteps() {
				if ended[l] || int(step.GetIndex()) != seen[l]+1 {
					return fmt.Errorf("race %d: step %d of lane %d came after step %d", n, step.GetIndex(), l, seen[l])
				}
				seen[l]++
				w.steps++
				w.ages = append(w.ages, now.Sub(step.GetServerTs().AsTime()))
			}
			ended[l] = lane.GetFinished() != nil
			last = max(last, seen[l])
		}
		w.ticks += last - tick
		tick = last
		for l := range seen {
			if !ended[l] && seen[l] != tick {
				return fmt.Errorf("race %d: after tick %d lane %d has %d steps", n, tick, l, seen[l])
			}
		}
		finished = finished || stream.Msg().GetFinished() != nil
	}
	if err := stream.Err(); err != nil {
		return unlessOver(ctx, err)
	}
	if !finished {
		return fmt.Errorf("race %d ended without its result", n)
	}
	w.races++
	return nil
}

// unlessOver is nil after the end of the window, which cuts every stream.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
