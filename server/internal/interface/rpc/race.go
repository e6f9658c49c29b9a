package rpc

import (
	"context"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// RunRace streams up to four episodes in step.
func (s *InferenceService) RunRace(ctx context.Context, request *inferencev1.RunRaceRequest, stream *connect.ServerStream[inferencev1.RunRaceResponse]) error {
	return s.StreamRace(ctx, request, stream.Send)
}

// RaceRequest returns an empty request for transports that decode it themselves.
func (s *InferenceService) RaceRequest() proto.Message { return new(inferencev1.RunRaceRequest) }

// ServeRace is StreamRace for transports that know no types.
func (s *InferenceService) ServeRace(ctx context.Context, request proto.Message, send func(proto.Message) error) error {
	return s.StreamRace(ctx, request.(*inferencev1.RunRaceRequest), func(response *inferencev1.RunRaceResponse) error { return send(response) })
}

// StreamRace runs the race and sends its events. A message is reused once send has returned.
func (s *InferenceService) StreamRace(ctx context.Context, request *inferencev1.RunRaceRequest, send func(*inferencev1.RunRaceResponse) error) error {
	steps := raceMessages.Get().(*raceMessage)
	defer raceMessages.Put(steps)
	for event, err := range s.Race.Run(ctx, fromRaceRequest(request)) {
		if err != nil {
			return err
		}
		if event.Started != nil {
			access.FromContext(ctx).ModelID = modelIDs(event.Started)
		}
		if err := send(toRaceResponse(&event, steps)); err != nil {
			return err
		}
	}
	return nil
}

// modelIDs of a race's lanes for the log, separated by commas; a baseline has none.
func modelIDs(started *usecase.RaceStarted) string {
	var ids []string
	for i := range started.Lanes {
		if id := started.Lanes[i].Policy.ModelID; id != "" {
			ids = append(ids, id)
		}
	}
	return strings.Join(ids, ",")
}

func fromRaceRequest(request *inferencev1.RunRaceRequest) usecase.RunRaceInput {
	in := usecase.RunRaceInput{
		Maze:           fromMazeRef(request.GetMaze()),
		Lanes:          make([]usecase.RaceLaneInput, len(request.GetLanes())),
		Seed:           request.Seed,
		StepsPerSecond: request.GetStepsPerSecond(),
		AfterStep:      int(request.GetAfterStep()),
		Share:          time.Duration(request.GetShareMs()) * time.Millisecond,
		MaxSteps:       int(request.GetMaxSteps()),
	}
	for i, lane := range request.GetLanes() {
		in.Lanes[i] = usecase.RaceLaneInput{
			EpisodeID:     lane.GetEpisodeId(),
			Policy:        fromPolicyRef(lane.GetPolicy()),
			Sampling:      fromSampling(lane.GetSampling()),
			ResumeToken:   lane.GetResumeToken(),
			ActionsDigest: lane.GetActionsDigest(),
		}
	}
	return in
}

// toRaceResponse maps one event; steps go into the memory of the stream.
func toRaceResponse(event *usecase.RaceEvent, memory *raceMessage) *inferencev1.RunRaceResponse {
	switch {
	case event.Started != nil:
		return toRaceStarted(event.Started)
	case event.Finished != nil:
		return toRaceFinished(event.Finished)
	case event.Heartbeat != nil:
		return toRaceHeartbeat(event.Heartbeat)
	}
	return memory.fill(event.Steps)
}
