package trainer_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/correlation"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/trainer"
)

func TestTheTrainerLearnsForWhichRequestItIsCalled(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var headers []http.Header
	stand := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		headers = append(headers, r.Header.Clone())
		http.Error(w, "nothing is served here", http.StatusNotFound)
	}))
	t.Cleanup(stand.Close)
	c := client(t, trainer.Options{URL: stand.URL})
	ids := correlation.Begin("page-7", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	ctx := correlation.With(t.Context(), ids)
	if _, err := c.StartTraining(ctx, domain.TrainingOrder{}); err == nil {
		t.Error("a start that nobody serves succeeded")
	}
	for range c.WatchGPU(ctx, time.Second) {
		break
	}
	if _, err := c.Defaults(t.Context()); err == nil { // made by the server itself
		t.Error("defaults that nobody serves came")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(headers) != 3 {
		t.Fatalf("%d calls arrived", len(headers))
	}
	for _, header := range headers[:2] {
		if header.Get("X-Request-Id") != "page-7" || header.Get("Traceparent") != ids.Traceparent() || !strings.Contains(ids.Traceparent(), "4bf92f3577b34da6a3ce929d0e0e4736") {
			t.Errorf("a call for a request brought %q and %q", header.Get("X-Request-Id"), header.Get("Traceparent"))
		}
	}
	if headers[2].Get("X-Request-Id") != "" || headers[2].Get("Traceparent") != "" {
		t.Error("a call of the server's own brought ids")
	}
}
