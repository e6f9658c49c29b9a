package domain

import (
	"math"
	"slices"
	"testing"
	"time"
)

var began = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func pointsOf(values ...float64) []MetricPoint {
	points := make([]MetricPoint, len(values))
	for i, v := range values {
		points[i] = MetricPoint{Step: int64(i * 10), Value: v, At: began.Add(time.Duration(i) * time.Second)}
	}
	return points
}

func TestWhatIsNotFiniteIsLeftOutAndTheRestIsSorted(t *testing.T) {
	points := pointsOf(1, math.NaN(), 3, math.Inf(1), 5, math.Inf(-1))
	slices.Reverse(points)
	got := FinitePoints(points)
	if want := []MetricPoint{{0, 1, began}, {20, 3, began.Add(2 * time.Second)}, {40, 5, began.Add(4 * time.Second)}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := FinitePoints(nil); len(got) != 0 {
		t.Errorf("of nothing comes %v", got)
	}
}

func TestOfOneStepTheLastLoggedValueStays(t *testing.T) {
	points := []MetricPoint{{10, 2, began.Add(time.Minute)}, {10, 1, began}, {20, 3, began}, {10, 4, began.Add(time.Second)}}
	if got, want := FinitePoints(points), []MetricPoint{{10, 2, began.Add(time.Minute)}, {20, 3, began}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFewPointsStayAsTheyAre(t *testing.T) {
	for n := range 5 {
		points := pointsOf(make([]float64, n)...)
		if got := ThinPoints(points, 4); !slices.Equal(got, points) {
			t.Errorf("%d points became %v", n, got)
		}
	}
}

func TestBucketsAreMeansAndTheLastPointIsExact(t *testing.T) {
	got := ThinPoints(pointsOf(1, 3, 5, 7, 100), 3)
	want := []MetricPoint{{5, 2, began.Add(500 * time.Millisecond)}, {25, 6, began.Add(2500 * time.Millisecond)}, {40, 100, began.Add(4 * time.Second)}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestThinningKeepsItsLaws(t *testing.T) {
	for _, c := range []struct{ n, most int }{{3, 2}, {10, 2}, {1000, 999}, {1001, 1000}, {5003, 500}, {100_000, 20_000}} {
		values := make([]float64, c.n)
		for i := range values {
			values[i] = math.Sin(float64(i)) * 1e300 // sums of these overflow
		}
		points := pointsOf(values...)
		got := ThinPoints(points, c.most)
		if len(got) != c.most || got[len(got)-1] != points[len(points)-1] {
			t.Errorf("%d to %d: %d points, the last is %v", c.n, c.most, len(got), got[len(got)-1])
		}
		for i, p := range got {
			if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || i > 0 && (p.Step <= got[i-1].Step || p.At.Before(got[i-1].At)) {
				t.Fatalf("%d to %d: point %d is %v after %v", c.n, c.most, i, p, got[max(i-1, 0)])
			}
		}
	}
}
