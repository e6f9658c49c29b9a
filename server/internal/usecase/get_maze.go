package usecase

import "github.com/rlmaze/rlmaze/server/internal/domain"

// GetMaze returns the maze of a committed set, or a generated one made again from its id.
type GetMaze struct{ Catalog domain.MazeCatalog }

// Run returns CodeNotFound with field "maze_id".
func (u *GetMaze) Run(id string) (*domain.Maze, error) {
	if m, ok := u.Catalog.FindMaze(id); ok {
		return m, nil
	}
	if p, ok := domain.ParseGeneratedMazeID(id); ok {
		return domain.GenerateMaze(p), nil
	}
	return nil, domain.ErrMazeNotFound
}
