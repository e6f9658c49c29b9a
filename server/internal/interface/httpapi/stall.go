package httpapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/rlmaze/rlmaze/server/internal/interface/flush"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
)

// stallGuard cuts peers that stop: a reader that does not take the response, a writer that does not finish its request. A deadline that
// is set before every write would be one more system-level call a message, stays behind on a kept-alive connection, and ends idle HTTP/2
// streams; so a timer runs while a write is blocked, and only when it fires is the deadline moved into the past, which fails the write.
type stallGuard struct {
	http.ResponseWriter
	controller *http.ResponseController
	limit      time.Duration
	timer      *time.Timer // runs while a write is blocked
	bodyTimer  *time.Timer // runs until the request's body has arrived
	gate       *flush.Gate
	status     int
	// beforeHeaders is called once, before the headers leave; may be nil.
	beforeHeaders func()

	mu   sync.Mutex // guards done: a timer may fire while the handler returns, after which the response must not be touched
	done bool
}

func newStallGuard(w http.ResponseWriter, r *http.Request, gate *flush.Gate, limit time.Duration) *stallGuard {
	g := &stallGuard{ResponseWriter: w, controller: http.NewResponseController(w), gate: gate, limit: limit}
	if r.ProtoMajor == 1 {
		// An earlier request of this connection left the deadline of its last flush.
		_ = g.controller.SetWriteDeadline(time.Time{})
	}
	return g
}

// Unwrap lets http.ResponseController and WebSocket upgrades reach the connection.
func (g *stallGuard) Unwrap() http.ResponseWriter { return g.ResponseWriter }

func (g *stallGuard) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		g.setStatus(status)
	}
	g.ResponseWriter.WriteHeader(status)
}

func (g *stallGuard) Write(p []byte) (int, error) {
	g.setStatus(http.StatusOK)
	g.arm()
	defer g.timer.Stop()
	return g.ResponseWriter.Write(p)
}

// setStatus takes the status with which the headers are about to leave; later ones are void.
func (g *stallGuard) setStatus(status int) {
	if g.status != 0 {
		return
	}
	if g.beforeHeaders != nil {
		g.beforeHeaders()
	}
	g.status = status
}

// Flush implements http.Flusher, which connect-go asks for.
func (g *stallGuard) Flush() {
	if g.gate.Held() {
		return
	}
	g.setStatus(http.StatusOK)
	g.arm()
	defer g.timer.Stop()
	_ = g.controller.Flush() // A failed flush shows in the next write.
}

func (g *stallGuard) arm() {
	if g.timer == nil {
		g.timer = time.AfterFunc(g.limit, g.cut)
		return
	}
	g.timer.Reset(g.limit)
}

func (g *stallGuard) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.done {
		_ = g.controller.SetWriteDeadline(time.Unix(1, 0))
	}
}

// close ends the guard when the handler is done. What net/http still holds in its buffers is flushed after that, under a deadline.
func (g *stallGuard) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done = true
	if g.timer != nil {
		g.timer.Stop()
	}
	if g.bodyTimer != nil {
		g.bodyTimer.Stop()
	}
	if g.status != http.StatusSwitchingProtocols {
		_ = g.controller.SetWriteDeadline(time.Now().Add(g.limit))
	}
}

// limitBody gives the request's body a limited time to arrive. A read deadline for the whole connection would end long streams, whose
// connection net/http keeps reading to see the client leave.
func (g *stallGuard) limitBody(body io.ReadCloser, limit time.Duration) io.ReadCloser {
	g.bodyTimer = time.AfterFunc(limit, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.done {
			_ = g.controller.SetReadDeadline(time.Unix(1, 0))
		}
	})
	return timedBody{ReadCloser: body, timer: g.bodyTimer}
}

type timedBody struct {
	io.ReadCloser
	timer *time.Timer
}

func (b timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.timer.Stop()
	}
	switch {
	case errors.Is(err, io.EOF):
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = connect.NewError(connect.CodeDeadlineExceeded, errors.New("the request did not arrive in time"))
	case errors.Is(err, io.ErrUnexpectedEOF) || err != nil && strings.Contains(err.Error(), "chunk"): // net/http's errors of chunks have no names
		err = rpc.Malformed("the request's body is cut short or damaged")
	}
	return n, err
}

func (b timedBody) Close() error {
	b.timer.Stop()
	return b.ReadCloser.Close()
}
