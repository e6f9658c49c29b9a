package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// The smallest and the largest maze, in rows and in columns.
const (
	MinMazeSize = 3
	MaxMazeSize = 100
)

// margin is how far the 5 × 5 view reaches beyond the cell in its middle. Grids are kept with a margin of wall around them, so that no
// view and no neighbour needs a bounds check.
const margin = 2

// Cell is one place of a maze: origin top left, rows grow downwards.
type Cell struct{ Row, Col int }

// Difficulty is a band of the shortest path relative to the size.
type Difficulty int

// The difficulties; DifficultyAny is the filter that keeps all.
const (
	DifficultyAny Difficulty = iota
	DifficultyEasy
	DifficultyMedium
	DifficultyHard
)

// Maze is a solvable grid with one start and one goal. It is immutable and shared by pointer; ParseMaze and GenerateMaze are the only ways to one.
type Maze struct {
	ID        string // empty for a drawn maze
	SetID     string // empty for a generated or drawn maze
	Title     string
	Tests     string  // what a puzzle tests
	Seed      uint64  // of the generator; 0 when made by hand
	LoopRatio float64 // of the generator

	rows, cols int
	stride     int    // cols + 2 · margin
	wall       []bool // padded, true for walls and for the margin
	start      int    // padded index
	goal       int    // padded index
	shortest   int
	text       []string
	hash       string
	rowsHash   [sha256.Size]byte
}

// Rows returns the text, one string a row. The caller must not change it.
func (m *Maze) Rows() []string { return m.text }

// Size returns the numbers of rows and columns.
func (m *Maze) Size() (rows, cols int) { return m.rows, m.cols }

// Start returns the cell marked 'S'.
func (m *Maze) Start() Cell { return m.cell(m.start) }

// Goal returns the cell marked 'G'.
func (m *Maze) Goal() Cell { return m.cell(m.goal) }

// ShortestPath is the number of steps from start to goal, at least 1.
func (m *Maze) ShortestPath() int { return m.shortest }

// MaxSteps is the step limit of an episode.
func (m *Maze) MaxSteps() int { return 2 * m.rows * m.cols }

// Hash is the lower-case hex SHA-256 of the canonical form: the smallest of the eight rotations and mirror images. Two mazes with one hash are the same maze.
func (m *Maze) Hash() string { return m.hash }

// RowsHash is the SHA-256 of the rows as they are: what a resume token pins, because a mirrored maze makes another episode.
func (m *Maze) RowsHash() [sha256.Size]byte { return m.rowsHash }

// Difficulty is the band that follows from the shortest path and the size.
func (m *Maze) Difficulty() Difficulty {
	switch size := m.rows + m.cols; {
	case 5*m.shortest < 4*size:
		return DifficultyEasy
	case 5*m.shortest < 6*size:
		return DifficultyMedium
	default:
		return DifficultyHard
	}
}

// Open says whether the cell is inside and no wall.
func (m *Maze) Open(c Cell) bool {
	return c.Row >= 0 && c.Row < m.rows && c.Col >= 0 && c.Col < m.cols && !m.wall[m.padded(c)]
}

func (m *Maze) padded(c Cell) int { return (c.Row+margin)*m.stride + c.Col + margin }

func (m *Maze) cell(padded int) Cell {
	return Cell{Row: padded/m.stride - margin, Col: padded%m.stride - margin}
}

// openCells returns the padded indexes of the open cells in row-major order.
func (m *Maze) openCells() []int32 {
	cells := make([]int32, 0, m.rows*m.cols)
	for at, wall := range m.wall {
		if !wall {
			cells = append(cells, int32(at))
		}
	}
	return cells
}

// neighbours returns the offsets from a padded index to its neighbours in the order of the actions.
func (m *Maze) neighbours() [4]int { return [4]int{-m.stride, m.stride, -1, 1} }

// MazeProblem is one rule that drawn rows break.
type MazeProblem struct {
	Rule    string
	Message string
	Cells   []Cell // that break it, where there are any
}

// Err is the problem as the error of a request whose field holds the rows.
func (p MazeProblem) Err(field string) *Error {
	return &Error{Code: CodeInvalidArgument, Field: field, Rule: p.Rule, Message: p.Message}
}

// ParseMaze returns the maze that the rows draw, or every rule that they break; exactly one of the two is nil. Rules "rows.size" and
// "rows.characters" mean that the rows are no drawn maze at all and stand alone; of the others there may be several.
func ParseMaze(rows []string) (*Maze, []MazeProblem) {
	if problems := gridProblems(rows); problems != nil {
		return nil, problems
	}
	var starts, goals, ragged []Cell
	for r, row := range rows {
		if len(row) != len(rows[0]) {
			ragged = append(ragged, Cell{r, min(len(row), len(rows[0]))})
		}
		for c := range len(row) {
			switch row[c] {
			case 'S':
				starts = append(starts, Cell{r, c})
			case 'G':
				goals = append(goals, Cell{r, c})
			}
		}
	}
	var problems []MazeProblem
	if ragged != nil {
		problems = append(problems, MazeProblem{
			Rule:    "rows.ragged",
			Message: fmt.Sprintf("row %d has %d columns and row 0 has %d; all rows must have the same length", ragged[0].Row, len(rows[ragged[0].Row]), len(rows[0])),
			Cells:   ragged,
		})
	}
	switch {
	case len(starts) == 0:
		problems = append(problems, MazeProblem{Rule: "start.missing", Message: "the maze has no start; mark one cell 'S'"})
	case len(starts) > 1:
		problems = append(problems, MazeProblem{Rule: "start.many", Message: fmt.Sprintf("the maze has %d starts; exactly one is allowed", len(starts)), Cells: starts[1:]})
	}
	switch {
	case len(goals) == 0:
		problems = append(problems, MazeProblem{Rule: "goal.missing", Message: "the maze has no goal; mark one cell 'G'"})
	case len(goals) > 1:
		problems = append(problems, MazeProblem{Rule: "goal.many", Message: fmt.Sprintf("the maze has %d goals; exactly one is allowed", len(goals)), Cells: goals[1:]})
	}
	if problems != nil {
		return nil, problems
	}
	m := &Maze{rows: len(rows), cols: len(rows[0]), stride: len(rows[0]) + 2*margin, text: rows}
	m.wall = make([]bool, (m.rows+2*margin)*m.stride)
	for i := range m.wall {
		c := m.cell(i)
		m.wall[i] = c.Row < 0 || c.Row >= m.rows || c.Col < 0 || c.Col >= m.cols || rows[c.Row][c.Col] == '#'
	}
	m.start, m.goal = m.padded(starts[0]), m.padded(goals[0])
	m.shortest = int(m.distancesFrom(m.start)[m.goal])
	if m.shortest < 0 {
		return nil, []MazeProblem{{Rule: "goal.unreachable", Message: "there is no way from the start to the goal; open a wall between them", Cells: []Cell{goals[0]}}}
	}
	joined := strings.Join(rows, "\n")
	m.rowsHash = sha256.Sum256([]byte(joined))
	m.hash = canonicalHash(joined, m.rows, m.cols)
	return m, nil
}

// gridProblems names what keeps the rows from being drawn cells at all: their number, or characters that mean nothing.
func gridProblems(rows []string) []MazeProblem {
	outOfRange := func(what string, n int) []MazeProblem {
		return []MazeProblem{{Rule: "rows.size", Message: fmt.Sprintf("the maze has %d %s; %d to %d are allowed", n, what, MinMazeSize, MaxMazeSize)}}
	}
	if len(rows) < MinMazeSize || len(rows) > MaxMazeSize {
		return outOfRange("rows", len(rows))
	}
	var strange []Cell
	for r, row := range rows {
		if len(row) < MinMazeSize || len(row) > MaxMazeSize {
			return outOfRange("columns", len(row))
		}
		for c := range len(row) {
			if strings.IndexByte("#.SG", row[c]) < 0 {
				strange = append(strange, Cell{r, c})
			}
		}
	}
	if strange != nil {
		return []MazeProblem{{Rule: "rows.characters", Message: "the maze holds other characters than '#' (wall), '.' (path), 'S' (start) and 'G' (goal)", Cells: strange}}
	}
	return nil
}

// distancesFrom returns the number of steps from a cell to each cell, by padded index; −1 where there is no way.
func (m *Maze) distancesFrom(from int) []int32 {
	distances := make([]int32, len(m.wall))
	for i := range distances {
		distances[i] = -1
	}
	m.fillDistances(from, distances, make([]int32, 0, m.rows*m.cols))
	return distances
}

// fillDistances is distancesFrom into a slice that holds −1 everywhere; it returns the queue, which holds the reached cells in the order of their distance.
func (m *Maze) fillDistances(from int, distances, queue []int32) []int32 {
	neighbours := m.neighbours()
	distances[from] = 0
	queue = append(queue[:0], int32(from))
	for head := 0; head < len(queue); head++ {
		at := int(queue[head])
		for _, offset := range neighbours {
			if next := at + offset; !m.wall[next] && distances[next] < 0 {
				distances[next] = distances[at] + 1
				queue = append(queue, int32(next))
			}
		}
	}
	return queue
}

// symmetry is one of the eight rotations and mirror images, as a walk through the rows joined by '\n': the cell (r, c) of the image is the byte
// first + r · down + c · right.
type symmetry struct{ first, down, right, height, width int }

func symmetries(height, width int) [8]symmetry {
	stride := width + 1
	last := (height - 1) * stride
	var all [8]symmetry
	for i := range all {
		s := symmetry{down: stride, right: 1, height: height, width: width}
		if i&1 != 0 {
			s.first, s.down = s.first+last, -s.down
		}
		if i&2 != 0 {
			s.first, s.right = s.first+width-1, -s.right
		}
		if i&4 != 0 {
			s.down, s.right, s.height, s.width = s.right, s.down, s.width, s.height
		}
		all[i] = s
	}
	return all
}

// less compares two images of the same joined rows byte by byte; most pairs differ within the first few.
func (s symmetry) less(o symmetry, joined string) bool {
	n := s.height * (s.width + 1)
	if other := o.height * (o.width + 1); other < n {
		n = other
	}
	sr, sc, or, oc := 0, 0, 0, 0
	at := func(s symmetry, r, c *int) byte {
		if *c == s.width {
			*r, *c = *r+1, 0
			return '\n'
		}
		*c++
		return joined[s.first+*r*s.down+(*c-1)*s.right]
	}
	for range n - 1 {
		if a, b := at(s, &sr, &sc), at(o, &or, &oc); a != b {
			return a < b
		}
	}
	return s.height*(s.width+1) < o.height*(o.width+1)
}

// canonicalHash hashes the smallest of the eight rotations and mirror images of the joined rows.
func canonicalHash(joined string, height, width int) string {
	all := symmetries(height, width)
	best := all[0]
	for _, s := range all[1:] {
		if s.less(best, joined) {
			best = s
		}
	}
	form := make([]byte, 0, best.height*(best.width+1))
	for r := range best.height {
		if r > 0 {
			form = append(form, '\n')
		}
		for c := range best.width {
			form = append(form, joined[best.first+r*best.down+c*best.right])
		}
	}
	sum := sha256.Sum256(form)
	return hex.EncodeToString(sum[:])
}

// SetHash names the content of a set: SHA-256 over its mazes' hashes, each followed by '\n', in order.
func SetHash(mazes []*Maze) string {
	h := sha256.New()
	for _, m := range mazes {
		h.Write([]byte(m.hash))
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil))
}
