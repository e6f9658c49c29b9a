package rpc

import (
	"sync"

	"google.golang.org/protobuf/types/known/timestamppb"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// raceMessage is one RunRaceResponse of steps that is filled again for every message of a stream, as stepsMessage is.
type raceMessage struct {
	response inferencev1.RunRaceResponse
	event    inferencev1.RunRaceResponse_Steps
	steps    inferencev1.RaceSteps
	lanes    []*laneMemory
}

// raceMessages keeps them from stream to stream.
var raceMessages = sync.Pool{New: func() any { return new(raceMessage) }}

// laneMemory is what one lane's part of a message consists of.
type laneMemory struct {
	steps inferencev1.RaceLaneSteps
	list  stepList
}

// fill returns the response of what these lanes did; it is valid until the next call.
func (m *raceMessage) fill(lanes []usecase.RaceLaneSteps) *inferencev1.RunRaceResponse {
	m.steps.Lanes = m.steps.Lanes[:0]
	for i := range lanes {
		if i == len(m.lanes) {
			m.lanes = append(m.lanes, new(laneMemory))
		}
		lane := m.lanes[i]
		lane.steps.Lane = int32(lanes[i].Lane)
		lane.steps.Steps = lane.list.fill(lanes[i].Steps)
		lane.steps.Finished = nil
		if lanes[i].Finished != nil {
			lane.steps.Finished = toEpisodeFinished(lanes[i].Finished)
		}
		m.steps.Lanes = append(m.steps.Lanes, &lane.steps)
	}
	m.event.Steps = &m.steps
	m.response.Event = &m.event
	return &m.response
}

func toRaceStarted(s *usecase.RaceStarted) *inferencev1.RunRaceResponse {
	started := &inferencev1.RaceStarted{
		Maze:      toMaze(s.Maze),
		Seed:      s.Seed,
		FirstStep: int32(s.FirstStep),
		MaxSteps:  int32(s.MaxSteps),
		ServerTs:  timestamppb.New(s.ServerTime),
	}
	for i := range s.Lanes {
		lane := &s.Lanes[i]
		started.Lanes = append(started.Lanes, &inferencev1.RaceLaneStarted{
			EpisodeId:   lane.EpisodeID,
			Policy:      toPolicyRef(lane.Policy),
			Sampling:    toSampling(lane.Sampling),
			Observation: string(lane.Observation),
			ScoreKind:   scoreKinds[lane.ScoreKind],
			ResumeToken: lane.ResumeToken,
		})
	}
	return &inferencev1.RunRaceResponse{Event: &inferencev1.RunRaceResponse_Started{Started: started}}
}

func toRaceFinished(f *usecase.RaceFinished) *inferencev1.RunRaceResponse {
	finished := &inferencev1.RaceFinished{ServerTs: timestamppb.New(f.ServerTime)}
	for i := range f.Lanes {
		finished.Lanes = append(finished.Lanes, toEpisodeFinished(&f.Lanes[i]))
	}
	return &inferencev1.RunRaceResponse{Event: &inferencev1.RunRaceResponse_Finished{Finished: finished}}
}

func toRaceHeartbeat(h *usecase.Heartbeat) *inferencev1.RunRaceResponse {
	return &inferencev1.RunRaceResponse{Event: &inferencev1.RunRaceResponse_Heartbeat{Heartbeat: &inferencev1.Heartbeat{ServerTs: timestamppb.New(h.ServerTime)}}}
}
