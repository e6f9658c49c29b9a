// Package flush lets whoever serves a stream say that more follows at once, so that messages leave the server in one write. Without it each
// message is flushed when it is sent, which is what a live stream wants; a whole episode at once would be five writes of a few hundred bytes, and
// writing is the largest part of what it costs. It knows nothing of messages; it only delays what the response would do.
package flush

import "context"

// Gate is open, and lets each flush through, until it is held. Only the goroutine that serves the request touches it.
type Gate struct{ held bool }

type gateKey struct{}

// WithGate puts an open gate into the context of a request.
func WithGate(ctx context.Context) (context.Context, *Gate) {
	g := new(Gate)
	return context.WithValue(ctx, gateKey{}, g), g
}

// Held tells whether flushes are to be left out.
func (g *Gate) Held() bool { return g.held }

// Hold leaves out the flushes that come. What was written meanwhile leaves with the first flush after Release, when the buffers are full, or
// when the request ends. Outside of a request it does nothing.
func Hold(ctx context.Context) { set(ctx, true) }

// Release lets flushes through again; it flushes nothing itself.
func Release(ctx context.Context) { set(ctx, false) }

func set(ctx context.Context, held bool) {
	if g, ok := ctx.Value(gateKey{}).(*Gate); ok {
		g.held = held
	}
}
