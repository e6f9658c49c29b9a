package domain

import "math"

// Curve is one figure over the timesteps of a run. All columns have the same length; the last point is exact.
type Curve struct {
	Timesteps []int64   // at the end of each bucket, ascending
	Values    []float64 // means of the buckets
	Lows      []float64 // empty when nothing was down-sampled
	Highs     []float64 // likewise
	ElapsedS  []float64 // at the end of each bucket, since the run started
	Points    int64     // before down-sampling
}

// CurvePoint is one point of a curve.
type CurvePoint struct {
	Timesteps int64
	Value     float64
	ElapsedS  float64
}

// CurveBuilder takes the points of a curve one after the other and keeps at most so many of them, however many come: when its buckets are
// full, each becomes one with its neighbour. So all buckets hold the same number of points, but for the last one, and memory does not grow.
type CurveBuilder struct {
	most    int   // buckets, the last point not among them
	per     int64 // points of a full bucket
	buckets []bucket
	last    CurvePoint // in no bucket yet
	points  int64
}

type bucket struct {
	timesteps int64
	elapsedS  float64
	sum       float64
	low, high float64
	count     int64
}

// NewCurveBuilder returns a builder of a curve with at most so many points, two at least.
func NewCurveBuilder(mostPoints int) *CurveBuilder {
	return &CurveBuilder{most: max(mostPoints, 2) - 1, per: 1}
}

// Add adds a point; one whose value is not finite is left out.
func (b *CurveBuilder) Add(p CurvePoint) {
	if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
		return
	}
	if b.points > 0 {
		b.collect(b.last)
	}
	b.last = p
	b.points++
}

func (b *CurveBuilder) collect(p CurvePoint) {
	n := len(b.buckets)
	if n == b.most && b.buckets[n-1].count == b.per {
		b.halve()
		n = len(b.buckets)
	}
	if n == 0 || b.buckets[n-1].count == b.per {
		b.buckets = append(b.buckets, bucket{low: p.Value, high: p.Value})
		n++
	}
	b.buckets[n-1].add(bucket{timesteps: p.Timesteps, elapsedS: p.ElapsedS, sum: p.Value, low: p.Value, high: p.Value, count: 1})
}

func (b *CurveBuilder) halve() {
	kept := b.buckets[:0]
	for i := 0; i < len(b.buckets); i += 2 {
		merged := b.buckets[i]
		if i+1 < len(b.buckets) {
			merged.add(b.buckets[i+1])
		}
		kept = append(kept, merged)
	}
	b.buckets, b.per = kept, 2*b.per
}

func (k *bucket) add(later bucket) {
	k.timesteps, k.elapsedS = later.timesteps, later.elapsedS
	k.sum += later.sum
	k.low, k.high = min(k.low, later.low), max(k.high, later.high)
	k.count += later.count
}

// Curve returns the curve so far.
func (b *CurveBuilder) Curve() Curve {
	c := Curve{Points: b.points}
	if b.points == 0 {
		return c
	}
	for _, k := range b.buckets {
		c.append(k.timesteps, k.elapsedS, k.sum/float64(k.count), k.low, k.high)
	}
	c.append(b.last.Timesteps, b.last.ElapsedS, b.last.Value, b.last.Value, b.last.Value)
	if b.per == 1 {
		c.Lows, c.Highs = nil, nil
	}
	return c
}

func (c *Curve) append(timesteps int64, elapsedS, value, low, high float64) {
	c.Timesteps = append(c.Timesteps, timesteps)
	c.ElapsedS = append(c.ElapsedS, elapsedS)
	c.Values = append(c.Values, value)
	c.Lows = append(c.Lows, low)
	c.Highs = append(c.Highs, high)
}
