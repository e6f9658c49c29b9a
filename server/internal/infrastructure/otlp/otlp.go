// Package otlp sends the spans of requests to a collector, by OTLP over HTTP. Who makes spans, and of what, is decided elsewhere.
package otlp

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/rlmaze/rlmaze/server/internal/correlation"
)

// endLimit is what the last spans may take on their way when the server ends.
const endLimit = 3 * time.Second

// Exporter makes spans and sends them in batches in the background. What a collector that is away does not take is dropped.
type Exporter struct {
	provider *sdktrace.TracerProvider
	logger   *slog.Logger
}

// Open returns an exporter to the collector's base address (http://host:4318). It connects to nothing yet. Everything else, headers and sampling
// for example, the SDK reads from OpenTelemetry's own variables.
func Open(ctx context.Context, endpoint, version string, logger *slog.Logger) (*Exporter, error) {
	sender, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimSuffix(endpoint, "/")+"/v1/traces"))
	if err != nil {
		return nil, fmt.Errorf("open the exporter of traces: %w", err)
	}
	// Later ones win: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES over ours.
	described, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "rlmaze-server"), attribute.String("service.version", version)),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("describe the server for traces: %w", err)
	}
	// The SDK's own complaints, that a collector is away for example, belong into our log.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("traces are not exported", "cause", err) }))
	return &Exporter{logger: logger, provider: sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(sender), sdktrace.WithResource(described), sdktrace.WithIDGenerator(requestIDs{}))}, nil
}

// Provider is for those who make spans.
func (e *Exporter) Provider() trace.TracerProvider { return e.provider }

// Close sends what is left, for three seconds at most.
func (e *Exporter) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	if err := e.provider.Shutdown(ctx); err != nil {
		e.logger.Warn("the last traces were not exported", "cause", err)
	}
}

// requestIDs gives a trace that begins here the id under which its request is logged.
type requestIDs struct{}

func (requestIDs) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	if ids, ok := correlation.From(ctx); ok {
		id = ids.TraceID
	} else {
		_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	}
	_, _ = rand.Read(span[:])
	return id, span
}

func (requestIDs) NewSpanID(context.Context, trace.TraceID) (span trace.SpanID) {
	_, _ = rand.Read(span[:])
	return span
}
