package usecase

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// Counters count what happens since the start of the server. All methods may be called at any time by many goroutines.
type Counters struct {
	LiveStreams       atomic.Int64
	WebSockets        atomic.Int64 // open WebSocket connections; the interface layer counts them
	EpisodesStarted   atomic.Int64 // resumes are not counted again
	EpisodesFinished  atomic.Int64
	GoalsReached      atomic.Int64 // of the finished episodes; the others came to the step limit
	EpisodesNotLogged atomic.Int64 // that neither the log nor its spool took
	StreamsUnfinished atomic.Int64
	Requests          atomic.Int64 // the interface layer counts them, streams included
	FailedRequests    atomic.Int64 // that ended in unknown, internal, unavailable or data_loss
	TrainingViewers   atomic.Int64 // open streams of trainings and GPU readings
	Steps             StepHistogram
}

// ErrorRate is the share (0–1) of requests that failed.
func (c *Counters) ErrorRate() float64 {
	requests := c.Requests.Load()
	if requests == 0 {
		return 0
	}
	return float64(c.FailedRequests.Load()) / float64(requests)
}

// A StepHistogram has four buckets for each doubling: a bucket is at most 25 % wide, which is fine enough to see a regression and coarse enough to be 1 kB.
const (
	bucketsPerDoubling = 4
	histogramBuckets   = 40 * bucketsPerDoubling // up to 2^40 ns, 18 minutes
)

// StepHistogram counts the time of one step: observe, infer, apply.
type StepHistogram struct {
	buckets [histogramBuckets]atomic.Int64
	sum     atomic.Int64
}

// Record counts one step.
func (h *StepHistogram) Record(d time.Duration) { h.RecordBatch(d, 1) }

// RecordBatch counts n ≥ 1 steps that took d together, an equal share each.
func (h *StepHistogram) RecordBatch(d time.Duration, n int) {
	h.buckets[bucketOf(d/time.Duration(n))].Add(int64(n))
	h.sum.Add(int64(d))
}

func bucketOf(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < bucketsPerDoubling {
		return int(n)
	}
	doubling := bits.Len64(n) - 1                                                      // at least 2
	return min(doubling*bucketsPerDoubling+int(n>>(doubling-2)&3), histogramBuckets-1) // the two bits below the highest choose the quarter
}

// bucketStart is the smallest duration of a bucket.
func bucketStart(i int) float64 {
	if i < 2*bucketsPerDoubling {
		return float64(min(i, bucketsPerDoubling))
	}
	return math.Ldexp(1+float64(i%bucketsPerDoubling)/bucketsPerDoubling, i/bucketsPerDoubling)
}

// StepLatency describes the histogram; percentiles are interpolated inside their bucket.
type StepLatency struct {
	Count         int64
	Sum           time.Duration
	P50, P95, P99 time.Duration
}

// Latency reads the histogram.
func (h *StepHistogram) Latency() StepLatency {
	var counts [histogramBuckets]int64
	l := StepLatency{Sum: time.Duration(h.sum.Load())}
	for i := range h.buckets {
		counts[i] = h.buckets[i].Load()
		l.Count += counts[i]
	}
	quantile := func(q float64) time.Duration {
		rank := q * float64(l.Count)
		below := 0.0
		for i, count := range counts {
			if count > 0 && below+float64(count) >= rank {
				from, to := bucketStart(i), bucketStart(i+1)
				return time.Duration(from + (to-from)*(rank-below)/float64(count))
			}
			below += float64(count)
		}
		return 0
	}
	l.P50, l.P95, l.P99 = quantile(0.50), quantile(0.95), quantile(0.99)
	return l
}

// Buckets reads the histogram for a monitor: how many steps took less than each of the bounds, and how many there were in all. The bounds are the
// powers of two from 2^from to 2^to nanoseconds, where buckets begin, so that the counts are exact.
func (h *StepHistogram) Buckets(from, to int) (below map[time.Duration]uint64, count uint64, sum time.Duration) {
	below = make(map[time.Duration]uint64, to-from+1)
	for i := range h.buckets {
		if doubling := i / bucketsPerDoubling; i%bucketsPerDoubling == 0 && doubling >= from && doubling <= to {
			below[1<<doubling] = count
		}
		count += uint64(h.buckets[i].Load())
	}
	return below, count, time.Duration(h.sum.Load())
}
