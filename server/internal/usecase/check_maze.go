package usecase

import "github.com/rlmaze/rlmaze/server/internal/domain"

// CheckMaze judges a drawn maze.
type CheckMaze struct{ Catalog domain.MazeCatalog }

// CheckMazeOutput is the judgement: either Problems, or a Maze that any model can run on.
type CheckMazeOutput struct {
	Problems    []domain.MazeProblem
	Maze        *domain.Maze
	KnownMazeID string // of the committed maze that is the same but for rotation and mirroring
}

// Run returns CodeInvalidArgument on "maze.rows" when the rows are no grid of the four characters within the allowed size; every other broken
// rule is a problem of the output.
func (u *CheckMaze) Run(rows []string) (CheckMazeOutput, error) {
	m, problems := domain.ParseMaze(rows)
	if problems != nil {
		if rule := problems[0].Rule; rule == "rows.size" || rule == "rows.characters" {
			return CheckMazeOutput{}, problems[0].Err("maze.rows")
		}
		return CheckMazeOutput{Problems: problems}, nil
	}
	out := CheckMazeOutput{Maze: m}
	if known, ok := u.Catalog.FindMazeByHash(m.Hash()); ok {
		out.KnownMazeID = known.ID
	}
	return out, nil
}
