package domain

import (
	"math"
	"strconv"
	"strings"
)

// GeneratorParams are all that the generator needs: the same ones give the same maze in every language.
type GeneratorParams struct {
	Rows, Cols  int // 3–100
	Seed        uint64
	LoopPercent int // 0–100: the share of walls between two passages to open
}

// LoopPercentOf rounds a ratio (0–1) to the generator's steps of 0.01.
func LoopPercentOf(ratio float64) int { return int(math.Floor(ratio*100 + 0.5)) }

// Valid says whether every parameter is in its range.
func (p GeneratorParams) Valid() bool {
	inRange := func(n int) bool { return n >= MinMazeSize && n <= MaxMazeSize }
	return inRange(p.Rows) && inRange(p.Cols) && p.LoopPercent >= 0 && p.LoopPercent <= 100
}

// ID is the id of the maze that these parameters give ("generated-10x10-42-30").
func (p GeneratorParams) ID() string {
	b := make([]byte, 0, 48)
	b = append(b, "generated-"...)
	b = strconv.AppendInt(b, int64(p.Rows), 10)
	b = append(b, 'x')
	b = strconv.AppendInt(b, int64(p.Cols), 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, p.Seed, 10)
	if p.LoopPercent > 0 {
		b = append(b, '-')
		b = strconv.AppendInt(b, int64(p.LoopPercent), 10)
	}
	return string(b)
}

// ParseGeneratedMazeID reads the id of a generated maze. Only the spelling of GeneratorParams.ID is accepted, so that one maze has one id.
func ParseGeneratedMazeID(id string) (GeneratorParams, bool) {
	rest, ok := strings.CutPrefix(id, "generated-")
	if !ok {
		return GeneratorParams{}, false
	}
	parts := strings.Split(rest, "-")
	if len(parts) < 2 || len(parts) > 3 {
		return GeneratorParams{}, false
	}
	rows, cols, ok := strings.Cut(parts[0], "x")
	if !ok {
		return GeneratorParams{}, false
	}
	var p GeneratorParams
	var err [4]error
	p.Rows, err[0] = strconv.Atoi(rows)
	p.Cols, err[1] = strconv.Atoi(cols)
	p.Seed, err[2] = strconv.ParseUint(parts[1], 10, 64)
	if len(parts) == 3 {
		p.LoopPercent, err[3] = strconv.Atoi(parts[2])
	}
	if err != [4]error{} || !p.Valid() || p.ID() != id {
		return GeneratorParams{}, false
	}
	return p, true
}

// GenerateMaze makes a maze by recursive backtracking on the cells themselves (law, §2). The parameters must be Valid.
func GenerateMaze(p GeneratorParams) *Maze {
	if !p.Valid() {
		panic("domain: GenerateMaze with parameters out of range")
	}
	g := generator{rng: NewSplitMix64(p.Seed)}
	g.m = Maze{rows: p.Rows, cols: p.Cols, stride: p.Cols + 2*margin}
	g.m.wall = make([]bool, (p.Rows+2*margin)*g.m.stride)
	for i := range g.m.wall {
		g.m.wall[i] = true
	}
	g.carve()
	loopRatio := float64(p.LoopPercent) / 100
	g.openLoops(loopRatio)
	g.placeEnds()
	m, problems := ParseMaze(g.draw())
	if problems != nil {
		panic("domain: the generator made a maze that breaks " + problems[0].Rule)
	}
	m.ID, m.Seed, m.LoopRatio = p.ID(), p.Seed, loopRatio
	return m
}

// generator is the work in progress of GenerateMaze.
type generator struct {
	m   Maze // wall only, and start and goal at the end
	rng SplitMix64
}

func (g *generator) inside(padded int) bool {
	c := g.m.cell(padded)
	return c.Row >= 0 && c.Row < g.m.rows && c.Col >= 0 && c.Col < g.m.cols
}

// carve makes a spanning tree of open cells.
func (g *generator) carve() {
	r := g.rng.Below(g.m.rows)
	c := g.rng.Below(g.m.cols)
	first := g.m.padded(Cell{r, c})
	g.m.wall[first] = false
	neighbours := g.m.neighbours()
	stack := append(make([]int, 0, g.m.rows*g.m.cols), first)
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		var candidates [4]int
		n := 0
		for _, offset := range neighbours {
			next := top + offset
			if !g.m.wall[next] || !g.inside(next) {
				continue
			}
			open := 0
			for _, around := range neighbours {
				if !g.m.wall[next+around] {
					open++
				}
			}
			if open == 1 {
				candidates[n] = next
				n++
			}
		}
		if n == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		next := candidates[g.rng.Below(n)]
		g.m.wall[next] = false
		stack = append(stack, next)
	}
}

// openLoops opens a share of the walls that stand between exactly two passages.
func (g *generator) openLoops(ratio float64) {
	var candidates []int
	for r := range g.m.rows {
		for c := range g.m.cols {
			at := g.m.padded(Cell{r, c})
			if !g.m.wall[at] {
				continue
			}
			up, down, left, right := g.m.wall[at-g.m.stride], g.m.wall[at+g.m.stride], g.m.wall[at-1], g.m.wall[at+1]
			if !up && !down && left && right || up && down && !left && !right {
				candidates = append(candidates, at)
			}
		}
	}
	k := int(math.Floor(ratio * float64(len(candidates))))
	for i := range k {
		j := i + g.rng.Below(len(candidates)-i)
		candidates[i], candidates[j] = candidates[j], candidates[i]
		g.m.wall[candidates[i]] = false
	}
}

// placeEnds draws start and goal, far enough apart where that is possible.
func (g *generator) placeEnds() {
	var open []int
	for at, wall := range g.m.wall {
		if !wall {
			open = append(open, at)
		}
	}
	need := int32(max(g.m.rows, g.m.cols))
	distances := make([]int32, len(g.m.wall))
	queue := make([]int32, 0, len(open))
	measure := func(from int) {
		for i := range distances {
			distances[i] = -1
		}
		queue = g.m.fillDistances(from, distances, queue)
	}
	far := make([]int, 0, len(open))
	for range 100 {
		g.m.start = open[g.rng.Below(len(open))]
		measure(g.m.start)
		far = far[:0]
		for _, at := range open {
			if distances[at] >= need {
				far = append(far, at)
			}
		}
		if len(far) > 0 {
			g.m.goal = far[g.rng.Below(len(far))]
			return
		}
	}
	farthest := func(from int) int {
		measure(from)
		best := open[0]
		for _, at := range open {
			if distances[at] > distances[best] {
				best = at
			}
		}
		return best
	}
	g.m.start = farthest(open[0])
	g.m.goal = farthest(g.m.start)
}

func (g *generator) draw() []string {
	rows := make([]string, g.m.rows)
	line := make([]byte, g.m.cols)
	for r := range rows {
		for c := range line {
			switch at := g.m.padded(Cell{r, c}); {
			case at == g.m.start:
				line[c] = 'S'
			case at == g.m.goal:
				line[c] = 'G'
			case g.m.wall[at]:
				line[c] = '#'
			default:
				line[c] = '.'
			}
		}
		rows[r] = string(line)
	}
	return rows
}
