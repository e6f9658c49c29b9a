package domain

// deadEnds knows at every step which cells are known to lead nowhere (law, §5), at the cost of the cells that changed instead of a new removal
// over the whole grid. Three facts make that exact:
//
//  1. Seeing more only removes more: an unseen neighbour counts, a seen one counts at most as much. So the removal with no agent to protect is kept
//     between steps and only goes on where cells came into view.
//  2. The order in which cells were removed stays a valid order when more is seen. When a cell is removed at most one neighbour still counts; call it
//     its exit. Removed cells so form a forest.
//  3. Protecting the agent's cell can only save the chain agent → exit → exit of the exit → …, because any other cell met a chain cell alive only
//     as its own exit. The chain is saved when it ends in a cell that counts (unseen, or open and never removed), and only the agent's own cell is when it ends nowhere.
type deadEnds struct {
	work  []int32 // padded indexes of cells to look at, for settle
	saved []int32 // padded indexes of the chain that rescue saved, for release

	workMemory  [32]int32 // for the lists above, until they grow beyond it
	savedMemory [16]int32
}

// reveal takes note of a cell that has just come into view; settle must follow when all have.
func (d *deadEnds) reveal(e *Episode, at int) {
	if e.cells[at].marks&markWall == 0 {
		d.work = append(d.work, int32(at))
		return
	}
	d.discount(e, at)
}

// discount tells the neighbours of a cell that it counts no longer.
func (d *deadEnds) discount(e *Episode, at int) {
	for _, offset := range e.maze.neighbours() {
		next := at + offset
		cell := &e.cells[next]
		cell.counting--
		if cell.counting <= 1 && cell.seen && cell.marks&markWall == 0 {
			d.work = append(d.work, int32(next))
		}
	}
}

// settle removes until nothing changes.
func (d *deadEnds) settle(e *Episode) {
	for len(d.work) > 0 {
		at := int(d.work[len(d.work)-1])
		d.work = d.work[:len(d.work)-1]
		cell := &e.cells[at]
		if cell.marks != 0 || cell.counting > 1 {
			continue
		}
		cell.marks = markDead
		cell.exit = 0
		for _, offset := range e.maze.neighbours() {
			if next := at + offset; !e.cells[next].seen || e.cells[next].marks&(markWall|markDead) == 0 {
				cell.exit = int32(next)
			}
		}
		d.discount(e, at)
	}
}

// rescue takes the mark off the cells that are saved by an agent standing on the cell; release puts it back.
func (d *deadEnds) rescue(e *Episode, agent int) {
	if e.cells[agent].marks != markDead {
		return
	}
	d.saved = append(d.saved, int32(agent))
	at := agent
	for e.cells[at].marks == markDead {
		if e.cells[at].exit == 0 {
			d.saved = d.saved[:1]
			break
		}
		at = int(e.cells[at].exit)
		if !e.cells[at].seen {
			break
		}
		if e.cells[at].marks&markWall != 0 {
			d.saved = d.saved[:1] // it had not been seen when the cell before it was removed, and turned out to be wall
			break
		}
		if e.cells[at].marks == markDead {
			d.saved = append(d.saved, int32(at))
		}
	}
	for _, at := range d.saved {
		e.cells[at].marks = 0
	}
}

func (d *deadEnds) release(e *Episode) {
	for _, at := range d.saved {
		e.cells[at].marks = markDead
	}
	d.saved = d.saved[:0]
}
