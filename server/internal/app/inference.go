package app

import (
	"math"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnx"
	"github.com/rlmaze/rlmaze/server/internal/interface/metrics"
)

// shortestCall is where the histogram of calls begins, 2^10 ns: nothing that a network does takes less than a microsecond.
const shortestCall = 10

// toInference shows the runtime's figures as Prometheus counts: every bucket holds the ones below it.
func toInference(f onnx.Figures) metrics.Inference {
	i := metrics.Inference{
		Sizes: map[float64]uint64{}, Calls: f.Calls, Rows: f.Rows,
		Times: map[float64]uint64{}, Timed: f.Timed, Duration: f.Duration,
	}
	var sum uint64
	for power, n := range f.Sizes {
		sum += n
		i.Sizes[math.Ldexp(1, power)] = sum
	}
	sum = 0
	for power, n := range f.Times {
		sum += n
		if power >= shortestCall {
			i.Times[time.Duration(1<<power).Seconds()] = sum
		}
	}
	return i
}
