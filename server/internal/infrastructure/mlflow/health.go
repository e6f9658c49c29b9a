package mlflow

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// serviceName is how GetStatus and the installer call MLflow.
const serviceName = "mlflow"

const (
	probePause   = 3 * time.Second // an MLflow that came or went is told within five seconds
	probeTimeout = 2 * time.Second
)

// health remembers whether MLflow answered last.
type health struct {
	now      func() time.Time
	onChange func(up bool, cause error) // may be nil

	mu    sync.Mutex
	asked bool
	cause error // nil when it answered
	since time.Time
}

// saw notes an answer, or that there was none.
func (h *health) saw(cause error) {
	h.mu.Lock()
	changed := !h.asked || (h.cause == nil) != (cause == nil)
	h.asked, h.cause = true, cause
	if changed {
		h.since = h.now()
	}
	h.mu.Unlock()
	if changed && h.onChange != nil {
		h.onChange(cause == nil, cause)
	}
}

// Watch asks MLflow for a sign of life now and then, until the context ends.
func (c *Client) Watch(ctx context.Context) {
	if c.base == nil {
		return
	}
	for {
		probe, cancel := context.WithTimeout(ctx, probeTimeout)
		err := c.exchange(probe, http.MethodGet, "/health", nil, nil)
		cancel()
		if ctx.Err() != nil {
			return
		}
		c.health.saw(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(probePause):
		}
	}
}

// ServiceStatuses implements domain.ServiceReporter.
func (c *Client) ServiceStatuses() []domain.ServiceStatus {
	if c.base == nil {
		return []domain.ServiceStatus{{Name: serviceName, State: domain.ServiceNotConfigured, Message: errNotConfigured.Message}}
	}
	c.health.mu.Lock()
	asked, cause, since := c.health.asked, c.health.cause, c.health.since
	c.health.mu.Unlock()
	s := domain.ServiceStatus{Name: serviceName, State: domain.ServiceUp, Since: since}
	if asked && cause == nil {
		return []domain.ServiceStatus{s}
	}
	s.State, s.Message = domain.ServiceAway, c.awayMessage(cause)
	if p, preparing := c.preparing(); preparing {
		s.State, s.Message, s.Progress = domain.ServicePreparing, p.Message, p.Progress
		if p.Failed {
			s.State = domain.ServiceAway
		}
	}
	return []domain.ServiceStatus{s}
}
