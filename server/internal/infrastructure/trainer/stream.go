package trainer

import (
	"context"
	"errors"
	"iter"
	"time"

	"connectrpc.com/connect"
)

// errSilent is why a stream was dropped that said nothing for too long: its connection is gone, or the trainer hangs.
var errSilent = errors.New("the stream was silent for too long")

// watch ranges over a stream. Only the time that is spent waiting for the trainer counts as its silence, not that of a slow reader.
func watch[M any](caller context.Context, silence time.Duration, open func(context.Context) (*connect.ServerStreamForClient[M], error)) iter.Seq2[*M, error] {
	return func(yield func(*M, error) bool) {
		ctx, cancel := context.WithCancelCause(caller)
		defer cancel(nil)
		watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
		defer watchdog.Stop()
		explain := func(err error) error {
			if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
				return connect.NewError(connect.CodeUnavailable, cause)
			}
			return err
		}
		stream, err := open(ctx)
		if err != nil {
			yield(nil, explain(err))
			return
		}
		defer func() { _ = stream.Close() }()
		for stream.Receive() {
			watchdog.Stop()
			if !yield(stream.Msg(), nil) {
				return
			}
			watchdog.Reset(silence)
		}
		if err := stream.Err(); err != nil {
			yield(nil, explain(err))
		}
	}
}
