// Package access keeps one record for each request, Connect, WebSocket or plain HTTP: its log line, and its place in the server's counters.
// It does not log single messages of a stream, and it knows nothing of what a request means.
package access

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/correlation"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// CodeOK is the code of a request that ended well; all others are Connect codes ("not_found").
const CodeOK = "ok"

// Entry is what is known about one request. Only the goroutine that serves the request touches it.
type Entry struct {
	RequestID string
	TraceID   string // as W3C Trace Context has it; the caller's, or one that begins here
	Procedure string // route of the request: "/rlmaze.maze.v1.MazeService/GetMaze", "/ws/inference", "/health", or "other"
	Transport string // "connect", "grpc", "grpcweb", "websocket" or "http"
	Code      string // CodeOK or the Connect code; empty until someone knows it
	ModelID   string // the model that acted, where one did
	RunID     string // the training run, where the request names or makes one
	Cause     error  // what went wrong, for the log only
	started   time.Time
}

type entryKey struct{}

// FromContext returns the entry of the request. Outside of a request it returns an entry that nobody reads, never nil.
func FromContext(ctx context.Context) *Entry {
	if entry, ok := ctx.Value(entryKey{}).(*Entry); ok {
		return entry
	}
	return &Entry{}
}

// Log writes one line for each request and counts it.
type Log struct {
	logger   *slog.Logger
	counters *usecase.Counters
	now      func() time.Time
	report   func(procedure, code string, took time.Duration) // may be nil
}

// NewLog returns a Log that writes to logger and counts in counters.
func NewLog(logger *slog.Logger, counters *usecase.Counters, now func() time.Time) *Log {
	return &Log{logger: logger, counters: counters, now: now}
}

// Report lets somebody else count the requests that end, too; to be called before the first of them. Procedures and codes are of bounded sets.
func (l *Log) Report(to func(procedure, code string, took time.Duration)) { l.report = to }

// Begin opens the entry of a request and puts it into the context. A request id that the caller brought is kept when it is harmless to
// write into a log; else a new one is made. So it is with the trace. Both go on with the context, into every line that is logged with it and every
// call that is made for the request.
func (l *Log) Begin(ctx context.Context, requestID, traceparent, procedure string) (context.Context, *Entry) {
	if !validRequestID(requestID) {
		requestID = newRequestID()
	}
	ids := correlation.Begin(requestID, traceparent)
	entry := &Entry{RequestID: requestID, TraceID: ids.Trace(), Procedure: procedure, Transport: "http", started: l.now()}
	return context.WithValue(correlation.With(ctx, ids), entryKey{}, entry), entry
}

// askedAllTheTime are the routes of probes and monitors, which would fill the log.
var askedAllTheTime = map[string]bool{
	"/health": true, "/livez": true, "/readyz": true, "/metrics": true, "/grpc.health.v1.Health/Check": true,
}

// End counts the request and writes its line: debug for probes and monitors, info for what ended well or by the caller's doing, error for
// what the server failed.
func (l *Log) End(ctx context.Context, entry *Entry) {
	took := l.now().Sub(entry.started)
	if l.report != nil {
		l.report(entry.Procedure, entry.Code, took)
	}
	requests := l.counters.Requests.Add(1)
	level := slog.LevelInfo
	switch entry.Code {
	case "unknown", "internal", "data_loss":
		level = slog.LevelError
		l.counters.FailedRequests.Add(1)
	case "unavailable":
		level = slog.LevelWarn
		l.counters.FailedRequests.Add(1)
	case CodeOK:
		if askedAllTheTime[entry.Procedure] {
			level = slog.LevelDebug
		}
	}
	if !l.logger.Enabled(ctx, level) {
		return
	}
	attributes := []slog.Attr{
		slog.String("request_id", entry.RequestID),
		slog.String("trace_id", entry.TraceID),
		slog.String("procedure", entry.Procedure),
		slog.String("transport", entry.Transport),
		slog.String("code", entry.Code),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("model_id", entry.ModelID),
		slog.Int64("request_count", requests),
		slog.Float64("error_rate", l.counters.ErrorRate()),
		slog.Int("ws_connections", int(l.counters.WebSockets.Load())),
	}
	if entry.RunID != "" {
		attributes = append(attributes, slog.String("run_id", entry.RunID))
	}
	if entry.Cause != nil {
		attributes = append(attributes, slog.String("cause", entry.Cause.Error()))
	}
	l.logger.LogAttrs(correlation.With(ctx, correlation.IDs{}), level, "request", attributes...) // the ids stand first, and once
}

// maxRequestIDLength keeps log lines short; UUIDs and trace ids fit.
const maxRequestIDLength = 64

func validRequestID(id string) bool {
	if id == "" || len(id) > maxRequestIDLength {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func newRequestID() string {
	var b [12]byte         // 96 bits: no two alike among all requests a server will see
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}
