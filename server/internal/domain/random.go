package domain

// goldenGamma is 2^64 divided by the golden ratio, made odd: the increment of SplitMix64.
const goldenGamma = 0x9E3779B97F4A7C15

// SplitMix64 is the only source of pseudo-randomness of the law (§1; Steele, Lea, Flood, OOPSLA 2014). It is not for secrets and not safe for
// concurrent use. The zero value is the stream of seed 0.
type SplitMix64 struct{ state uint64 }

// NewSplitMix64 starts the stream of a seed.
func NewSplitMix64(seed uint64) SplitMix64 { return SplitMix64{state: seed} }

// Next returns the next 64 bits.
func (g *SplitMix64) Next() uint64 {
	g.state += goldenGamma
	return mix64(g.state)
}

// Below returns a number in [0, n); n must be positive and less than 2^32. Its bias is at most n / 2^32.
func (g *SplitMix64) Below(n int) int { return int(((g.Next() >> 32) * uint64(n)) >> 32) }

// Draw is number step (from 0) of the stream of seed, without a state: what makes a resume at any step possible.
func Draw(seed uint64, step int) uint64 { return mix64(seed + (uint64(step)+1)*goldenGamma) }

// Unit is Draw as a float64 in [0, 1).
func Unit(seed uint64, step int) float64 { return float64(Draw(seed, step)>>11) * 0x1p-53 }

func mix64(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}
