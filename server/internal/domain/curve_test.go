package domain

import (
	"math"
	"math/rand/v2"
	"testing"
)

func curveOf(most int, values []float64) Curve {
	b := NewCurveBuilder(most)
	for i, v := range values {
		b.Add(CurvePoint{Timesteps: int64(10 * (i + 1)), Value: v, ElapsedS: float64(i) / 2})
	}
	return b.Curve()
}

func TestACurveThatFitsIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		values := []float64{3, 1, 4, 1, 5}[:min(n, 5)]
		c := curveOf(5, values)
		if len(c.Values) != len(values) || len(c.Lows) != 0 || len(c.Highs) != 0 || c.Points != int64(len(values)) {
			t.Fatalf("%d points became %+v", len(values), c)
		}
		for i, v := range values {
			if c.Values[i] != v || c.Timesteps[i] != int64(10*(i+1)) || c.ElapsedS[i] != float64(i)/2 {
				t.Fatalf("point %d became %v at %d after %v s", i, c.Values[i], c.Timesteps[i], c.ElapsedS[i])
			}
		}
	}
}

// TestADownSampledCurveTellsTheTruth compares any number of points with the plain computation over the same buckets.
func TestADownSampledCurveTellsTheTruth(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		most, n := 2+random.IntN(40), 1+random.IntN(3000)
		values := make([]float64, n)
		for i := range values {
			values[i] = random.NormFloat64()
		}
		c := curveOf(most, values)
		if len(c.Values) > most || n > most && len(c.Values) < (most+1)/2 || c.Points != int64(n) {
			t.Fatalf("%d points of at most %d became %d", n, most, len(c.Values))
		}
		last := len(c.Values) - 1
		if c.Values[last] != values[n-1] || c.Timesteps[last] != int64(10*n) {
			t.Fatalf("the last point is %v at %d, want %v at %d", c.Values[last], c.Timesteps[last], values[n-1], 10*n)
		}
		if n <= most {
			continue
		}
		from, size := 0, int(c.Timesteps[0]/10)
		for i := range last {
			to := int(c.Timesteps[i] / 10)
			if to-from != size && i != last-1 {
				t.Fatalf("bucket %d holds %d points, the first one %d", i, to-from, size)
			}
			sum, low, high := 0.0, math.Inf(1), math.Inf(-1)
			for _, v := range values[from:to] {
				sum, low, high = sum+v, min(low, v), max(high, v)
			}
			if mean := sum / float64(to-from); math.Abs(mean-c.Values[i]) > 1e-9 || c.Lows[i] != low || c.Highs[i] != high {
				t.Fatalf("bucket %d: %v in %v…%v, want %v in %v…%v", i, c.Values[i], c.Lows[i], c.Highs[i], mean, low, high)
			}
			if c.ElapsedS[i] != float64(to-1)/2 {
				t.Fatalf("bucket %d ends after %v s, want %v", i, c.ElapsedS[i], float64(to-1)/2)
			}
			from = to
		}
		if from != n-1 {
			t.Fatalf("the buckets hold %d points beside the last one, want %d", from, n-1)
		}
	}
}

func TestValuesThatAreNotFiniteAreLeftOut(t *testing.T) {
	t.Parallel()
	c := curveOf(10, []float64{1, math.NaN(), 2, math.Inf(1), 3, math.Inf(-1)})
	if c.Points != 3 || len(c.Values) != 3 || c.Values[2] != 3 || c.Timesteps[2] != 50 {
		t.Errorf("three finite points became %+v", c)
	}
}
