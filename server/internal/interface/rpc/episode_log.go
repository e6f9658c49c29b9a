package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/flush"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// EpisodeLogService serves rlmaze.inference.v1.EpisodeLogService, and its stream to other transports.
type EpisodeLogService struct {
	List     *usecase.ListEpisodes
	Failures *usecase.ListFailures
	Replay   *usecase.ReplayEpisode
	Verify   *usecase.VerifyEpisode
}

var _ inferencev1connect.EpisodeLogServiceHandler = (*EpisodeLogService)(nil)

// ListEpisodes returns a page of the log.
func (s *EpisodeLogService) ListEpisodes(ctx context.Context, request *inferencev1.ListEpisodesRequest) (*inferencev1.ListEpisodesResponse, error) {
	listed, err := s.List.Run(ctx, usecase.ListEpisodesInput{
		Filter: domain.EpisodeFilter{
			ModelID:  request.GetModelId(),
			Baseline: baselinesOfContract[request.GetBaseline()],
			MazeID:   request.GetMazeId(),
			Outcome:  outcomesOfContract[request.GetOutcome()],
		},
		PageSize:  int(request.GetPageSize()),
		PageToken: request.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &inferencev1.ListEpisodesResponse{NextPageToken: listed.NextPageToken, SearchedBackTo: listed.SearchedBackTo.Format(time.DateOnly)}
	for i := range listed.Episodes {
		response.Episodes = append(response.Episodes, toLoggedEpisode(&listed.Episodes[i]))
	}
	return response, nil
}

// ListFailures counts the log by policy and maze.
func (s *EpisodeLogService) ListFailures(ctx context.Context, request *inferencev1.ListFailuresRequest) (*inferencev1.ListFailuresResponse, error) {
	counted, err := s.Failures.Run(ctx, usecase.ListFailuresInput{
		Days:   int(request.GetDays()),
		Filter: domain.EpisodeFilter{ModelID: request.GetModelId(), Baseline: baselinesOfContract[request.GetBaseline()], MazeID: request.GetMazeId()},
		Limit:  int(request.GetLimit()),
	})
	if err != nil {
		return nil, err
	}
	return toFailures(&counted), nil
}

// VerifyEpisode runs a logged episode again and compares.
func (s *EpisodeLogService) VerifyEpisode(ctx context.Context, request *inferencev1.VerifyEpisodeRequest) (*inferencev1.VerifyEpisodeResponse, error) {
	verified, err := s.Verify.Run(ctx, request.GetEpisodeId())
	if err != nil {
		return nil, err
	}
	access.FromContext(ctx).ModelID = verified.Logged.ModelID
	return toVerification(&verified), nil
}

// ReplayEpisode streams a logged episode again.
func (s *EpisodeLogService) ReplayEpisode(ctx context.Context, request *inferencev1.ReplayEpisodeRequest, stream *connect.ServerStream[inferencev1.ReplayEpisodeResponse]) error {
	return s.StreamReplay(ctx, request, stream.Send)
}

// ReplayRequest returns an empty request for transports that decode it themselves.
func (s *EpisodeLogService) ReplayRequest() proto.Message {
	return new(inferencev1.ReplayEpisodeRequest)
}

// ServeReplay is StreamReplay for transports that know no types.
func (s *EpisodeLogService) ServeReplay(ctx context.Context, request proto.Message, send func(proto.Message) error) error {
	return s.StreamReplay(ctx, request.(*inferencev1.ReplayEpisodeRequest), func(response *inferencev1.ReplayEpisodeResponse) error { return send(response) })
}

// StreamReplay replays the episode and sends its events. A message is reused once send has returned.
func (s *EpisodeLogService) StreamReplay(ctx context.Context, request *inferencev1.ReplayEpisodeRequest, send func(*inferencev1.ReplayEpisodeResponse) error) error {
	steps := replayMessages.Get().(*replayMessage)
	defer replayMessages.Put(steps)
	in := usecase.ReplayEpisodeInput{EpisodeID: request.GetEpisodeId(), StepsPerSecond: request.GetStepsPerSecond()}
	for event, err := range s.Replay.Run(ctx, in) {
		if err != nil {
			return err
		}
		switch {
		case event.Started != nil:
			access.FromContext(ctx).ModelID = event.Started.Policy.ModelID
			if in.StepsPerSecond == 0 {
				flush.Hold(ctx) // the first steps follow within a message's time
			}
		case event.Finished != nil:
			flush.Hold(ctx) // the end follows
		default:
			flush.Release(ctx)
		}
		if err := send(toReplayResponse(&event, steps)); err != nil {
			return err
		}
	}
	return nil
}
