package trainer

import (
	"context"

	"connectrpc.com/connect"

	"github.com/rlmaze/rlmaze/server/internal/correlation"
)

// correlate sends the ids of the request for which a call is made, so that the trainer's log has them too. Calls that the server makes by itself have
// none.
type correlate struct{}

func (correlate) tag(ctx context.Context, header interface {
	Get(key string) string
	Set(key, value string)
}) {
	ids, ok := correlation.From(ctx)
	if !ok {
		return
	}
	header.Set(correlation.RequestIDHeader, ids.RequestID)
	if header.Get(correlation.TraceparentHeader) == "" { // where spans are made, theirs says more
		header.Set(correlation.TraceparentHeader, ids.Traceparent())
	}
}

func (c correlate) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		c.tag(ctx, request.Header())
		return next(ctx, request)
	}
}

func (c correlate) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		c.tag(ctx, conn.RequestHeader())
		return conn
	}
}

func (c correlate) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}
