package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/flush"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// InferenceService serves rlmaze.inference.v1.InferenceService, and the same streams to other transports.
type InferenceService struct {
	Run   *usecase.RunEpisode
	Race  *usecase.RunRace
	Map   *usecase.MapPolicy
	Score *usecase.ScoreObservations
}

var _ inferencev1connect.InferenceServiceHandler = (*InferenceService)(nil)

// RunEpisode streams one episode.
func (s *InferenceService) RunEpisode(ctx context.Context, request *inferencev1.RunEpisodeRequest, stream *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
	return s.StreamEpisode(ctx, request, stream.Send)
}

// MapPolicy computes the policy map of one moment.
func (s *InferenceService) MapPolicy(ctx context.Context, request *inferencev1.MapPolicyRequest) (*inferencev1.MapPolicyResponse, error) {
	mapped, err := s.Map.Run(ctx, usecase.MapPolicyInput{
		Maze:      fromMazeRef(request.GetMaze()),
		Policy:    fromPolicyRef(request.GetPolicy()),
		Seed:      request.GetSeed(),
		Sampling:  fromSampling(request.GetSampling()),
		AfterStep: int(request.GetAfterStep()),
	})
	if err != nil {
		return nil, err
	}
	access.FromContext(ctx).ModelID = mapped.Policy.ModelID
	return &inferencev1.MapPolicyResponse{
		PolicyMap: toPolicyMap(mapped.PolicyMap),
		Policy:    toPolicyRef(mapped.Policy),
		Position:  toCell(mapped.Position),
	}, nil
}

// ScoreObservations runs the network on observations that the caller made.
func (s *InferenceService) ScoreObservations(ctx context.Context, request *inferencev1.ScoreObservationsRequest) (*inferencev1.ScoreObservationsResponse, error) {
	in := usecase.ScoreObservationsInput{Policy: fromPolicyRef(request.GetPolicy())}
	for _, o := range request.GetObservations() {
		in.Observations = append(in.Observations, o.GetValues())
	}
	scored, err := s.Score.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	access.FromContext(ctx).ModelID = scored.Policy.ModelID
	response := &inferencev1.ScoreObservationsResponse{Policy: toPolicyRef(scored.Policy), Observation: string(scored.Observation)}
	for i := range scored.Scored {
		response.Scores = append(response.Scores, toActionScores(&scored.Scored[i]))
	}
	return response, nil
}

// EpisodeRequest returns an empty request for transports that decode it themselves.
func (s *InferenceService) EpisodeRequest() proto.Message { return new(inferencev1.RunEpisodeRequest) }

// ServeEpisode is StreamEpisode for transports that know no types.
func (s *InferenceService) ServeEpisode(ctx context.Context, request proto.Message, send func(proto.Message) error) error {
	return s.StreamEpisode(ctx, request.(*inferencev1.RunEpisodeRequest), func(response *inferencev1.RunEpisodeResponse) error { return send(response) })
}

// StreamEpisode runs the episode and sends its events. A message is reused once send has returned.
func (s *InferenceService) StreamEpisode(ctx context.Context, request *inferencev1.RunEpisodeRequest, send func(*inferencev1.RunEpisodeResponse) error) error {
	steps := stepsMessages.Get().(*stepsMessage)
	defer stepsMessages.Put(steps)
	for event, err := range s.Run.Run(ctx, fromEpisodeRequest(request)) {
		if err != nil {
			return err
		}
		switch {
		case event.Started != nil:
			access.FromContext(ctx).ModelID = event.Started.Policy.ModelID
			if request.GetStepsPerSecond() == 0 {
				flush.Hold(ctx) // the first steps follow within a message's time
			}
		case event.Finished != nil:
			flush.Hold(ctx) // the end follows
		default:
			flush.Release(ctx)
		}
		if err := send(toEpisodeResponse(&event, steps)); err != nil {
			return err
		}
	}
	return nil
}

func fromEpisodeRequest(request *inferencev1.RunEpisodeRequest) usecase.RunEpisodeInput {
	return usecase.RunEpisodeInput{
		EpisodeID:      request.GetEpisodeId(),
		Maze:           fromMazeRef(request.GetMaze()),
		Policy:         fromPolicyRef(request.GetPolicy()),
		Seed:           request.Seed,
		Sampling:       fromSampling(request.GetSampling()),
		StepsPerSecond: request.GetStepsPerSecond(),
		AfterStep:      int(request.GetAfterStep()),
		ResumeToken:    request.GetResumeToken(),
		ActionsDigest:  request.GetActionsDigest(),
		Share:          time.Duration(request.GetShareMs()) * time.Millisecond,
		WithPolicyMap:  request.GetWithPolicyMap(),
		MaxSteps:       int(request.GetMaxSteps()),
	}
}

// toEpisodeResponse maps one event; steps go into the memory of the stream.
func toEpisodeResponse(event *usecase.Event, memory *stepsMessage) *inferencev1.RunEpisodeResponse {
	switch {
	case event.Started != nil:
		return toStarted(event.Started)
	case event.Finished != nil:
		return toFinished(event.Finished)
	case event.Heartbeat != nil:
		return toHeartbeat(event.Heartbeat)
	}
	return memory.fill(event.Steps)
}
