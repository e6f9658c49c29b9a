package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// episodeReport says what whole episodes cost, one after the other by each client.
type episodeReport struct {
	Target             string       `json:"target"`
	Clients            int          `json:"clients"`
	Seconds            float64      `json:"seconds"`
	Episodes           int          `json:"episodes"`
	Steps              int64        `json:"steps"`
	Successes          int64        `json:"successes"`
	Logged             int64        `json:"logged"`
	LatencyMs          distribution `json:"latency_ms"`
	WallUsPerEpisode   float64      `json:"wall_us_per_episode"`
	ServerUsPerEpisode float64      `json:"server_us_per_episode"`
	ServerBusy         float64      `json:"server_busy"`
	LoadBusy           float64      `json:"load_busy"`
	StepsOfFirst       int          `json:"steps_of_first"` // both targets must walk the same way

}

// walked is what one episode came to.
type walked struct {
	steps   int
	success bool
	logged  bool
}

// player asks a server for one whole episode.
type player func(ctx context.Context, m maze) (walked, error)

// runEpisodes lets every client play episodes until the window is over and counts those that ended inside it.
func runEpisodes(ctx context.Context, s settings) (*episodeReport, error) {
	mazes, err := readSet(s.set)
	if err != nil {
		return nil, err
	}
	newPlayer := playByRPC
	if s.target == "peer" {
		newPlayer = playStepByStep
	}
	first, err := newPlayer(s)(ctx, mazes.mazes[0])
	if err != nil {
		return nil, err
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var counting, over atomic.Bool
	var steps, successes, logged atomic.Int64
	latencies := make([][]time.Duration, s.clients)
	var clients sync.WaitGroup
	for client := range s.clients {
		clients.Go(func() {
			play := newPlayer(s)
			for !over.Load() && ctx.Err() == nil {
				began := time.Now()
				result, err := play(ctx, mazes.take())
				if err != nil {
					cancel(err)
					return
				}
				if !counting.Load() || over.Load() {
					continue
				}
				latencies[client] = append(latencies[client], time.Since(began))
				steps.Add(int64(result.steps))
				if result.success {
					successes.Add(1)
				}
				if result.logged {
					logged.Add(1)
				}
			}
		})
	}
	span, err := measure(s, func() { counting.Store(true) })
	over.Store(true)
	clients.Wait()
	if err != nil {
		return nil, err
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}

	var all []time.Duration
	for _, of := range latencies {
		all = append(all, of...)
	}
	if len(all) == 0 {
		return nil, errors.New("no episode ended inside the window")
	}
	seconds := span.end.Sub(span.start).Seconds()
	return &episodeReport{
		Target: s.target, Clients: s.clients, Seconds: seconds,
		Episodes: len(all), Steps: steps.Load(), Successes: successes.Load(), Logged: logged.Load(),
		LatencyMs:          distributionOf(all),
		WallUsPerEpisode:   seconds * 1e6 / float64(len(all)),
		ServerUsPerEpisode: span.serverCPU.Seconds() * 1e6 / float64(len(all)),
		ServerBusy:         span.serverCPU.Seconds() / seconds,
		LoadBusy:           span.loadCPU.Seconds() / seconds,
		StepsOfFirst:       first.steps,
	}, nil
}

// playByRPC runs an episode as one RunEpisode at speed 0 and checks that every step came once and in order.
func playByRPC(s settings) player {
	client := inferencev1connect.NewInferenceServiceClient(newHTTPClient(s.protocol), s.url)
	return func(ctx context.Context, m maze) (walked, error) {
		stream, err := client.RunEpisode(ctx, &inferencev1.RunEpisodeRequest{Maze: m.ref()})
		if err != nil {
			return walked{}, err
		}
		defer stream.Close()
		var result walked
		finished := false
		for stream.Receive() {
			switch event := stream.Msg().GetEvent().(type) {
			case *inferencev1.RunEpisodeResponse_Steps:
				for _, step := range event.Steps.GetSteps() {
					result.steps++
					if int(step.GetIndex()) != result.steps {
						return walked{}, fmt.Errorf("got step %d, want %d", step.GetIndex(), result.steps)
					}
				}
			case *inferencev1.RunEpisodeResponse_Finished:
				finished = true
				result.success = event.Finished.GetOutcome() == inferencev1.Outcome_OUTCOME_REACHED_GOAL
				result.logged = event.Finished.GetLogged()
				if int(event.Finished.GetSteps()) != result.steps {
					return walked{}, fmt.Errorf("finished after %d steps, got %d", event.Finished.GetSteps(), result.steps)
				}
			}
		}
		if err := stream.Err(); err != nil {
			return walked{}, err
		}
		if !finished {
			return walked{}, errors.New("the stream ended without finished")
		}
		return result, nil
	}
}

// ref names the maze to our server.
func (m maze) ref() *mazev1.MazeRef {
	return &mazev1.MazeRef{Maze: &mazev1.MazeRef_MazeId{MazeId: m.id}}
}

// playStepByStep runs the maze here and asks the peer for every action.
func playStepByStep(s settings) player {
	client := newHTTPClient("http1")
	return func(ctx context.Context, m maze) (walked, error) {
		episode := domain.NewEpisode(m.maze)
		var observation [domain.ObservationLength]float32
		var body []byte
		for episode.Outcome() == domain.OutcomeRunning {
			episode.Observe(domain.ObservationMemory, &observation)
			body = encode(body[:0], &observation, s.route)
			action, err := askPeer(ctx, client, s.url+s.route, body)
			if err != nil {
				return walked{}, err
			}
			episode.Apply(action)
		}
		return walked{steps: episode.Steps(), success: episode.Outcome() == domain.OutcomeReachedGoal}, nil
	}
}

// encode appends the observation as the peer's route wants it: little-endian float32, or a JSON array.
func encode(body []byte, observation *[domain.ObservationLength]float32, route string) []byte {
	if route == "/act.raw" {
		for _, value := range observation {
			body = binary.LittleEndian.AppendUint32(body, math.Float32bits(value))
		}
		return body
	}
	body = append(body, `{"observation":[`...)
	for i, value := range observation {
		if i > 0 {
			body = append(body, ',')
		}
		body = strconv.AppendFloat(body, float64(value), 'g', -1, 32)
	}
	return append(body, "]}"...)
}

func askPeer(ctx context.Context, client *http.Client, url string, body []byte) (domain.Action, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json") // FastAPI's typed route insists; the others do not look
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("peer: %s: %s", response.Status, answer)
	}
	var decoded struct {
		Action domain.Action `json:"action"`
	}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		return 0, err
	}
	if decoded.Action > domain.ActionRight {
		return 0, fmt.Errorf("peer: action %d", decoded.Action)
	}
	return decoded.Action, nil
}
