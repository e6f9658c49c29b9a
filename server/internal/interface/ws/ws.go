// Package ws serves server streams over WebSocket, for browsers that are short of HTTP/1.1 connections: the messages of Connect as
// protobuf JSON, one a text frame. It is a second way to the same use cases and knows none of them: a Stream says what the first frame
// is called and who serves it.
package ws

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// Limits of one connection. A peer that stops is cut within five seconds: a blocked write after writeLimit, a missing pong after
// pingEvery + pongLimit.
const (
	readLimit       = 64 << 10 // bytes of the first frame, as for Connect
	firstFrameLimit = 10 * time.Second
	cutLimit        = time.Second // for a connection that was cut to end
	pingEvery       = 2 * time.Second
	pongLimit       = 2500 * time.Millisecond
	writeLimit      = 4 * time.Second
	mostConnections = 4096 // as many as there may be streams
)

// Stream is one server stream that a first frame can name.
type Stream struct {
	// Name of the request in the first frame: {"runEpisode": {…}}.
	Name string
	// NewRequest returns an empty request.
	NewRequest func() proto.Message
	// Serve runs the stream until it ends, the context ends or send fails. It may reuse a message once send has returned.
	Serve func(ctx context.Context, request proto.Message, send func(proto.Message) error) error
}

// Options of a Handler.
type Options struct {
	Guard    *rpc.Guard
	Counters *usecase.Counters
	// OriginAllowed tells whether a page of that origin may connect.
	OriginAllowed func(origin, host string) bool
	// MostConnections that are open at one time, those that have asked for nothing yet among them; 0 means 4096.
	MostConnections int
	// PingEvery is the time between pings; 0 means two seconds. Tests shorten it.
	PingEvery time.Duration
}

// Handler upgrades requests and serves one stream on each connection.
type Handler struct {
	options Options
	streams map[string]Stream
	names   string

	places  chan struct{} // holds one token for each connection
	mu      sync.Mutex
	sockets map[*websocket.Conn]struct{} // the open ones: http.Server does not wait for upgraded connections
	ended   chan struct{}                // closed, and made anew, whenever one has ended
}

// NewHandler returns a Handler for the streams of one path.
func NewHandler(options Options, streams ...Stream) *Handler {
	options.PingEvery = cmp.Or(options.PingEvery, pingEvery)
	options.MostConnections = cmp.Or(options.MostConnections, mostConnections)
	h := &Handler{options: options, places: make(chan struct{}, options.MostConnections), streams: make(map[string]Stream, len(streams)), sockets: map[*websocket.Conn]struct{}{}, ended: make(chan struct{})}
	var names []string
	for _, stream := range streams {
		h.streams[stream.Name] = stream
		names = append(names, stream.Name)
	}
	slices.Sort(names)
	h.names = strings.Join(names, ", ")
	return h
}

// Wait returns when every connection has ended. Those that are left when the context ends are cut, which is the error.
func (h *Handler) Wait(ctx context.Context) error {
	if h.wait(ctx) {
		return nil
	}
	h.mu.Lock()
	left := len(h.sockets)
	for socket := range h.sockets {
		go func() { _ = socket.CloseNow() }() // it waits for the connection's own goroutines; they wait for nobody then
	}
	h.mu.Unlock()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutLimit)
	defer cancel()
	h.wait(last)
	return fmt.Errorf("%d WebSockets were cut: %w", left, context.Cause(ctx))
}

// wait tells whether every connection ended before the context did.
func (h *Handler) wait(ctx context.Context) bool {
	for {
		h.mu.Lock()
		left, ended := len(h.sockets), h.ended
		h.mu.Unlock()
		if left == 0 {
			return true
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return false
		}
	}
}

// track counts a connection as open until the returned function is called.
func (h *Handler) track(socket *websocket.Conn) (untrack func()) {
	h.options.Counters.WebSockets.Add(1)
	h.mu.Lock()
	h.sockets[socket] = struct{}{}
	h.mu.Unlock()
	return func() {
		h.options.Counters.WebSockets.Add(-1)
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.sockets, socket)
		close(h.ended)
		h.ended = make(chan struct{})
	}
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry := access.FromContext(r.Context())
	entry.Transport = "websocket"
	if !h.options.OriginAllowed(r.Header.Get("Origin"), r.Host) {
		entry.Code = connect.CodePermissionDenied.String()
		http.Error(w, "pages of this origin may not connect; allow it with CORS_ORIGINS", http.StatusForbidden)
		return
	}
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		entry.Code = connect.CodeResourceExhausted.String()
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many open WebSockets; close some, or try again in a moment", http.StatusTooManyRequests)
		return
	}
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the origin was checked above, by the list that CORS uses
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil { // Accept has answered.
		entry.Cause = err
		return
	}
	defer h.track(socket)()
	socket.SetReadLimit(readLimit)
	c := &connection{socket: socket}
	defer c.close()
	failure := h.serve(r.Context(), c)
	if failure == nil {
		entry.Code = access.CodeOK
	}
	c.end(failure)
}

// serve reads the first frame and runs the stream that it names.
func (h *Handler) serve(ctx context.Context, c *connection) *connect.Error {
	stream, request, err := h.readRequest(ctx, c)
	if err != nil {
		return rpc.TranslateError(ctx, err)
	}
	// From here on the client only listens; the context ends when it closes, or sends what it should not.
	ctx = c.socket.CloseRead(ctx)
	ctx, cancel := context.WithCancel(ctx)
	var pinging sync.WaitGroup
	pinging.Go(func() { c.pingUntil(ctx, h.options.PingEvery) })
	defer pinging.Wait()
	defer cancel()
	return h.options.Guard.Serve(ctx, request, func(ctx context.Context) error { return stream.Serve(ctx, request, c.send) })
}

func (h *Handler) readRequest(ctx context.Context, c *connection) (Stream, proto.Message, error) {
	readCtx, cancel := context.WithTimeout(ctx, firstFrameLimit)
	defer cancel()
	defer context.AfterFunc(h.options.Guard.Drain(), cancel)() // Who has asked for nothing yet is not waited for.
	kind, frame, err := c.socket.Read(readCtx)
	if err != nil {
		if websocket.CloseStatus(err) == -1 && readCtx.Err() == nil {
			return Stream{}, nil, rpc.Malformed("the first frame could not be read; it may hold 64 KiB")
		}
		return Stream{}, nil, context.Canceled
	}
	var named map[string]json.RawMessage
	if kind != websocket.MessageText || json.Unmarshal(frame, &named) != nil || len(named) != 1 {
		return Stream{}, nil, rpc.Malformed(`the first frame must be a text frame with one JSON object that names the request: {"` + h.names + `": {…}}`)
	}
	for name, body := range named {
		stream, known := h.streams[name]
		if !known {
			break
		}
		request := stream.NewRequest()
		if err := (rpc.JSONCodec{}).Unmarshal(body, request); err != nil {
			return Stream{}, nil, rpc.Malformed("the request is no " + string(request.ProtoReflect().Descriptor().FullName()) + ": " + err.Error())
		}
		return stream, request, nil
	}
	return Stream{}, nil, rpc.Malformed("the first frame names no request of this path; it serves: " + h.names)
}

// connection is one upgraded connection. One goroutine sends, one pings.
type connection struct {
	socket *websocket.Conn
	timer  *time.Timer // runs while a write is blocked
	buffer []byte      // reused from frame to frame
}

func (c *connection) send(message proto.Message) error {
	frame, err := (rpc.JSONCodec{}).MarshalAppend(c.buffer[:0], message)
	if err != nil {
		return fmt.Errorf("marshal frame: %w", err)
	}
	c.buffer = frame
	return c.write(frame)
}

// write sends a frame; a timer cuts the connection when it blocks. A context with a deadline would do the same with four allocations.
func (c *connection) write(frame []byte) error {
	if c.timer == nil {
		c.timer = time.AfterFunc(writeLimit, func() { _ = c.socket.CloseNow() })
	} else {
		c.timer.Reset(writeLimit)
	}
	defer c.timer.Stop()
	if err := c.socket.Write(context.Background(), websocket.MessageText, frame); err != nil {
		return connect.NewError(connect.CodeCanceled, fmt.Errorf("send: %w", err))
	}
	return nil
}

// pingUntil pings until the context ends, and closes the connection when a pong is missing.
func (c *connection) pingUntil(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		pingCtx, cancel := context.WithTimeout(ctx, pongLimit)
		err := c.socket.Ping(pingCtx)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				_ = c.socket.CloseNow()
			}
			return
		}
	}
}

// end sends the last frame and closes: normally, also after an error that the client was told, so that only a cut looks like one.
func (c *connection) end(failure *connect.Error) {
	if failure != nil && failure.Code() == connect.CodeCanceled {
		return
	}
	if c.write(rpc.EndFrame(failure)) == nil {
		_ = c.socket.Close(websocket.StatusNormalClosure, "")
	}
}

func (c *connection) close() {
	if c.timer != nil {
		c.timer.Stop()
	}
	_ = c.socket.CloseNow()
}
