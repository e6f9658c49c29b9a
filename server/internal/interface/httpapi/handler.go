// Package httpapi puts the services behind HTTP: two handler chains (public and private), their limits, CORS, health and reflection, and
// the server with its settings. It does not know what the services do.
package httpapi

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	connectcors "connectrpc.com/cors"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"github.com/rs/cors"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/rlmaze/rlmaze/gen/go/rlmaze/evaluation/v1/evaluationv1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1/modelv1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1/trainingv1connect"
	"github.com/rlmaze/rlmaze/server/internal/correlation"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/flush"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// RequestIDHeader carries the request id, both ways.
const RequestIDHeader = correlation.RequestIDHeader

// Paths for probes. They are asked without a token and under any Host.
const (
	healthPath = "/health"
	livezPath  = "/livez"
	readyzPath = "/readyz"
)

func isProbe(path string) bool { return path == healthPath || path == livezPath || path == readyzPath }

// Limits of one request or response.
const (
	uploadReadMaxBytes  = 4 << 20          // a network of 3 MiB with its manifest and vectors
	startReadMaxBytes   = 256 << 10        // a configuration of 64 KiB, as JSON escapes it
	defaultReadMaxBytes = 64 << 10         // a 100 × 100 drawn maze is 10 kB; nothing that is asked is larger
	compressMinBytes    = 1 << 10          // below that gzip makes a message larger and costs 33 times the CPU
	streamCompressMin   = 16 << 20         // streams are floats and small messages: never worth gzip
	stallLimit          = 4 * time.Second  // a reader that stalls is cut within five seconds of the first blocked write
	bodyLimit           = 10 * time.Second // for 64 kB: 6.5 kB a second is slower than any line people use
)

var errUnknownService = errors.New("no such service")

// changing lists the procedures that change something. They are served on the private listener only.
var changing = map[string]bool{
	modelv1connect.ModelServiceSetActiveModelProcedure:      true,
	modelv1connect.ModelServiceRollBackActiveModelProcedure: true,
	modelv1connect.ModelServiceRegisterModelProcedure:       true,

	evaluationv1connect.EvaluationServiceEvaluateModelProcedure: true,

	trainingv1connect.TrainingServiceStartTrainingProcedure: true,
	trainingv1connect.TrainingServiceStopTrainingProcedure:  true,
}

// Service mounts one generated Connect handler with the options of the chain.
type Service func(options ...connect.HandlerOption) (path string, handler http.Handler)

// Options are what both chains share.
type Options struct {
	Guard        *rpc.Guard
	Log          *access.Log
	Logger       *slog.Logger
	CORSOrigins  []string
	AllowedHosts []string              // names besides the loopback ones under which the private listener may be called
	Token        string                // bearer token of the private listener; empty asks for none
	ReadMaxBytes int                   // of one message; 0 means 64 KiB
	StallLimit   time.Duration         // 0 means 4 s; tests shorten it
	BodyLimit    time.Duration         // 0 means 10 s; tests shorten it
	Addresses    AddressLimits         // of the public listener; the zero value limits nobody
	Interceptors []connect.Interceptor // around every Connect call, outermost first: those that make spans
}

// Routes are what is served.
type Routes struct {
	Services   []Service
	Names      []string                 // fully qualified names of the services, for health and reflection
	WebSockets map[string]http.Handler  // by path: "/ws/inference"
	Health     Health                   // nil serves none
	Ready      func() usecase.Readiness // nil serves neither readiness nor liveness
	Metrics    http.Handler             // on the private listener; nil serves none
	Docs       http.Handler             // likewise, for all below /docs/
}

// NewPublic returns the chain for everyone: streams, WebSockets, reads and health, with CORS. Procedures that change something answer
// permission_denied.
func NewPublic(options Options, routes Routes) http.Handler {
	mux, handlerOptions := newMux(options, routes)
	refusal := connect.NewErrorWriter(handlerOptions...)
	limited := newAddressLimiter(options.Addresses).limit(refuseChanges(mux, refusal), streamRoutes(routes), refusal)
	handler := observe(limited, options, routes)
	return cors.New(cors.Options{
		// Not AllowedOrigins: that knows patterns, which WebSockets do not, and an empty list of it allows everybody.
		AllowOriginFunc: func(origin string) bool { return OriginAllowed(origin, "", options.CORSOrigins) },
		AllowedMethods:  connectcors.AllowedMethods(),
		AllowedHeaders:  append(connectcors.AllowedHeaders(), RequestIDHeader, correlation.TraceparentHeader, "Tracestate"),
		ExposedHeaders:  append(connectcors.ExposedHeaders(), RequestIDHeader, "Retry-After"),
		MaxAge:          7200, // seconds; the longest that Chromium keeps a preflight answer
	}).Handler(handler)
}

// NewPrivate returns the chain for the page's server and for operators: all procedures, and reflection. It checks Host, so that no web
// page can reach it by DNS rebinding, and the bearer token when one is set.
func NewPrivate(options Options, routes Routes) http.Handler {
	mux, handlerOptions := newMux(options, routes)
	reflector := grpcreflect.NewStaticReflector(append(slices.Clone(routes.Names), grpchealth.HealthV1ServiceName)...)
	mux.Handle(grpcreflect.NewHandlerV1(reflector, handlerOptions...))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector, handlerOptions...))
	if routes.Metrics != nil {
		mux.Handle("GET "+metricsPath, routes.Metrics)
	}
	if routes.Docs != nil {
		mux.Handle("GET "+docsPath, http.RedirectHandler(docsPath+"/", http.StatusPermanentRedirect))
		mux.Handle("GET "+docsPath+"/", routes.Docs)
	}
	return observe(admit(mux, options, connect.NewErrorWriter(handlerOptions...)), options, routes)
}

// HandlerOptions are the settings of every Connect handler of the server.
func HandlerOptions(options Options) []connect.HandlerOption {
	readMaxBytes := options.ReadMaxBytes
	if readMaxBytes == 0 {
		readMaxBytes = defaultReadMaxBytes
	}
	return append(rpc.JSONCodecs(),
		connect.WithCodec(rpc.ProtoCodec{}),
		connect.WithInterceptors(append(slices.Clone(options.Interceptors), options.Guard.Interceptor())...),
		connect.WithReadMaxBytes(readMaxBytes),
		connect.WithCompression("gzip",
			func() connect.Decompressor { return &boundedGzip{limit: int64(readMaxBytes) + 1} },
			func() connect.Compressor {
				w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
				return w
			}),
		connect.WithConditionalHandlerOptions(func(spec connect.Spec) []connect.HandlerOption {
			switch {
			case spec.Procedure == modelv1connect.ModelServiceRegisterModelProcedure:
				// Weights don't shrink, and a megabyte that inflates costs 0.2 s: no gzip, either way.
				return []connect.HandlerOption{connect.WithReadMaxBytes(uploadReadMaxBytes), connect.WithCompression("gzip", nil, nil)}
			case spec.Procedure == trainingv1connect.TrainingServiceStartTrainingProcedure:
				return []connect.HandlerOption{connect.WithReadMaxBytes(max(readMaxBytes, startReadMaxBytes)), connect.WithCompressMinBytes(compressMinBytes)}
			case spec.StreamType == connect.StreamTypeUnary:
				return []connect.HandlerOption{connect.WithCompressMinBytes(compressMinBytes)}
			}
			return []connect.HandlerOption{connect.WithCompressMinBytes(streamCompressMin)}
		}),
	)
}

func newMux(options Options, routes Routes) (*http.ServeMux, []connect.HandlerOption) {
	handlerOptions := HandlerOptions(options)
	mux := http.NewServeMux()
	for _, service := range routes.Services {
		mux.Handle(service(handlerOptions...))
	}
	if routes.Health != nil {
		mux.Handle("GET "+healthPath, healthHandler(routes.Health))
		mux.Handle(grpchealth.NewHandler(healthChecker{health: routes.Health, names: routes.Names}, handlerOptions...))
	}
	if routes.Ready != nil {
		mux.Handle("GET "+livezPath, livezHandler(time.Now))
		mux.Handle("GET "+readyzPath, readyzHandler(routes.Ready, time.Now))
	}
	for path, handler := range routes.WebSockets {
		mux.Handle(path, handler)
	}
	return mux, handlerOptions
}

// observe opens the access entry, bounds the time of reads and writes, and answers a panic that nobody else caught.
func observe(next http.Handler, options Options, routes Routes) http.Handler {
	limit, bodyTime := cmp.Or(options.StallLimit, stallLimit), cmp.Or(options.BodyLimit, bodyLimit)
	known := knownRoutes(routes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := r.URL.Path
		if strings.HasPrefix(route, docsPath+"/") {
			route = docsPath
		}
		if !known[route] {
			route = otherRoute
		}
		ctx, entry := options.Log.Begin(r.Context(), r.Header.Get(RequestIDHeader), r.Header.Get(correlation.TraceparentHeader), route)
		ctx, gate := flush.WithGate(ctx)
		guard := newStallGuard(w, r, gate, limit)
		guard.beforeHeaders = func() {
			if entry.Code == "" { // by gRPC-Web the status may leave with the headers
				mendStatus(guard.Header(), grpcStatus, r.URL.Path)
			}
		}
		guard.Header().Set(RequestIDHeader, entry.RequestID)
		r = r.WithContext(ctx)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = guard.limitBody(r.Body, bodyTime)
		}
		defer func() {
			failure := recover()
			if failure != nil && failure != http.ErrAbortHandler { //nolint:errorlint // net/http compares with == too.
				entry.Code, entry.Cause = connect.CodeInternal.String(), fmt.Errorf("panic: %v\n%s", failure, debug.Stack())
				if guard.status == 0 {
					http.Error(guard, "the server failed; its log has the reason under request_id "+entry.RequestID, http.StatusInternalServerError)
				}
			}
			guard.close()
			if entry.Code == "" {
				entry.Code = unseenCode(guard, r.URL.Path)
			}
			options.Log.End(ctx, entry)
			if failure == http.ErrAbortHandler { //nolint:errorlint // as above
				panic(failure)
			}
		}()
		next.ServeHTTP(guard, r)
	})
}

// Paths of the private listener besides procedures.
const (
	metricsPath = "/metrics"
	docsPath    = "/docs"
)

// otherRoute stands in the log for paths that are none of the server's: whoever tries out paths must not write them into the log.
const otherRoute = "other"

// knownRoutes are the paths that the log names. Their number is bounded by the contract.
func knownRoutes(routes Routes) map[string]bool {
	known := map[string]bool{
		healthPath:  true,
		livezPath:   true,
		readyzPath:  true,
		metricsPath: true,
		docsPath:    true,
		"/" + grpchealth.HealthV1ServiceName + "/Check":                       true,
		"/" + grpchealth.HealthV1ServiceName + "/Watch":                       true,
		"/" + grpcreflect.ReflectV1ServiceName + "/ServerReflectionInfo":      true,
		"/" + grpcreflect.ReflectV1AlphaServiceName + "/ServerReflectionInfo": true,
	}
	for path := range routes.WebSockets {
		known[path] = true
	}
	for path := range methods(routes) {
		known[path] = true
	}
	return known
}

// methods are the procedures of the contract. Services without generated code have none here; their calls are logged as other ones.
func methods(routes Routes) map[string]protoreflect.MethodDescriptor {
	found := map[string]protoreflect.MethodDescriptor{}
	for _, name := range routes.Names {
		descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		service, ok := descriptor.(protoreflect.ServiceDescriptor)
		if err != nil || !ok {
			continue
		}
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			found["/"+name+"/"+string(method.Name())] = method
		}
	}
	return found
}

// streamRoutes are the paths on which a request lasts as long as somebody watches.
func streamRoutes(routes Routes) map[string]bool {
	streams := map[string]bool{"/" + grpchealth.HealthV1ServiceName + "/Watch": true}
	for path := range routes.WebSockets {
		streams[path] = true
	}
	for path, method := range methods(routes) {
		if method.IsStreamingServer() {
			streams[path] = true
		}
	}
	return streams
}

// Where gRPC puts its status: after the body, or, by gRPC-Web without a body, among the headers.
const (
	grpcStatus    = "Grpc-Status"
	grpcStatusEnd = http.TrailerPrefix + grpcStatus
)

// unseenCode names the outcome of a request that no interceptor saw. Connect-go reads a unary gRPC message before the interceptors run, and
// calls a frame that is cut short internal; for our own procedures it is the caller's mistake, as everywhere else.
func unseenCode(w *stallGuard, path string) string {
	for _, name := range []string{grpcStatusEnd, grpcStatus} {
		if code, failed := mendStatus(w.Header(), name, path); failed {
			return code.String()
		}
	}
	return codeOf(w.status)
}

// mendStatus corrects the gRPC status of a request that no interceptor saw, and returns it; false where it is good or there is none.
func mendStatus(header http.Header, name, path string) (code connect.Code, failed bool) {
	status := header.Get(name)
	if status == "" || status == "0" {
		return 0, false
	}
	n, err := strconv.ParseUint(status, 10, 32)
	code = connect.Code(n)
	if (err != nil || code == connect.CodeInternal || code == connect.CodeUnknown) && rpc.OwnProcedure(path) {
		code = connect.CodeInvalidArgument
	}
	header.Set(name, strconv.FormatUint(uint64(code), 10))
	return code, true
}

// codeOf names the outcome of a request that no interceptor saw: plain HTTP, or bytes that were no message.
func codeOf(status int) string {
	switch {
	case status < 400:
		return access.CodeOK
	case status == http.StatusUnauthorized:
		return connect.CodeUnauthenticated.String()
	case status == http.StatusForbidden:
		return connect.CodePermissionDenied.String()
	case status == http.StatusNotFound:
		return connect.CodeUnimplemented.String()
	case status == http.StatusTooManyRequests:
		return connect.CodeResourceExhausted.String()
	case status == http.StatusGatewayTimeout:
		return connect.CodeDeadlineExceeded.String()
	case status == http.StatusServiceUnavailable:
		return connect.CodeUnavailable.String()
	case status < 500:
		return connect.CodeInvalidArgument.String()
	}
	return connect.CodeInternal.String()
}

// refuseChanges keeps the procedures that change something off the public listener.
func refuseChanges(next http.Handler, refusal *connect.ErrorWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if changing[r.URL.Path] {
			refuse(w, r, refusal, connect.CodePermissionDenied, http.StatusForbidden, "this listener serves reads and streams only; changes go to the private one")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admit lets in who calls the private listener by one of its names and, when a token is set, bears it. Health, which is public anyway, stays
// open to probes, which come by any address. The pages of the documentation hold nothing secret, and a browser that opens them has no token yet:
// what they call asks for it.
func admit(next http.Handler, options Options, refusal *connect.ErrorWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isProbe(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if !hostAllowed(r.Host, options.AllowedHosts) {
			refuse(w, r, refusal, connect.CodePermissionDenied, http.StatusForbidden, "the private listener is not served under this Host; allow it with ALLOWED_HOSTS")
			return
		}
		open := r.URL.Path == docsPath || strings.HasPrefix(r.URL.Path, docsPath+"/")
		if !open && options.Token != "" && !tokenMatches(r.Header.Get("Authorization"), options.Token) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, r, refusal, connect.CodeUnauthenticated, http.StatusUnauthorized, "send the server's token: Authorization: Bearer <SERVER_TOKEN>")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, r *http.Request, refusal *connect.ErrorWriter, code connect.Code, status int, message string) {
	access.FromContext(r.Context()).Code = code.String()
	if refusal.IsSupported(r) {
		_ = refusal.Write(w, r, connect.NewError(code, errors.New(message))) // The caller left if this fails.
		return
	}
	http.Error(w, message, status)
}

// hostAllowed accepts loopback names and addresses, and the names that the operator allows, with any port.
func hostAllowed(host string, allowed []string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if name == "localhost" || slices.Contains(allowed, name) {
		return true
	}
	address := net.ParseIP(name)
	return address != nil && address.IsLoopback()
}

// OriginAllowed tells whether a browser page of that origin may read, by CORS or WebSocket: one of the allowed origins, or the page's own host.
func OriginAllowed(origin, host string, allowed []string) bool {
	if origin == "" {
		return true // No browser: browsers always send it.
	}
	if slices.Contains(allowed, "*") || slices.ContainsFunc(allowed, func(o string) bool { return strings.EqualFold(o, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// boundedGzip stops inflating beyond the largest message, so that a bomb of some kilobytes costs no more than a message does.
type boundedGzip struct {
	reader gzip.Reader
	limit  int64
	left   int64
}

var errInflated = errors.New("the message inflates beyond the limit")

func (b *boundedGzip) Reset(from io.Reader) error {
	b.left = b.limit
	return b.reader.Reset(from)
}

func (b *boundedGzip) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errInflated
	}
	n, err := b.reader.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (b *boundedGzip) Close() error { return b.reader.Close() }

// NewServer returns an HTTP server for one of the chains: HTTP/1.1 and unencrypted HTTP/2, with the limits that keep slow or hostile
// peers from holding it. There is no WriteTimeout, because streams last; each blocked write is bounded instead.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    32 << 10, // room for a GET's message beside cookies and tokens
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 1000,             // viewers behind one proxy connection
			SendPingTimeout:      15 * time.Second, // finds peers that vanished
			PingTimeout:          5 * time.Second,
			WriteByteTimeout:     stallLimit, // the whole connection stalled, not one stream
		},
		ErrorLog:    slog.NewLogLogger(logger.Handler(), slog.LevelDebug), // resets and bad handshakes of strangers
		BaseContext: func(net.Listener) context.Context { return context.Background() },
	}
}
