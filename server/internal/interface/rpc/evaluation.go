package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"

	evaluationv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/evaluation/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/evaluation/v1/evaluationv1connect"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// EvaluationService serves rlmaze.evaluation.v1.EvaluationService. That EvaluateModel is not for everyone is the HTTP chain's matter.
type EvaluationService struct {
	Evaluate    *usecase.EvaluatePolicy
	Leaderboard *usecase.GetLeaderboard
}

var _ evaluationv1connect.EvaluationServiceHandler = (*EvaluationService)(nil)

// EvaluateModel streams one evaluation.
func (s *EvaluationService) EvaluateModel(ctx context.Context, request *evaluationv1.EvaluateModelRequest, stream *connect.ServerStream[evaluationv1.EvaluateModelResponse]) error {
	in := usecase.EvaluatePolicyInput{Policy: fromPolicyRef(request.GetPolicy()), SetID: request.GetSetId(), Again: request.GetAgain()}
	for event, err := range s.Evaluate.Run(ctx, in) {
		if err != nil {
			return err
		}
		if event.Evaluated != nil {
			access.FromContext(ctx).ModelID = event.Evaluated.Evaluation.Policy.ModelID
		}
		if err := stream.Send(toEvaluateResponse(event)); err != nil {
			return err
		}
	}
	return nil
}

// GetLeaderboard ranks what is kept for a set.
func (s *EvaluationService) GetLeaderboard(ctx context.Context, request *evaluationv1.GetLeaderboardRequest) (*evaluationv1.GetLeaderboardResponse, error) {
	board, err := s.Leaderboard.Run(ctx, request.GetSetId())
	if err != nil {
		return nil, err
	}
	response := &evaluationv1.GetLeaderboardResponse{}
	for _, row := range board.Rows {
		response.Rows = append(response.Rows, toEvaluation(row, board.Set))
	}
	return response, nil
}

func toEvaluateResponse(event usecase.EvaluationEvent) *evaluationv1.EvaluateModelResponse {
	if e := event.Evaluated; e != nil {
		return &evaluationv1.EvaluateModelResponse{Message: &evaluationv1.EvaluateModelResponse_Evaluation{Evaluation: toEvaluation(e.Evaluation, e.Set)}}
	}
	return &evaluationv1.EvaluateModelResponse{Message: &evaluationv1.EvaluateModelResponse_Progress{Progress: &evaluationv1.EvaluationProgress{
		Done: int32(event.Progress.Done), Total: int32(event.Progress.Total), Successes: int32(event.Progress.Successes),
	}}}
}

func toEvaluation(e domain.Evaluation, set domain.MazeSet) *evaluationv1.Evaluation {
	evaluation := &evaluationv1.Evaluation{
		Policy:      toPolicyRef(e.Policy),
		ModelSha256: e.ModelSHA256,
		SetId:       set.ID,
		SetHash:     e.SetHash,
		Figures:     toFigures(e.Total()),
		MeanStepUs:  float64(e.MeanStep) / float64(time.Microsecond),
		P95StepUs:   float64(e.P95Step) / float64(time.Microsecond),
		EvaluatedAt: timestamp(e.EvaluatedAt),
	}
	for _, g := range e.ByDifficulty() {
		evaluation.ByDifficulty = append(evaluation.ByDifficulty, &evaluationv1.DifficultyFigures{Difficulty: difficulties[g.Difficulty], Figures: toFigures(g.Tally)})
	}
	for _, g := range e.BySize() {
		evaluation.BySize = append(evaluation.BySize, &evaluationv1.SizeFigures{Rows: int32(g.Rows), Cols: int32(g.Cols), Figures: toFigures(g.Tally)})
	}
	evaluation.ByPuzzle = toPuzzleFigures(e.ByPuzzle(), set)
	for _, position := range e.FailedPositions {
		if position < len(set.Mazes) { // the hash names the content, so it is
			evaluation.Failed = append(evaluation.Failed, &evaluationv1.FailedMaze{MazeId: set.Mazes[position].ID, Seed: uint64(position)})
		}
	}
	return evaluation
}

// toPuzzleFigures puts the puzzles into the order of their set.
func toPuzzleFigures(groups []domain.EvaluationGroup, set domain.MazeSet) []*evaluationv1.PuzzleFigures {
	tallies := make(map[string]domain.Tally, len(groups))
	for _, g := range groups {
		tallies[g.PuzzleID] = g.Tally
	}
	var puzzles []*evaluationv1.PuzzleFigures
	for position, m := range set.Mazes {
		if tally, ok := tallies[m.ID]; ok {
			puzzles = append(puzzles, &evaluationv1.PuzzleFigures{
				MazeId: m.ID, Title: m.Title, ShortestPath: int32(m.ShortestPath()), Seed: uint64(position), Figures: toFigures(tally),
			})
		}
	}
	return puzzles
}

func toFigures(t domain.Tally) *evaluationv1.Figures {
	low, high := domain.Wilson95(t.Successes, t.Episodes)
	return &evaluationv1.Figures{
		Episodes:        int32(t.Episodes),
		Successes:       int32(t.Successes),
		Rate:            t.Rate(),
		IntervalLow:     low,
		IntervalHigh:    high,
		Spl:             t.SPL(),
		MeanSteps:       t.MeanSteps(),
		BumpsPerEpisode: t.BumpsPerEpisode(),
		RevisitRate:     t.RevisitRate(),
	}
}
