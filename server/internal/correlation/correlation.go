// Package correlation ties together what was done for one request, across processes: its request id, and its place in a trace as W3C Trace
// Context writes it. The ids come in with a request, stand in every line that is logged on its behalf, and go on with every call that is made for
// it. The package records no spans; without a collector the ids are all there is.
package correlation

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
)

// The headers that carry the ids.
const (
	RequestIDHeader   = "X-Request-Id"
	TraceparentHeader = "Traceparent"
)

// IDs are those of one request.
type IDs struct {
	RequestID string
	TraceID   [16]byte
	SpanID    [8]byte // the server's own part of the trace, where no collector makes spans
	Parent    [8]byte // the caller's part; zero where the trace begins here
	Sampled   bool    // the caller records the trace
}

type key struct{}

// With returns a context that carries the ids.
func With(ctx context.Context, ids IDs) context.Context { return context.WithValue(ctx, key{}, ids) }

// From returns the ids of the request; false outside of one.
func From(ctx context.Context) (IDs, bool) {
	ids, ok := ctx.Value(key{}).(IDs)
	return ids, ok && ids.RequestID != ""
}

// Begin returns the ids of a request that came with the traceparent, which may be empty or nonsense: then a trace begins here.
func Begin(requestID, traceparent string) IDs {
	ids := IDs{RequestID: requestID}
	_, _ = rand.Read(ids.SpanID[:]) // never fails: crypto/rand ends the program instead
	if !ids.take(traceparent) {
		_, _ = rand.Read(ids.TraceID[:])
	}
	return ids
}

// Shape of a traceparent: 00-<32 hexadecimal digits>-<16>-<2>. Later versions may go on after another hyphen.
const (
	traceparentLength = 55
	flagSampled       = 1
)

// take reads trace id and flags; false where it is no traceparent by https://www.w3.org/TR/trace-context/.
func (ids *IDs) take(traceparent string) bool {
	if len(traceparent) < traceparentLength || traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-' {
		return false
	}
	var version, flags [1]byte
	var trace [16]byte
	var parent [8]byte
	for _, part := range []struct {
		to   []byte
		from string
	}{{version[:], traceparent[:2]}, {trace[:], traceparent[3:35]}, {parent[:], traceparent[36:52]}, {flags[:], traceparent[53:55]}} {
		if !lowerHex(part.from) {
			return false
		}
		if _, err := hex.Decode(part.to, []byte(part.from)); err != nil {
			return false
		}
	}
	longer := len(traceparent) > traceparentLength
	if version[0] == 0xff || longer && (version[0] == 0 || traceparent[traceparentLength] != '-') || trace == [16]byte{} || parent == [8]byte{} {
		return false
	}
	ids.TraceID, ids.Parent, ids.Sampled = trace, parent, flags[0]&flagSampled != 0
	return true
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Trace is the trace id as it is logged.
func (ids IDs) Trace() string { return hex.EncodeToString(ids.TraceID[:]) }

// Traceparent is what goes on with a call that is made for the request.
func (ids IDs) Traceparent() string {
	flags := "-00"
	if ids.Sampled {
		flags = "-01"
	}
	return "00-" + ids.Trace() + "-" + hex.EncodeToString(ids.SpanID[:]) + flags
}

// NewHandler returns a log handler that adds request_id and trace_id to every line that is logged with a request's context.
func NewHandler(next slog.Handler) slog.Handler { return handler{next} }

type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, record slog.Record) error {
	if ids, ok := From(ctx); ok {
		record = record.Clone()
		record.AddAttrs(slog.String("request_id", ids.RequestID), slog.String("trace_id", ids.Trace()))
	}
	return h.Handler.Handle(ctx, record)
}

func (h handler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attributes)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
