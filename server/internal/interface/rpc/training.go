package rpc

import (
	"context"
	"net"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1/trainingv1connect"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/message"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// TrainingService serves rlmaze.training.v1.TrainingService to everyone but the trainers, which implement it too, and its streams to other
// transports. That start and stop are not for everyone is the HTTP chain's matter.
type TrainingService struct {
	Start    *usecase.StartTraining
	Stop     *usecase.StopTraining
	Get      *usecase.GetTraining
	List     *usecase.ListTrainings
	Watch    *usecase.WatchTraining
	GPU      *usecase.WatchGPU
	Defaults *usecase.GetTrainingDefaults
}

var _ trainingv1connect.TrainingServiceHandler = (*TrainingService)(nil)

// StartTraining starts a run.
func (s *TrainingService) StartTraining(ctx context.Context, request *trainingv1.StartTrainingRequest) (*trainingv1.StartTrainingResponse, error) {
	training, err := s.Start.Run(ctx, domain.TrainingOrder{
		ConfigYAML: request.GetConfigYaml(), Seed: request.Seed, ResumeFrom: request.GetResumeFrom(), RequestID: request.GetRequestId(),
	}, clientAddress(ctx))
	if err != nil {
		return nil, err
	}
	access.FromContext(ctx).RunID = training.RunID
	return &trainingv1.StartTrainingResponse{Training: message.ToTraining(training)}, nil
}

// StopTraining ends a run.
func (s *TrainingService) StopTraining(ctx context.Context, request *trainingv1.StopTrainingRequest) (*trainingv1.StopTrainingResponse, error) {
	access.FromContext(ctx).RunID = request.GetRunId()
	training, err := s.Stop.Run(ctx, request.GetRunId())
	if err != nil {
		return nil, err
	}
	return &trainingv1.StopTrainingResponse{Training: message.ToTraining(training)}, nil
}

// GetTraining returns one run.
func (s *TrainingService) GetTraining(ctx context.Context, request *trainingv1.GetTrainingRequest) (*trainingv1.GetTrainingResponse, error) {
	training, err := s.Get.Run(ctx, request.GetRunId())
	if err != nil {
		return nil, err
	}
	return &trainingv1.GetTrainingResponse{Training: message.ToTraining(training)}, nil
}

// ListTrainings returns a page of runs.
func (s *TrainingService) ListTrainings(ctx context.Context, request *trainingv1.ListTrainingsRequest) (*trainingv1.ListTrainingsResponse, error) {
	page, err := s.List.Run(ctx, int(request.GetPageSize()), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	response := &trainingv1.ListTrainingsResponse{NextPageToken: page.NextPageToken}
	for _, t := range page.Trainings {
		response.Trainings = append(response.Trainings, message.ToTraining(t))
	}
	return response, nil
}

// GetTrainingDefaults returns what a form needs.
func (s *TrainingService) GetTrainingDefaults(ctx context.Context, _ *trainingv1.GetTrainingDefaultsRequest) (*trainingv1.GetTrainingDefaultsResponse, error) {
	defaults, err := s.Defaults.Run(ctx)
	if err != nil {
		return nil, err
	}
	response := &trainingv1.GetTrainingDefaultsResponse{
		SchemaJson: defaults.SchemaJSON, Devices: defaults.Devices, MazeSets: defaults.MazeSets, QueueLimit: int32(defaults.QueueLimit),
	}
	for _, p := range defaults.Presets {
		response.Presets = append(response.Presets, &trainingv1.TrainingPreset{Name: p.Name, Title: p.Title, Description: p.Description, ConfigYaml: p.ConfigYAML})
	}
	return response, nil
}

// WatchTraining streams a run.
func (s *TrainingService) WatchTraining(ctx context.Context, request *trainingv1.WatchTrainingRequest, stream *connect.ServerStream[trainingv1.WatchTrainingResponse]) error {
	return s.StreamTraining(ctx, request, stream.Send)
}

// WatchGpu streams readings of the GPUs.
func (s *TrainingService) WatchGpu(ctx context.Context, request *trainingv1.WatchGpuRequest, stream *connect.ServerStream[trainingv1.WatchGpuResponse]) error {
	return s.StreamGPU(ctx, request, stream.Send)
}

// TrainingRequest returns an empty request for transports that decode it themselves.
func (s *TrainingService) TrainingRequest() proto.Message {
	return new(trainingv1.WatchTrainingRequest)
}

// ServeTraining is StreamTraining for transports that know no types.
func (s *TrainingService) ServeTraining(ctx context.Context, request proto.Message, send func(proto.Message) error) error {
	return s.StreamTraining(ctx, request.(*trainingv1.WatchTrainingRequest), func(m *trainingv1.WatchTrainingResponse) error { return send(m) })
}

// GPURequest returns an empty request for transports that decode it themselves.
func (s *TrainingService) GPURequest() proto.Message { return new(trainingv1.WatchGpuRequest) }

// ServeGPU is StreamGPU for transports that know no types.
func (s *TrainingService) ServeGPU(ctx context.Context, request proto.Message, send func(proto.Message) error) error {
	return s.StreamGPU(ctx, request.(*trainingv1.WatchGpuRequest), func(m *trainingv1.WatchGpuResponse) error { return send(m) })
}

// StreamTraining streams a run to one viewer.
func (s *TrainingService) StreamTraining(ctx context.Context, request *trainingv1.WatchTrainingRequest, send func(*trainingv1.WatchTrainingResponse) error) error {
	access.FromContext(ctx).RunID = request.GetRunId()
	for m, err := range s.Watch.Run(ctx, request.GetRunId(), request.GetAfterSequence()) {
		if err != nil {
			return err
		}
		if err := send(toWatchResponse(m)); err != nil {
			return err
		}
	}
	return nil
}

// StreamGPU streams readings to one viewer.
func (s *TrainingService) StreamGPU(ctx context.Context, request *trainingv1.WatchGpuRequest, send func(*trainingv1.WatchGpuResponse) error) error {
	const defaultInterval = 1000 // ms
	interval := request.GetIntervalMs()
	if interval == 0 {
		interval = defaultInterval
	}
	for sample, err := range s.GPU.Run(ctx, request.GetTrainer(), time.Duration(interval)*time.Millisecond) {
		if err != nil {
			return err
		}
		if err := send(&trainingv1.WatchGpuResponse{Sample: message.ToGPUSample(sample)}); err != nil {
			return err
		}
	}
	return nil
}

func toWatchResponse(m usecase.TrainingMessage) *trainingv1.WatchTrainingResponse {
	switch {
	case m.Training != nil:
		return &trainingv1.WatchTrainingResponse{Message: &trainingv1.WatchTrainingResponse_Training{Training: message.ToTraining(*m.Training)}}
	case m.Gap != nil:
		return &trainingv1.WatchTrainingResponse{Message: &trainingv1.WatchTrainingResponse_Gap{Gap: &trainingv1.EventGap{FirstSequence: m.Gap.First, LastSequence: m.Gap.Last}}}
	case len(m.Events) > 0:
		return &trainingv1.WatchTrainingResponse{Message: &trainingv1.WatchTrainingResponse_Events{Events: message.ToEvents(m.Events)}}
	}
	return &trainingv1.WatchTrainingResponse{Message: &trainingv1.WatchTrainingResponse_Heartbeat{Heartbeat: &trainingv1.TrainingHeartbeat{ServerTs: timestamppb.New(m.Heartbeat)}}}
}

// clientAddress is the address that a quota counts: the first of X-Forwarded-For, which the page's server sets, else the caller's own. Only who
// may call the private listener reaches what asks for it, so the header is believed.
func clientAddress(ctx context.Context) string {
	call, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return ""
	}
	first, _, _ := strings.Cut(call.RequestHeader().Get("X-Forwarded-For"), ",")
	if first = strings.TrimSpace(first); first != "" && len(first) <= 64 {
		return first
	}
	if host, _, err := net.SplitHostPort(call.Peer().Addr); err == nil {
		return host
	}
	return call.Peer().Addr
}
