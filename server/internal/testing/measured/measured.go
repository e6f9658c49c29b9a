// Package measured tells measured figures from facts. What takes how long is a figure: a machine that does other things beside misses any limit
// now and then, and says nothing by it. So limits hold where RLMAZE_SOAK=1 says that the machine is quiet (`make soak`); elsewhere a test waits
// with patience for what must happen at all. Only tests import it.
package measured

import (
	"os"
	"time"
)

// Patience is how long a test waits for what must happen at all.
const Patience = 2 * time.Minute

// Quiet tells whether figures are measured: the machine does nothing else, and tests take their full counts.
func Quiet() bool { return os.Getenv("RLMAZE_SOAK") == "1" }

// Limit is the limit of a figure where figures are measured, else Patience beyond it.
func Limit(limit time.Duration) time.Duration {
	if Quiet() {
		return limit
	}
	return limit + Patience
}
