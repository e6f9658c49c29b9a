package domain

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"strings"
)

// TwinPlay is what both languages must agree on for a seed (law, §8).
type TwinPlay struct {
	Episodes int
	Steps    int
	Digest   string // lower-case hex SHA-256 over everything that happened
}

// PlayTwin plays whole random episodes until at least so many steps are done, and hashes all that the law says about them.
func PlayTwin(seed uint64, steps int) TwinPlay {
	var play TwinPlay
	rng := NewSplitMix64(seed)
	digest := sha256.New()
	var view [ObservationLength]float32
	b := make([]byte, 0, 1+4+1+4+4+3*4*ObservationLength)
	for play.Steps < steps {
		rows := 3 + rng.Below(18)
		cols := 3 + rng.Below(18)
		loopPercent := [4]int{0, 0, 10, 30}[rng.Below(4)]
		m := GenerateMaze(GeneratorParams{Rows: rows, Cols: cols, Seed: rng.Next(), LoopPercent: loopPercent})
		writeText(digest, m.Rows())
		e := NewEpisode(m)
		shortest := &shortestPath{}
		for e.Outcome() == OutcomeRunning {
			var action Action
			if rng.Below(2) == 0 {
				action = Action(rng.Below(4))
			} else {
				action, _, _ = shortest.Decide(e) // a baseline has no errors
			}
			s := e.Apply(action)
			b = append(b[:0], byte(action))
			b = binary.LittleEndian.AppendUint32(b, uint32(s.Position.Row*cols+s.Position.Col))
			b = append(b, flags(s))
			b = binary.LittleEndian.AppendUint32(b, uint32(int32(s.Reward)))
			b = binary.LittleEndian.AppendUint32(b, uint32(int32(s.Cumulative)))
			for _, v := range [3]ObservationVersion{ObservationPlain, ObservationTrail, ObservationMemory} {
				e.Observe(v, &view)
				for _, value := range view {
					b = binary.LittleEndian.AppendUint32(b, math.Float32bits(value))
				}
			}
			digest.Write(b)
		}
		play.Episodes++
		play.Steps += e.Steps()
	}
	play.Digest = hex.EncodeToString(digest.Sum(nil))
	return play
}

func writeText(h hash.Hash, rows []string) { h.Write([]byte(strings.Join(rows, "\n"))) }

func flags(s Step) (f byte) {
	if s.HitWall {
		f |= 1
	}
	switch s.Outcome {
	case OutcomeReachedGoal:
		f |= 2
	case OutcomeStepLimit:
		f |= 4
	}
	return f
}
