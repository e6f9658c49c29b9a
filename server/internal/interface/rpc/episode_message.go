package rpc

import (
	"sync"

	"google.golang.org/protobuf/types/known/timestamppb"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// stepsMessage is one RunEpisodeResponse of steps that is filled again for every message of a stream: its messages are marshalled before
// send returns, so their memory can serve the next one. Built anew, each step would cost eight allocations.
type stepsMessage struct {
	response inferencev1.RunEpisodeResponse
	event    inferencev1.RunEpisodeResponse_Steps
	steps    inferencev1.EpisodeSteps
	list     stepList
}

// stepsMessages keeps them from stream to stream.
var stepsMessages = sync.Pool{New: func() any { return new(stepsMessage) }}

// stepMemory is all that one step consists of.
type stepMemory struct {
	step          inferencev1.Step
	position      mazev1.Cell
	scores        inferencev1.ActionScores
	serverTS      timestamppb.Timestamp
	values        [4]float32
	probabilities [4]float32
}

// fill returns the response of these steps; it is valid until the next call.
func (m *stepsMessage) fill(steps []usecase.Step) *inferencev1.RunEpisodeResponse {
	m.steps.Steps = m.list.fill(steps)
	m.event.Steps = &m.steps
	m.response.Event = &m.event
	return &m.response
}

// stepList is a list of steps whose memory is used again.
type stepList struct {
	steps []*inferencev1.Step
	cells []*stepMemory
}

// fill returns these steps; they are valid until the next call.
func (l *stepList) fill(steps []usecase.Step) []*inferencev1.Step {
	l.steps = l.steps[:0]
	for i := range steps {
		l.add(&steps[i])
	}
	return l.steps
}

// add appends one step.
func (l *stepList) add(step *usecase.Step) {
	n := len(l.steps)
	if n == len(l.cells) {
		l.cells = append(l.cells, new(stepMemory))
	}
	cell := l.cells[n]
	cell.position.Row, cell.position.Col = int32(step.Position.Row), int32(step.Position.Col)
	cell.serverTS.Seconds, cell.serverTS.Nanos = step.ServerTime.Unix(), int32(step.ServerTime.Nanosecond())
	s := &cell.step
	s.Index = int32(step.Index)
	s.Position = &cell.position
	s.Action = toAction(step.Action)
	s.HitWall = step.HitWall
	s.ReachedGoal = step.Outcome == domain.OutcomeReachedGoal
	s.Reward = float64(step.Reward) / 100
	s.CumulativeReward = float64(step.Cumulative) / 100
	s.ServerTs = &cell.serverTS
	s.PolicyMap = toPolicyMap(step.PolicyMap)
	s.Scores = nil
	if scores := &step.Scores; scores.Kind != "" {
		cell.values, cell.probabilities = scores.Values, step.Probabilities
		cell.scores.Kind = scoreKinds[scores.Kind]
		cell.scores.Values = cell.values[:]
		cell.scores.Probabilities = cell.probabilities[:]
		cell.scores.StateValue = scores.StateValue
		s.Scores = &cell.scores
	}
	l.steps = append(l.steps, s)
}

// toAction shifts by one: the contract keeps 0 for unspecified.
func toAction(a domain.Action) inferencev1.Action { return inferencev1.Action(a) + 1 }

func toStarted(s *usecase.EpisodeStarted) *inferencev1.RunEpisodeResponse {
	return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Started{Started: toEpisodeStarted(s)}}
}

func toEpisodeStarted(s *usecase.EpisodeStarted) *inferencev1.EpisodeStarted {
	return &inferencev1.EpisodeStarted{
		EpisodeId:   s.EpisodeID,
		Policy:      toPolicyRef(s.Policy),
		Maze:        toMaze(s.Maze),
		Seed:        s.Seed,
		Sampling:    toSampling(s.Sampling),
		FirstStep:   int32(s.FirstStep),
		MaxSteps:    int32(s.MaxSteps),
		Observation: string(s.Observation),
		ScoreKind:   scoreKinds[s.ScoreKind],
		ResumeToken: s.ResumeToken,
		ServerTs:    timestamppb.New(s.ServerTime),
		PolicyMap:   toPolicyMap(s.PolicyMap),
	}
}

func toFinished(f *usecase.EpisodeFinished) *inferencev1.RunEpisodeResponse {
	return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Finished{Finished: toEpisodeFinished(f)}}
}

func toEpisodeFinished(f *usecase.EpisodeFinished) *inferencev1.EpisodeFinished {
	return &inferencev1.EpisodeFinished{
		Outcome:     outcomes[f.Outcome],
		Steps:       int32(f.Steps),
		Bumps:       int32(f.Bumps),
		TotalReward: f.TotalReward,
		Spl:         f.SPL,
		Logged:      f.Logged,
		ServerTs:    timestamppb.New(f.ServerTime),
	}
}

func toHeartbeat(h *usecase.Heartbeat) *inferencev1.RunEpisodeResponse {
	return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Heartbeat{Heartbeat: &inferencev1.Heartbeat{ServerTs: timestamppb.New(h.ServerTime)}}}
}
