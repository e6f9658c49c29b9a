package rpc

import (
	"context"

	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1/trainingv1connect"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/message"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

var curveKeys = map[usecase.CurveKey]trainingv1.CurveKey{
	usecase.CurveEpisodeReward:  trainingv1.CurveKey_CURVE_KEY_EPISODE_REWARD,
	usecase.CurveEpisodeLength:  trainingv1.CurveKey_CURVE_KEY_EPISODE_LENGTH,
	usecase.CurveEpisodeSuccess: trainingv1.CurveKey_CURVE_KEY_EPISODE_SUCCESS,
	usecase.CurveLoss:           trainingv1.CurveKey_CURVE_KEY_LOSS,
	usecase.CurveStepsPerSecond: trainingv1.CurveKey_CURVE_KEY_STEPS_PER_SECOND,
	usecase.CurveCPUPercent:     trainingv1.CurveKey_CURVE_KEY_CPU_PERCENT,
	usecase.CurveMemoryBytes:    trainingv1.CurveKey_CURVE_KEY_MEMORY_BYTES,
}

// TrainingHistoryService serves rlmaze.training.v1.TrainingHistoryService.
type TrainingHistoryService struct{ History *usecase.GetTrainingHistory }

var _ trainingv1connect.TrainingHistoryServiceHandler = (*TrainingHistoryService)(nil)

// GetTrainingHistory opens a run.
func (s *TrainingHistoryService) GetTrainingHistory(ctx context.Context, request *trainingv1.GetTrainingHistoryRequest) (*trainingv1.GetTrainingHistoryResponse, error) {
	access.FromContext(ctx).RunID = request.GetRunId()
	history, err := s.History.Run(ctx, request.GetRunId(), int(request.GetMaxPoints()))
	if err != nil {
		return nil, err
	}
	response := &trainingv1.GetTrainingHistoryResponse{
		Training:     message.ToTraining(history.Training),
		LastSequence: history.LastSequence,
		Lines:        message.ToEvents(history.Lines).GetEvents(),
	}
	for _, c := range history.Curves {
		response.Curves = append(response.Curves, &trainingv1.TrainingCurve{
			Key:       curveKeys[c.Key],
			Timesteps: c.Curve.Timesteps,
			Values:    c.Curve.Values,
			Lows:      c.Curve.Lows,
			Highs:     c.Curve.Highs,
			ElapsedS:  c.Curve.ElapsedS,
			Points:    c.Curve.Points,
		})
	}
	for i := range history.Checkpoints {
		response.Checkpoints = append(response.Checkpoints, message.ToCheckpoint(&history.Checkpoints[i]))
	}
	return response, nil
}
