package app

import (
	"context"

	"connectrpc.com/connect"
	"connectrpc.com/otelconnect"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/otlp"
)

// traces are what makes spans; empty where no collector is named.
type traces struct {
	interceptors []connect.Interceptor // for the calls that come in and those that go out
	tracer       trace.Tracer          // for WebSockets
}

// openTraces makes spans of calls where a collector is named. The ids of requests and traces go on, and into the log, without it, too.
func (a *App) openTraces(ctx context.Context) (traces, error) {
	if a.config.OTLPEndpoint == "" {
		return traces{}, nil
	}
	exporter, err := otlp.Open(ctx, a.config.OTLPEndpoint, version, a.logger)
	if err != nil {
		return traces{}, err
	}
	a.onClose(exporter.Close)
	interceptor, err := otelconnect.NewInterceptor(
		otelconnect.WithTracerProvider(exporter.Provider()),
		otelconnect.WithPropagator(propagation.TraceContext{}),
		otelconnect.WithTrustRemote(), // a call is a child of what its caller records, not only linked to it
		otelconnect.WithoutMetrics(),
	)
	if err != nil {
		return traces{}, err
	}
	return traces{interceptors: []connect.Interceptor{interceptor}, tracer: exporter.Provider().Tracer("rlmaze/websocket")}, nil
}
