package domain

// rewards in hundredths, so that sums are exact
const (
	rewardStep = -1
	rewardBump = -5
	rewardGoal = 100
)

// never is the last visit of a cell on which the agent has not stood.
const never = -1

// Marks of a cell that decide its value in an observation before its age does.
const (
	markWall uint8 = 1 << iota // wall or outside
	markGoal
	markDead // leads nowhere, were the agent elsewhere; see deadEnds
)

// Episode is one agent in one maze: a state machine that is advanced by Apply and looked at by Observe. Nothing of it is random and nothing
// reads a clock, so the actions alone determine it. It is not safe for concurrent use.
type Episode struct {
	maze     *Maze
	position int // padded index, as all cells inside
	steps    int
	bumps    int
	revisits int
	outcome  Outcome
	actions  []byte
	cells    []cellState // by padded index
	dead     deadEnds

	actionMemory [64]byte // for actions, until there are more of them
}

// cellState is what the episode knows of one cell. It lies together, because it is looked at together.
type cellState struct {
	lastVisit int32 // never, or the step after which the agent last stood there
	exit      int32 // of a removed cell (see deadEnds): the neighbour that counted, or 0
	marks     uint8
	seen      bool // was inside the 5 × 5 view once; the margin counts as seen from the start
	counting  int8 // neighbours inside the grid that are unseen, or open and not removed
}

// NewEpisode puts the agent on the maze's start. It allocates twice, and a long episode or a large maze a few times more.
func NewEpisode(m *Maze) *Episode {
	e := &Episode{maze: m, position: m.start, cells: make([]cellState, len(m.wall))}
	e.actions = e.actionMemory[:0]
	e.dead.work, e.dead.saved = e.dead.workMemory[:0], e.dead.savedMemory[:0]
	for i := range e.cells {
		e.cells[i] = cellState{lastVisit: never, marks: markWall, seen: true}
	}
	for r := range m.rows {
		at := m.padded(Cell{r, 0})
		for c := range m.cols {
			cell := &e.cells[at+c]
			cell.seen = false
			if !m.wall[at+c] {
				cell.marks = 0
			}
			cell.counting = 4
			if r == 0 || r == m.rows-1 {
				cell.counting--
			}
			if c == 0 || c == m.cols-1 {
				cell.counting--
			}
		}
	}
	e.cells[m.goal].marks = markGoal
	e.cells[m.start].lastVisit = 0
	e.look()
	return e
}

// Step is what one action did.
type Step struct {
	Index      int // from 1
	Action     Action
	Position   Cell // after the move
	HitWall    bool
	Outcome    Outcome // OutcomeRunning unless this step ended the episode
	Reward     int     // in hundredths
	Cumulative int     // in hundredths, this step included
}

// Apply makes one step. It must not be called when the episode has ended.
func (e *Episode) Apply(a Action) Step {
	if e.outcome != OutcomeRunning {
		panic("domain: Apply after the end of the episode")
	}
	s := Step{Action: a, Reward: rewardStep}
	if target := e.position + e.offset(a); e.maze.wall[target] {
		e.bumps++
		s.HitWall = true
		s.Reward += rewardBump
	} else {
		e.position = target
	}
	e.steps++
	e.actions = append(e.actions, byte(a))
	if e.cells[e.position].lastVisit != never {
		e.revisits++
	}
	e.cells[e.position].lastVisit = int32(e.steps)
	if !s.HitWall {
		e.look()
	}
	switch {
	case e.position == e.maze.goal:
		e.outcome = OutcomeReachedGoal
		s.Reward += rewardGoal
	case e.steps >= e.maze.MaxSteps():
		e.outcome = OutcomeStepLimit
	}
	s.Index, s.Position, s.Outcome, s.Cumulative = e.steps, e.maze.cell(e.position), e.outcome, e.RewardHundredths()
	return s
}

func (e *Episode) offset(a Action) int {
	switch a {
	case ActionUp:
		return -e.maze.stride
	case ActionDown:
		return e.maze.stride
	case ActionLeft:
		return -1
	default:
		return 1
	}
}

// look makes the 5 × 5 view around the agent seen.
func (e *Episode) look() {
	for row := e.position - margin*e.maze.stride - margin; row <= e.position+margin*e.maze.stride; row += e.maze.stride {
		for at := row; at <= row+2*margin; at++ {
			if !e.cells[at].seen {
				e.cells[at].seen = true
				e.dead.reveal(e, at)
			}
		}
	}
	e.dead.settle(e)
}

// Maze in which the episode happens.
func (e *Episode) Maze() *Maze { return e.maze }

// Position of the agent.
func (e *Episode) Position() Cell { return e.maze.cell(e.position) }

// Steps made so far.
func (e *Episode) Steps() int { return e.steps }

// Bumps into walls so far.
func (e *Episode) Bumps() int { return e.bumps }

// Revisits are the steps so far after which the agent stood on a cell where it had stood before; the start counts, and a bump is one.
func (e *Episode) Revisits() int { return e.revisits }

// Outcome is OutcomeRunning until the episode has ended.
func (e *Episode) Outcome() Outcome { return e.outcome }

// Actions so far, one a byte. The caller must not change them, and must copy them to keep them beyond the next Apply.
func (e *Episode) Actions() []byte { return e.actions }

// RewardHundredths is the cumulative reward in hundredths, from counters and never accumulated.
func (e *Episode) RewardHundredths() int {
	total := rewardStep*e.steps + rewardBump*e.bumps
	if e.outcome == OutcomeReachedGoal {
		total += rewardGoal
	}
	return total
}

// TotalReward is the cumulative reward.
func (e *Episode) TotalReward() float64 { return float64(e.RewardHundredths()) / 100 }

// SPL is success · shortest / max(shortest, steps).
func (e *Episode) SPL() float64 {
	if e.outcome != OutcomeReachedGoal {
		return 0
	}
	shortest := e.maze.shortest
	return float64(shortest) / float64(max(shortest, e.steps))
}
