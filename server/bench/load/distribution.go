package main

import (
	"slices"
	"time"
)

// distribution sums up durations in milliseconds.
type distribution struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

func distributionOf(samples []time.Duration) distribution {
	if len(samples) == 0 {
		return distribution{}
	}
	slices.Sort(samples)
	var sum time.Duration
	for _, sample := range samples {
		sum += sample
	}
	at := func(share float64) float64 {
		return milliseconds(samples[min(int(share*float64(len(samples))), len(samples)-1)])
	}
	return distribution{
		Mean: milliseconds(sum) / float64(len(samples)),
		P50:  at(0.50), P95: at(0.95), P99: at(0.99),
		Max: milliseconds(samples[len(samples)-1]),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
