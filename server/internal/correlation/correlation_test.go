package correlation_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/correlation"
)

const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

func TestATraceGoesOnWithAPartOfItsOwn(t *testing.T) {
	for _, flags := range []string{"00", "01"} {
		ids := correlation.Begin("r", "00-"+trace+"-"+parent+"-"+flags)
		if ids.Trace() != trace {
			t.Errorf("the trace is %s", ids.Trace())
		}
		if on := ids.Traceparent(); !strings.HasPrefix(on, "00-"+trace+"-") || !strings.HasSuffix(on, "-"+flags) || strings.Contains(on, parent) || len(on) != 55 {
			t.Errorf("%s goes on", on)
		}
	}
	if ids := correlation.Begin("r", "cc-"+trace+"-"+parent+"-01-what-the-future-brings"); ids.Trace() != trace {
		t.Error("a later version was not understood")
	}
}

func TestWhatIsNoTraceparentBeginsANewTrace(t *testing.T) {
	seen := map[string]bool{trace: true}
	for _, given := range []string{
		"", "nonsense", "00-" + trace + "-" + parent, "00-" + trace + "-" + parent + "-01-more", "ff-" + trace + "-" + parent + "-01",
		"00-" + strings.ToUpper(trace) + "-" + parent + "-01", "00-" + strings.Repeat("0", 32) + "-" + parent + "-01", "00-" + trace + "-" + strings.Repeat("0", 16) + "-01",
		"00_" + trace + "_" + parent + "_01", "00-" + trace + "-" + parent + "-0x", strings.Repeat("\n", 55), "cc-" + trace + "-" + parent + "-01.more",
	} {
		ids := correlation.Begin("r", given)
		if seen[ids.Trace()] || ids.Sampled {
			t.Errorf("%q was taken as the trace %s", given, ids.Trace())
		}
		seen[ids.Trace()] = true
	}
}

func TestEveryLineOfARequestCarriesItsIDs(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(correlation.NewHandler(slog.NewTextHandler(&log, nil))).With("part", "spool")
	ids := correlation.Begin("abc", "00-"+trace+"-"+parent+"-01")
	logger.InfoContext(correlation.With(context.Background(), ids), "inside")
	logger.Info("outside")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "part=spool request_id=abc trace_id="+trace) || strings.Contains(lines[1], "trace_id") {
		t.Errorf("logged %q", lines)
	}
}
