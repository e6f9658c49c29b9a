package main

import (
	"testing"
	"time"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
)

func steps(indexes ...int32) *inferencev1.RunEpisodeResponse {
	message := &inferencev1.EpisodeSteps{}
	for _, index := range indexes {
		message.Steps = append(message.Steps, &inferencev1.Step{Index: index})
	}
	return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Steps{Steps: message}}
}

func finished(after int32) *inferencev1.RunEpisodeResponse {
	return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Finished{Finished: &inferencev1.EpisodeFinished{Steps: after}}}
}

func TestViewerNoticesEveryStepThatIsNotWhereItBelongs(t *testing.T) {
	for name, test := range map[string]struct {
		messages []*inferencev1.RunEpisodeResponse
		want     int64
	}{
		"all there":             {[]*inferencev1.RunEpisodeResponse{steps(1), steps(2, 3), finished(3)}, 0},
		"one lost":              {[]*inferencev1.RunEpisodeResponse{steps(1), steps(3), finished(3)}, 1},
		"the first lost":        {[]*inferencev1.RunEpisodeResponse{steps(2), finished(2)}, 1},
		"the last lost":         {[]*inferencev1.RunEpisodeResponse{steps(1, 2), finished(3)}, 1},
		"one doubled":           {[]*inferencev1.RunEpisodeResponse{steps(1), steps(1, 2), finished(2)}, 1},
		"two exchanged":         {[]*inferencev1.RunEpisodeResponse{steps(2, 1), finished(2)}, 3},
		"an end without a step": {[]*inferencev1.RunEpisodeResponse{finished(1)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			v := &viewer{audience: &audience{}, expected: 1}
			for _, message := range test.messages {
				v.receive(message)
			}
			if got := v.audience.outOfOrder.Load(); got != test.want {
				t.Errorf("out of order: got %d, want %d", got, test.want)
			}
		})
	}
}

func TestDistributionNamesTheSampleAtEachShare(t *testing.T) {
	var samples []time.Duration
	for i := 1000; i >= 1; i-- {
		samples = append(samples, time.Duration(i)*time.Millisecond)
	}
	want := distribution{Mean: 500.5, P50: 501, P95: 951, P99: 991, Max: 1000}
	if got := distributionOf(samples); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOnlyLoopbackIsLoaded(t *testing.T) {
	s := settings{target: "rlmaze", protocol: "http1", viewers: 1, clients: 1, window: time.Second}
	for address, allowed := range map[string]bool{
		"http://127.0.0.1:8080":   true,
		"http://localhost:8080":   true,
		"http://[::1]:8080":       true,
		"http://192.0.2.7:8080":   false,
		"http://maze.example.com": false,
	} {
		s.url = address
		if err := s.check(); (err == nil) != allowed {
			t.Errorf("%s: got %v, want allowed %v", address, err, allowed)
		}
	}
}
