package onnx

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Sizes of the histograms: powers of two, so that counting is one bit instruction and one atomic addition.
const (
	sizeBuckets = 11 // 1, 2, 4 … 1,024 rows; a policy map has 900 at most
	timeBuckets = 28 // up to 134 ms
)

// Figures are what has gone through the networks of a Runtime since it was opened.
type Figures struct {
	// Sizes counts calls by their rows: Sizes[i] of them had at most 2^i, and more than 2^(i−1).
	Sizes [sizeBuckets]uint64
	// Calls of more rows than the last of Sizes are counted here only.
	Calls uint64
	Rows  uint64
	// Times counts calls by their duration: Times[i] of them took less than 2^i ns. All calls of several rows are timed, and one in eight of those
	// with one row: reading the clock twice would be a fiftieth of such a call.
	Times    [timeBuckets]uint64
	Timed    uint64
	Duration time.Duration // of the timed calls together
}

// counts are the figures while they are counted, by many goroutines at once.
type counts struct {
	lone     atomic.Uint64 // calls of one row that had no company
	sizes    [sizeBuckets + 1]atomic.Uint64
	rows     atomic.Uint64
	times    [timeBuckets + 1]atomic.Uint64
	duration atomic.Int64
}

// call counts a call of some rows that began at a moment.
func (c *counts) call(rows int, began time.Time) {
	c.sizes[min(bits.Len(uint(rows-1)), sizeBuckets)].Add(1)
	c.rows.Add(uint64(rows))
	c.time(began)
}

// time counts how long a call took.
func (c *counts) time(began time.Time) {
	took := time.Since(began)
	c.times[min(bits.Len64(uint64(took)), timeBuckets)].Add(1)
	c.duration.Add(int64(took))
}

// Figures reads what was counted; what is counted meanwhile may be missing in a part of it.
func (r *Runtime) Figures() Figures {
	c := &r.counts
	lone := c.lone.Load()
	f := Figures{Calls: lone, Rows: lone + c.rows.Load(), Duration: time.Duration(c.duration.Load())}
	f.Sizes[0] = lone
	for i := range c.sizes {
		n := c.sizes[i].Load()
		f.Calls += n
		if i < sizeBuckets {
			f.Sizes[i] += n
		}
	}
	for i := range c.times {
		n := c.times[i].Load()
		f.Timed += n
		if i < timeBuckets {
			f.Times[i] = n
		}
	}
	return f
}
