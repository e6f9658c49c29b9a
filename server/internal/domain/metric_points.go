package domain

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// FinitePoints leaves out what is not finite and sorts by step, then by time, in place. Of points that share a step the last one logged stays:
// a run that was resumed logs the steps after its checkpoint again.
func FinitePoints(points []MetricPoint) []MetricPoint {
	points = slices.DeleteFunc(points, func(p MetricPoint) bool { return math.IsNaN(p.Value) || math.IsInf(p.Value, 0) })
	slices.SortStableFunc(points, func(a, b MetricPoint) int { return cmp.Or(cmp.Compare(a.Step, b.Step), a.At.Compare(b.At)) })
	kept := points[:0]
	for i, p := range points {
		if i+1 == len(points) || points[i+1].Step != p.Step {
			kept = append(kept, p)
		}
	}
	return kept
}

// ThinPoints puts neighbours together until at most so many points (2 or more) are left: the last one is exact, the others are means of buckets
// that hold equally many, give or take one. Few points stay as they are.
func ThinPoints(points []MetricPoint, most int) []MetricPoint {
	if len(points) <= most {
		return points
	}
	last, buckets := len(points)-1, most-1
	thinned := make([]MetricPoint, 0, most)
	for b := range buckets {
		thinned = append(thinned, meanPoint(points[b*last/buckets:(b+1)*last/buckets]))
	}
	return append(thinned, points[last])
}

// meanPoint is the mean of at least one point.
func meanPoint(points []MetricPoint) MetricPoint {
	var step, value, at float64
	first := points[0]
	for _, p := range points { // relative to the first one: sums of milliseconds since 1970 would lose some
		step += float64(p.Step - first.Step)
		value += p.Value / float64(len(points)) // the sum of large values could overflow
		at += p.At.Sub(first.At).Seconds()
	}
	n := float64(len(points))
	return MetricPoint{
		Step:  first.Step + int64(math.Round(step/n)),
		Value: value,
		At:    first.At.Add(time.Duration(at / n * float64(time.Second))),
	}
}
