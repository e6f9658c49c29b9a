package domain

import "fmt"

// Sentinels of the maze ports; compare with errors.Is.
var (
	ErrMazeNotFound    = &Error{Code: CodeNotFound, Field: "maze_id", Rule: "maze.unknown", Message: "no such maze; ListMazes names those that exist, GenerateMaze makes new ones"}
	ErrMazeSetNotFound = &Error{Code: CodeNotFound, Field: "set_id", Rule: "maze_set.unknown", Message: "no such maze set; ListMazeSets names those that exist"}
)

// MazeSet is a committed collection of mazes, in the order of their ids.
type MazeSet struct {
	ID             string
	Description    string
	Rows, Cols     int // that all mazes share; 0 when they differ
	SeenInTraining bool
	Hash           string
	Mazes          []*Maze
}

// MazeCatalog holds the committed sets. It never fails: it was read whole at the start.
type MazeCatalog interface {
	// MazeSets returns every set in the fixed order showcase, puzzles, heldout, large20, large30, large50, validation, training. The caller must not change them.
	MazeSets() []MazeSet
	// FindMaze returns the maze of a committed set, or false.
	FindMaze(id string) (*Maze, bool)
	// FindMazeByHash returns the maze of a committed set with that canonical hash, or false.
	FindMazeByHash(hash string) (*Maze, bool)
}

// MazeRef names the maze of an episode: by ID, or by its cells where Drawn is not nil.
type MazeRef struct {
	ID    string
	Drawn []string
}

// ResolveMaze returns the maze that the reference means: a drawn one, one of a committed set, or a generated one whose parameters its id holds.
// Errors: CodeInvalidArgument on "maze.drawn.rows" with the first broken rule, ErrMazeNotFound (field "maze.maze_id").
func ResolveMaze(catalog MazeCatalog, ref MazeRef) (*Maze, error) {
	if ref.Drawn != nil {
		m, problems := ParseMaze(ref.Drawn)
		if problems != nil {
			return nil, problems[0].Err("maze.drawn.rows")
		}
		return m, nil
	}
	if m, ok := catalog.FindMaze(ref.ID); ok {
		return m, nil
	}
	if p, ok := ParseGeneratedMazeID(ref.ID); ok {
		return GenerateMaze(p), nil
	}
	return nil, &Error{Code: CodeNotFound, Field: "maze.maze_id", Rule: ErrMazeNotFound.Rule, Message: fmt.Sprintf("there is no maze %q; ListMazes names those that exist, GenerateMaze makes new ones", ref.ID)}
}
