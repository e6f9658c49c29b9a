package domain

// ObservationLength is the number of values of an observation: the 5 × 5 view, row-major, the agent in the middle.
const ObservationLength = 25

// Observe fills o with the observation of the present moment. It allocates nothing.
func (e *Episode) Observe(v ObservationVersion, o *[ObservationLength]float32) {
	e.observeAt(e.position, v, o)
}

// observeAt is the observation as if the agent stood on the cell now: that cell has age 0, every other one keeps its age, what was seen is unchanged.
func (e *Episode) observeAt(agent int, v ObservationVersion, o *[ObservationLength]float32) {
	if v == ObservationMemory {
		e.dead.rescue(e, agent)
		defer e.dead.release(e)
	}
	stride := e.maze.stride
	i := 0
	corner := agent - margin*stride - margin
	blocked := markWall
	if v == ObservationMemory {
		blocked |= markDead
	}
	for range 5 {
		for c := range e.cells[corner : corner+5 : corner+5] {
			cell := &e.cells[corner+c]
			value := float32(0)
			switch mark := cell.marks; {
			case mark&blocked != 0:
				value = -1
			case mark == markGoal:
				value = 1
			case cell.lastVisit >= 0 && v != ObservationPlain:
				value = trailAge(e.steps - int(cell.lastVisit))
			}
			o[i] = value
			i++
		}
		corner += stride
	}
	const centre = ObservationLength / 2
	if v != ObservationPlain && agent != e.maze.goal {
		o[centre] = trailAge(0)
	}
}

// KnownDead says whether the agent knows that the cell leads nowhere.
func (e *Episode) KnownDead(c Cell) bool {
	if c.Row < 0 || c.Row >= e.maze.rows || c.Col < 0 || c.Col >= e.maze.cols {
		return false
	}
	e.dead.rescue(e, e.position)
	defer e.dead.release(e)
	return e.cells[e.maze.padded(c)].marks&markDead != 0
}
