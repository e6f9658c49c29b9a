package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"connectrpc.com/connect"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/rlmaze/rlmaze/server/internal/correlation"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
)

// Guard surrounds every call, whatever its transport: it cancels streams when the server drains, validates the request, recovers from
// panics and translates errors. Connect calls reach it through its interceptor, WebSockets through Serve.
type Guard struct {
	drain   context.Context
	longest time.Duration // of a stream; 0 is any
	tracer  trace.Tracer  // of the streams that are not Connect's; nil makes no spans
}

// NewGuard returns a Guard. Streams are cancelled, and new ones refused, when drain ends.
func NewGuard(drain context.Context) *Guard { return &Guard{drain: drain} }

// LimitStreams ends streams that have lasted so long; to be called before the first of them. Whoever still wants to watch resumes.
func (g *Guard) LimitStreams(longest time.Duration) { g.longest = longest }

// Trace makes a span of each stream of a transport that is not Connect's, whose own interceptor does it; to be called before the first of them.
func (g *Guard) Trace(tracer trace.Tracer) { g.tracer = tracer }

// errStreamTooLong ends a stream that has lasted as long as one may.
var errStreamTooLong = func() *connect.Error {
	err := connect.NewError(connect.CodeResourceExhausted, errors.New("the stream has lasted as long as one may; resume it where it stopped"))
	addDetail(err, &errdetails.RetryInfo{RetryDelay: durationpb.New(0)})
	return err
}()

// Drain is the context that ends when the server goes down.
func (g *Guard) Drain() context.Context { return g.drain }

// Serve runs one server stream of a transport that is not Connect's. The returned error may be shown to the client.
func (g *Guard) Serve(ctx context.Context, request proto.Message, serve func(context.Context) error) *connect.Error {
	ctx, end := g.span(ctx, request)
	failure := TranslateError(ctx, g.stream(ctx, func(ctx context.Context) error {
		if err := Validate(request); err != nil {
			return err
		}
		return serve(ctx)
	}))
	end(failure)
	return failure
}

// span begins the span of a stream that is not Connect's, as a child of what the caller records; end must be called once.
func (g *Guard) span(ctx context.Context, request proto.Message) (spanCtx context.Context, end func(*connect.Error)) {
	if g.tracer == nil {
		return ctx, func(*connect.Error) {}
	}
	if ids, ok := correlation.From(ctx); ok && ids.Parent != [8]byte{} {
		flags := trace.TraceFlags(0).WithSampled(ids.Sampled)
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: ids.TraceID, SpanID: ids.Parent, TraceFlags: flags, Remote: true}))
	}
	spanCtx, span := g.tracer.Start(ctx, string(request.ProtoReflect().Descriptor().FullName()), trace.WithSpanKind(trace.SpanKindServer))
	return spanCtx, func(failure *connect.Error) {
		if failure != nil {
			span.SetStatus(codes.Error, failure.Code().String())
		}
		span.End()
	}
}

// stream runs a stream under the drain; its error is translated with the stream's context, which knows the drain.
func (g *Guard) stream(ctx context.Context, serve func(context.Context) error) error {
	if g.drain.Err() != nil {
		return domain.ErrDraining
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(g.drain, func() { cancel(domain.ErrDraining) })()
	if g.longest > 0 {
		defer time.AfterFunc(g.longest, func() { cancel(errStreamTooLong) }).Stop()
	}
	if err := recovered(func() error { return serve(ctx) }); err != nil {
		return TranslateError(ctx, err)
	}
	return nil
}

// Interceptor returns the Guard as a Connect interceptor.
func (g *Guard) Interceptor() connect.Interceptor { return interceptor{g} }

type interceptor struct{ guard *Guard }

func (i interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		entry := access.FromContext(ctx)
		entry.Transport = request.Peer().Protocol
		var response connect.AnyResponse
		err := recovered(func() (err error) {
			if message, ok := request.Any().(proto.Message); ok {
				if err := Validate(message); err != nil {
					return err
				}
			}
			response, err = next(ctx, request)
			return err
		})
		if err != nil {
			return nil, TranslateError(ctx, err)
		}
		entry.Code = access.CodeOK
		return response, nil
	}
}

func (i interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (i interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		entry := access.FromContext(ctx)
		entry.Transport = conn.Peer().Protocol
		err := i.guard.stream(ctx, func(ctx context.Context) error { return next(ctx, validatingConn{conn}) })
		if err != nil {
			return TranslateError(ctx, err)
		}
		entry.Code = access.CodeOK
		return nil
	}
}

// validatingConn validates what is received. What is sent passes through untouched, so that a step costs no more than it must.
type validatingConn struct{ connect.StreamingHandlerConn }

// OwnProcedure tells whether the procedure is one of ours, health and reflection included. For them a frame that is cut short or flagged
// wrongly is the caller's mistake; connect-go calls it internal, as the protocol's reference suite wants it of the services it tests.
func OwnProcedure(procedure string) bool {
	return strings.HasPrefix(procedure, "/rlmaze.") || strings.HasPrefix(procedure, "/grpc.")
}

func (c validatingConn) Receive(message any) error {
	if err := c.StreamingHandlerConn.Receive(message); err != nil {
		if connect.CodeOf(err) == connect.CodeInternal && OwnProcedure(c.Spec().Procedure) {
			coded, _ := errors.AsType[*connect.Error](err)
			return Malformed(coded.Message())
		}
		return err
	}
	if m, ok := message.(proto.Message); ok {
		return Validate(m)
	}
	return nil
}

func (c validatingConn) Send(message any) error {
	err := c.StreamingHandlerConn.Send(message)
	if connect.CodeOf(err) == connect.CodeUnknown && err != nil {
		// The connection is gone, or was cut because its reader stalled: nobody is left to read this, and nothing of ours failed.
		return connect.NewError(connect.CodeCanceled, fmt.Errorf("send: %w", err))
	}
	return err
}

// recovered runs serve and turns a panic into an error that holds the stack, for the log.
func recovered(serve func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if r == http.ErrAbortHandler { //nolint:errorlint // net/http compares with == too.
				panic(r)
			}
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return serve()
}
