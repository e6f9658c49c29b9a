package rpc

import (
	"context"

	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// MazeService serves rlmaze.maze.v1.MazeService.
type MazeService struct {
	List     *usecase.ListMazeSets
	ListOne  *usecase.ListMazes
	Get      *usecase.GetMaze
	Generate *usecase.GenerateMaze
	Check    *usecase.CheckMaze
}

// ListMazeSets returns every committed set.
func (s *MazeService) ListMazeSets(context.Context, *mazev1.ListMazeSetsRequest) (*mazev1.ListMazeSetsResponse, error) {
	response := &mazev1.ListMazeSetsResponse{}
	for _, set := range s.List.Run() {
		response.Sets = append(response.Sets, toMazeSet(set))
	}
	return response, nil
}

// ListMazes returns one page of a set.
func (s *MazeService) ListMazes(_ context.Context, request *mazev1.ListMazesRequest) (*mazev1.ListMazesResponse, error) {
	page, err := s.ListOne.Run(usecase.ListMazesInput{
		SetID:      request.GetSetId(),
		PageSize:   int(request.GetPageSize()),
		PageToken:  request.GetPageToken(),
		Difficulty: difficultiesOfContract[request.GetDifficulty()],
	})
	if err != nil {
		return nil, err
	}
	return &mazev1.ListMazesResponse{Mazes: toMazes(page.Mazes), NextPageToken: page.NextPageToken}, nil
}

// GetMaze returns one maze.
func (s *MazeService) GetMaze(_ context.Context, request *mazev1.GetMazeRequest) (*mazev1.GetMazeResponse, error) {
	maze, err := s.Get.Run(request.GetMazeId())
	if err != nil {
		return nil, err
	}
	return &mazev1.GetMazeResponse{Maze: toMaze(maze)}, nil
}

// GenerateMaze makes a maze from its parameters.
func (s *MazeService) GenerateMaze(_ context.Context, request *mazev1.GenerateMazeRequest) (*mazev1.GenerateMazeResponse, error) {
	maze, err := s.Generate.Run(usecase.GenerateMazeInput{
		Rows:      int(request.GetRows()),
		Cols:      int(request.GetCols()),
		Seed:      request.Seed,
		LoopRatio: request.GetLoopRatio(),
	})
	if err != nil {
		return nil, err
	}
	return &mazev1.GenerateMazeResponse{Maze: toMaze(maze)}, nil
}

// CheckMaze judges a drawn maze.
func (s *MazeService) CheckMaze(_ context.Context, request *mazev1.CheckMazeRequest) (*mazev1.CheckMazeResponse, error) {
	judged, err := s.Check.Run(request.GetMaze().GetRows())
	if err != nil {
		return nil, err
	}
	response := &mazev1.CheckMazeResponse{Solvable: judged.Maze != nil, KnownMazeId: judged.KnownMazeID}
	if judged.Maze != nil {
		response.Maze = toMaze(judged.Maze)
	}
	for _, problem := range judged.Problems {
		response.Problems = append(response.Problems, toMazeProblem(problem))
	}
	return response, nil
}
