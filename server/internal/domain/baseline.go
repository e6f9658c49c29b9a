package domain

// NewBaselinePolicy makes the policy of one episode (law, §7). Only BaselineRandom uses the seed.
func NewBaselinePolicy(b Baseline, seed uint64) (Policy, bool) {
	switch b {
	case BaselineRandom:
		return policyFunc(func(e *Episode) Action { return Action(Draw(seed, e.steps+1) >> 62) }), true
	case BaselineWallFollower:
		return policyFunc(followWall), true
	case BaselineLeastRecentlyVisited:
		return policyFunc(leastRecentlyVisited), true
	case BaselineTrailHeuristic:
		return policyFunc(trailHeuristic), true
	case BaselineMemoryHeuristic:
		return policyFunc(memoryHeuristic), true
	case BaselineNearestFrontier:
		return &nearestFrontier{}, true
	case BaselineShortestPath:
		return &shortestPath{}, true
	default:
		return nil, false
	}
}

// policyFunc is a baseline without state or buffers.
type policyFunc func(*Episode) Action

// Decide gives no scores.
func (f policyFunc) Decide(e *Episode) (Action, ActionScores, error) {
	return f(e), ActionScores{}, nil
}

// rightOf, leftOf and backOf turn a heading.
var (
	rightOf = [4]Action{ActionUp: ActionRight, ActionRight: ActionDown, ActionDown: ActionLeft, ActionLeft: ActionUp}
	leftOf  = [4]Action{ActionUp: ActionLeft, ActionLeft: ActionDown, ActionDown: ActionRight, ActionRight: ActionUp}
	backOf  = [4]Action{ActionUp: ActionDown, ActionDown: ActionUp, ActionLeft: ActionRight, ActionRight: ActionLeft}
)

// followWall keeps the right hand on the wall. The heading is the last action, because the wall follower never bumps.
func followWall(e *Episode) Action {
	heading := ActionUp
	if e.steps > 0 {
		heading = Action(e.actions[e.steps-1])
	}
	for _, a := range [3]Action{rightOf[heading], heading, leftOf[heading]} {
		if !e.maze.wall[e.position+e.offset(a)] {
			return a
		}
	}
	return backOf[heading]
}

func leastRecentlyVisited(e *Episode) Action {
	a, _ := leastRecentlyVisitedBut(e, 0)
	return a
}

// leastRecentlyVisitedBut leaves out the neighbours that carry one of the marks; it returns false when no neighbour is left.
func leastRecentlyVisitedBut(e *Episode, marks uint8) (Action, bool) {
	best, found := ActionUp, false
	var oldest int32
	for a := ActionUp; a <= ActionRight; a++ {
		next := e.position + e.offset(a)
		if e.maze.wall[next] || e.cells[next].marks&marks != 0 {
			continue
		}
		if visit := e.cells[next].lastVisit; !found || visit < oldest {
			best, oldest, found = a, visit, true
		}
	}
	return best, found
}

func trailHeuristic(e *Episode) Action {
	if a, ok := towardsGoalInView(e); ok {
		return a
	}
	return leastRecentlyVisited(e)
}

func memoryHeuristic(e *Episode) Action {
	if a, ok := towardsGoalInView(e); ok {
		return a
	}
	e.dead.rescue(e, e.position)
	defer e.dead.release(e)
	if a, ok := leastRecentlyVisitedBut(e, markDead); ok {
		return a
	}
	return leastRecentlyVisited(e)
}

// towardsGoalInView walks to a goal that is inside the 5 × 5 view and can be reached inside of it.
func towardsGoalInView(e *Episode) (Action, bool) {
	const side, centre = 2*margin + 1, margin*(2*margin+1) + margin
	corner := e.position - margin*e.maze.stride - margin
	goal := -1
	var distances [side * side]int8
	for i := range distances {
		distances[i] = -1
		if corner+i/side*e.maze.stride+i%side == e.maze.goal {
			goal = i
		}
	}
	if goal < 0 {
		return 0, false
	}
	// neighbour returns the view's cell in that direction, or −1 outside of the view and in walls.
	neighbour := func(i int, a Action) int {
		r, c := i/side, i%side
		switch a {
		case ActionUp:
			r--
		case ActionDown:
			r++
		case ActionLeft:
			c--
		default:
			c++
		}
		if r < 0 || r >= side || c < 0 || c >= side || e.maze.wall[corner+r*e.maze.stride+c] {
			return -1
		}
		return r*side + c
	}
	var queue [side * side]int8
	distances[goal] = 0
	queue[0] = int8(goal)
	for head, tail := 0, 1; head < tail; head++ {
		at := int(queue[head])
		for a := ActionUp; a <= ActionRight; a++ {
			if next := neighbour(at, a); next >= 0 && distances[next] < 0 {
				distances[next] = distances[at] + 1
				queue[tail] = int8(next)
				tail++
			}
		}
	}
	if distances[centre] < 0 {
		return 0, false
	}
	for a := ActionUp; a <= ActionRight; a++ {
		if next := neighbour(centre, a); next >= 0 && distances[next] == distances[centre]-1 {
			return a, true
		}
	}
	return 0, false
}

// nearestFrontier plans on a map of all it has seen. Its fields are buffers.
type nearestFrontier struct {
	distances []int32
	came      []int32 // the cell from which the search reached a cell
	queue     []int32
}

// Decide gives no scores.
func (p *nearestFrontier) Decide(e *Episode) (Action, ActionScores, error) {
	m := e.maze
	if p.distances == nil {
		p.distances, p.came = make([]int32, len(m.wall)), make([]int32, len(m.wall))
		p.queue = make([]int32, 0, m.rows*m.cols)
	}
	for i := range p.distances {
		p.distances[i] = -1
	}
	neighbours := m.neighbours()
	p.distances[e.position] = 0
	p.queue = append(p.queue[:0], int32(e.position))
	frontier := -1
	for head := 0; head < len(p.queue) && p.distances[m.goal] < 0; head++ {
		at := int(p.queue[head])
		for _, offset := range neighbours {
			next := at + offset
			if !e.cells[next].seen {
				if frontier < 0 {
					frontier = at
				}
				continue
			}
			if !m.wall[next] && p.distances[next] < 0 {
				p.distances[next] = p.distances[at] + 1
				p.came[next] = int32(at)
				p.queue = append(p.queue, int32(next))
			}
		}
	}
	target := frontier
	if p.distances[m.goal] >= 0 {
		target = m.goal
	}
	if target < 0 || target == e.position {
		return ActionUp, ActionScores{}, nil
	}
	for int(p.came[target]) != e.position {
		target = int(p.came[target])
	}
	for a := ActionUp; a < ActionRight; a++ {
		if e.position+e.offset(a) == target {
			return a, ActionScores{}, nil
		}
	}
	return ActionRight, ActionScores{}, nil
}

// shortestPath knows the whole maze. Its field is a buffer.
type shortestPath struct{ distances []int32 }

// Decide gives no scores.
func (p *shortestPath) Decide(e *Episode) (Action, ActionScores, error) {
	if p.distances == nil {
		p.distances = e.maze.distancesFrom(e.maze.goal)
	}
	here := p.distances[e.position]
	for a := ActionUp; a < ActionRight; a++ {
		if next := e.position + e.offset(a); p.distances[next] >= 0 && p.distances[next] == here-1 {
			return a, ActionScores{}, nil
		}
	}
	return ActionRight, ActionScores{}, nil
}
