package usecase

import "github.com/rlmaze/rlmaze/server/internal/domain"

// defaultMazeSize of GenerateMaze, in rows and columns.
const defaultMazeSize = 10

// GenerateMaze makes a maze from its parameters.
type GenerateMaze struct {
	Random func() uint64 // for seeds that are left out
}

// GenerateMazeInput holds all parameters: Rows 0 means 10, Cols 0 the same as Rows, Seed nil one that the server picks.
type GenerateMazeInput struct {
	Rows, Cols int
	Seed       *uint64
	LoopRatio  float64 // 0–1, rounded to 0.01
}

// Run returns CodeInvalidArgument on "rows", "cols" or "loop_ratio".
func (u *GenerateMaze) Run(in GenerateMazeInput) (*domain.Maze, error) {
	if !(in.LoopRatio >= 0 && in.LoopRatio <= 1) { // false for NaN, too
		return nil, &domain.Error{Code: domain.CodeInvalidArgument, Field: "loop_ratio", Rule: "loop_ratio.range", Message: "loop_ratio must be between 0 and 1"}
	}
	p := domain.GeneratorParams{Rows: in.Rows, Cols: in.Cols, LoopPercent: domain.LoopPercentOf(in.LoopRatio)}
	if p.Rows == 0 {
		p.Rows = defaultMazeSize
	}
	if p.Cols == 0 {
		p.Cols = p.Rows
	}
	switch {
	case p.Rows < domain.MinMazeSize || p.Rows > domain.MaxMazeSize:
		return nil, &domain.Error{Code: domain.CodeInvalidArgument, Field: "rows", Rule: "rows.range", Message: "rows must be 0 (the default, 10) or between 3 and 100"}
	case p.Cols < domain.MinMazeSize || p.Cols > domain.MaxMazeSize:
		return nil, &domain.Error{Code: domain.CodeInvalidArgument, Field: "cols", Rule: "cols.range", Message: "cols must be 0 (the same as rows) or between 3 and 100"}
	}
	if in.Seed != nil {
		p.Seed = *in.Seed
	} else {
		p.Seed = u.Random()
	}
	return domain.GenerateMaze(p), nil
}
