package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
)

// viewerReport says what live viewers cost and how old steps were when they arrived.
type viewerReport struct {
	Target          string       `json:"target"`
	Protocol        string       `json:"protocol"`
	Viewers         int          `json:"viewers"`
	ShareMs         int          `json:"share_ms"`
	Seconds         float64      `json:"seconds"`
	Steps           int64        `json:"steps"`
	Messages        int64        `json:"messages"`
	Episodes        int64        `json:"episodes"`
	StepsPerSecond  float64      `json:"steps_per_second_per_viewer"`
	ServerUsPerStep float64      `json:"server_us_per_step"`
	ServerBusy      float64      `json:"server_busy"`
	LoadBusy        float64      `json:"load_busy"`
	AgeMs           distribution `json:"age_ms"`
	OutOfOrder      int64        `json:"out_of_order"` // steps lost, doubled or in a wrong place, the warm-up included
	Errors          int64        `json:"errors"`
	FirstError      string       `json:"first_error,omitempty"`
}

// viewer is one page: it watches one episode after the other and keeps its own books.
type viewer struct {
	audience *audience
	ages     []time.Duration
	expected int32 // index of the next step
}

// audience is what all viewers share.
type audience struct {
	counting                  atomic.Bool
	over                      atomic.Bool
	steps, messages, episodes atomic.Int64
	outOfOrder, errors        atomic.Int64
	mutex                     sync.Mutex
	firstError                error
}

func runViewers(ctx context.Context, s settings) (*viewerReport, error) {
	mazes, err := readSet(s.set)
	if err != nil {
		return nil, err
	}
	watch := watchByConnect
	switch {
	case s.target == "peer":
		watch = watchPeer
	case s.protocol == "websocket":
		watch = watchByWebSocket
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &audience{}
	viewers := make([]*viewer, s.viewers)
	var all sync.WaitGroup
	for i := range viewers {
		viewers[i] = &viewer{audience: a}
		all.Go(func() {
			// They arrive over the warm-up, so that their steps do not fall into step with each other.
			select {
			case <-time.After(s.warmUp * time.Duration(i) / time.Duration(2*s.viewers)):
			case <-ctx.Done():
				return
			}
			for ctx.Err() == nil {
				err := watch(ctx, s, viewers[i], mazes)
				if err == nil || ctx.Err() != nil || a.over.Load() {
					return
				}
				a.fail(err)
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	span, err := measure(s, func() { a.counting.Store(true) })
	steps, messages, episodes := a.steps.Load(), a.messages.Load(), a.episodes.Load()
	a.over.Store(true)
	cancel()
	all.Wait()
	if err != nil {
		return nil, err
	}
	if steps == 0 {
		return nil, errors.Join(errors.New("no step arrived"), a.firstError)
	}
	var ages []time.Duration
	for _, v := range viewers {
		ages = append(ages, v.ages...)
	}
	seconds := span.end.Sub(span.start).Seconds()
	report := &viewerReport{
		Target: s.target, Protocol: s.protocol, Viewers: s.viewers, ShareMs: s.shareMs, Seconds: seconds,
		Steps: steps, Messages: messages, Episodes: episodes,
		StepsPerSecond:  float64(steps) / seconds / float64(s.viewers),
		ServerUsPerStep: span.serverCPU.Seconds() * 1e6 / float64(steps),
		ServerBusy:      span.serverCPU.Seconds() / seconds,
		LoadBusy:        span.loadCPU.Seconds() / seconds,
		AgeMs:           distributionOf(ages),
		OutOfOrder:      a.outOfOrder.Load(),
		Errors:          a.errors.Load(),
	}
	if a.firstError != nil {
		report.FirstError = a.firstError.Error()
	}
	return report, nil
}

func (a *audience) fail(err error) {
	a.errors.Add(1)
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.firstError == nil {
		a.firstError = err
	}
}

// message counts a message that holds steps.
func (v *viewer) message() {
	if v.audience.counting.Load() && !v.audience.over.Load() {
		v.audience.messages.Add(1)
	}
}

// step checks the place of a step and notes its age.
func (v *viewer) step(index int32, arrived, made time.Time) {
	if index != v.expected {
		v.audience.outOfOrder.Add(1)
	}
	v.expected = index + 1
	if v.audience.counting.Load() && !v.audience.over.Load() {
		v.audience.steps.Add(1)
		v.ages = append(v.ages, arrived.Sub(made))
	}
}

// finish checks that the episode ended with the step that its end names.
func (v *viewer) finish(steps int32) {
	if steps != v.expected-1 {
		v.audience.outOfOrder.Add(1)
	}
	if v.audience.counting.Load() && !v.audience.over.Load() {
		v.audience.episodes.Add(1)
	}
}

// receive takes in one message of our server, whatever it came by.
func (v *viewer) receive(response *inferencev1.RunEpisodeResponse) {
	switch event := response.GetEvent().(type) {
	case *inferencev1.RunEpisodeResponse_Steps:
		arrived := time.Now()
		v.message()
		for _, step := range event.Steps.GetSteps() {
			v.step(step.GetIndex(), arrived, step.GetServerTs().AsTime())
		}
	case *inferencev1.RunEpisodeResponse_Finished:
		v.finish(event.Finished.GetSteps())
	}
}

func (s settings) order(m maze) *inferencev1.RunEpisodeRequest {
	return &inferencev1.RunEpisodeRequest{Maze: m.ref(), StepsPerSecond: s.stepsPerSecond, ShareMs: int32(s.shareMs)}
}

func watchByConnect(ctx context.Context, s settings, v *viewer, mazes *turns) error {
	client := inferencev1connect.NewInferenceServiceClient(newHTTPClient(s.protocol), s.url)
	for ctx.Err() == nil {
		v.expected = 1
		stream, err := client.RunEpisode(ctx, s.order(mazes.take()))
		if err != nil {
			return err
		}
		for stream.Receive() {
			v.receive(stream.Msg())
		}
		if err := errors.Join(stream.Err(), stream.Close()); err != nil {
			return err
		}
	}
	return nil
}

func watchByWebSocket(ctx context.Context, s settings, v *viewer, mazes *turns) error {
	for ctx.Err() == nil {
		if err := watchOneByWebSocket(ctx, s, v, mazes.take()); err != nil {
			return err
		}
	}
	return nil
}

// watchOneByWebSocket watches one episode: on our server a socket is one stream.
func watchOneByWebSocket(ctx context.Context, s settings, v *viewer, m maze) error {
	v.expected = 1
	socket, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.url, "http")+"/ws/inference", nil)
	if err != nil {
		return err
	}
	defer socket.CloseNow()
	socket.SetReadLimit(1 << 20)
	order, err := protojson.Marshal(s.order(m))
	if err != nil {
		return err
	}
	if err := socket.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"runEpisode":%s}`, order)); err != nil {
		return err
	}
	for {
		_, frame, err := socket.Read(ctx)
		if err != nil {
			return err
		}
		if string(frame) == "{}" {
			// The episode is complete; the server closes too, and may have been faster.
			_ = socket.Close(websocket.StatusNormalClosure, "")
			return nil
		}
		var response inferencev1.RunEpisodeResponse
		if err := protojson.Unmarshal(frame, &response); err != nil {
			return fmt.Errorf("read frame %.200s: %w", frame, err)
		}
		v.receive(&response)
	}
}

// peerStep is what the load generator reads of the peer's messages.
type peerStep struct {
	Index    int32 `json:"index"`
	End      int   `json:"end"`
	ServerTs int64 `json:"server_ts"` // nanoseconds of the Unix epoch
}

func watchPeer(ctx context.Context, s settings, v *viewer, mazes *turns) error {
	socket, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.url, "http")+s.route, nil)
	if err != nil {
		return err
	}
	defer socket.CloseNow()
	for ctx.Err() == nil {
		v.expected = 1
		order, err := json.Marshal(map[string]any{"rows": mazes.take().maze.Rows(), "steps_per_second": s.stepsPerSecond})
		if err != nil {
			return err
		}
		if err := socket.Write(ctx, websocket.MessageText, order); err != nil {
			return err
		}
		for ended := false; !ended; {
			_, frame, err := socket.Read(ctx)
			if err != nil {
				return err
			}
			arrived := time.Now()
			var step peerStep
			if err := json.Unmarshal(frame, &step); err != nil {
				return fmt.Errorf("read frame %.200s: %w", frame, err)
			}
			v.message()
			v.step(step.Index, arrived, time.Unix(0, step.ServerTs))
			if step.End != 0 {
				v.finish(step.Index)
				ended = true
			}
		}
	}
	return nil
}
