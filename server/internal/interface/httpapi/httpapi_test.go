package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	evaluationv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/evaluation/v1"
	experimentv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/experiment/v1"
	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1/modelv1connect"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "0123456789abcdef"

// stalling streams without an end until its client is gone, and reports how long the last write was blocked.
type stalling struct {
	inferencev1connect.UnimplementedInferenceServiceHandler
	blocked chan time.Duration
}

func (s stalling) RunEpisode(_ context.Context, _ *inferencev1.RunEpisodeRequest, stream *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
	message := &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Started{Started: &inferencev1.EpisodeStarted{ResumeToken: strings.Repeat("x", 32<<10)}}}
	for {
		began := time.Now()
		if err := stream.Send(message); err != nil {
			s.blocked <- time.Since(began)
			return err
		}
	}
}

func routes(state systemv1.ServerState, blocked chan time.Duration) httpapi.Routes {
	return httpapi.Routes{
		Services: []httpapi.Service{
			func(options ...connect.HandlerOption) (string, http.Handler) {
				return inferencev1connect.NewInferenceServiceHandler(stalling{blocked: blocked}, options...)
			},
			func(options ...connect.HandlerOption) (string, http.Handler) {
				return modelv1connect.NewModelServiceHandler(modelv1connect.UnimplementedModelServiceHandler{}, options...)
			},
		},
		Names: []string{inferencev1connect.InferenceServiceName, modelv1connect.ModelServiceName},
		Health: func(context.Context) (*systemv1.GetStatusResponse, error) {
			return &systemv1.GetStatusResponse{State: state, ActiveModelId: "ppo-memory-1", ServerTs: timestamppb.Now(), Stores: []*systemv1.StoreStatus{{Name: "postgresql", Up: true}}}, nil
		},
	}
}

func options(t *testing.T) httpapi.Options {
	drain, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	logger := slog.New(slog.DiscardHandler)
	return httpapi.Options{
		Guard:        rpc.NewGuard(drain),
		Log:          access.NewLog(logger, &usecase.Counters{}, time.Now),
		Logger:       logger,
		CORSOrigins:  []string{"https://maze.example.com"},
		AllowedHosts: []string{"server"},
		Token:        token,
	}
}

// listen serves the handler with the product's own server settings.
func listen(t *testing.T, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpapi.NewServer(handler, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

func status(handler http.Handler, method, path, host string, header map[string]string, body string) *http.Response {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Host = host
	for name, value := range header {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result()
}

func TestChangesAreRefusedOnThePublicListener(t *testing.T) {
	handler := httpapi.NewPublic(options(t), routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
	for _, contentType := range []string{"application/json", "application/proto"} {
		response := status(handler, http.MethodPost, modelv1connect.ModelServiceSetActiveModelProcedure, "localhost", map[string]string{"Content-Type": contentType, "Authorization": "Bearer " + token}, "{}")
		var answer struct{ Code string }
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusForbidden || answer.Code != "permission_denied" {
			t.Errorf("%s: status %d, code %q, %v", contentType, response.StatusCode, answer.Code, err)
		}
	}
}

func TestNoSpellingOfAChangeReachesTheServiceInPublic(t *testing.T) {
	handler := httpapi.NewPublic(options(t), routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
	reached := func(method, path, contentType, body string) bool { // the fake service calls everything unimplemented
		got := status(handler, method, "http://localhost"+path, "localhost", map[string]string{"Content-Type": contentType}, body)
		return got.StatusCode == http.StatusNotImplemented || got.Header.Get("Grpc-Status") == "12" || got.Trailer.Get("Grpc-Status") == "12"
	}
	for contentType, body := range map[string]string{"application/json": "{}", "application/grpc+json": "\x00\x00\x00\x00\x02{}"} {
		if !reached(http.MethodPost, modelv1connect.ModelServiceListModelsProcedure, contentType, body) {
			t.Errorf("a read as %s did not reach the service", contentType)
		}
		for _, path := range []string{
			"/rlmaze.model.v1.ModelService/%53etActiveModel", "//rlmaze.model.v1.ModelService/SetActiveModel", "/rlmaze.model.v1.ModelService//SetActiveModel",
			"/x/../rlmaze.model.v1.ModelService/SetActiveModel", "/rlmaze.model.v1.ModelService/./SetActiveModel", "/rlmaze.model.v1.ModelService/SetActiveModel/",
			"/rlmaze.model.v1.ModelService/SetActiveModel?x=/rlmaze.model.v1.ModelService/ListModels",
		} {
			for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodConnect} {
				if reached(method, path, contentType, body) {
					t.Errorf("%s %s as %s reached the service", method, path, contentType)
				}
			}
		}
	}
}

// TestEveryProcedureIsReadOrChange makes whoever adds a procedure say on which listener it belongs: what is no read, the public one refuses.
func TestEveryProcedureIsReadOrChange(t *testing.T) {
	streams := map[protoreflect.FullName]bool{ // they log what they computed, or nothing; anyone may
		"rlmaze.inference.v1.InferenceService.RunEpisode":     true,
		"rlmaze.inference.v1.InferenceService.RunRace":        true,
		"rlmaze.inference.v1.EpisodeLogService.ReplayEpisode": true,
	}
	public := httpapi.NewPublic(options(t), httpapi.Routes{})
	files := []protoreflect.FileDescriptor{
		inferencev1.File_rlmaze_inference_v1_inference_service_proto, inferencev1.File_rlmaze_inference_v1_episode_log_service_proto, mazev1.File_rlmaze_maze_v1_maze_service_proto,
		modelv1.File_rlmaze_model_v1_model_service_proto, systemv1.File_rlmaze_system_v1_system_service_proto,
		experimentv1.File_rlmaze_experiment_v1_experiment_service_proto, evaluationv1.File_rlmaze_evaluation_v1_evaluation_service_proto,
	}
	for _, file := range files {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				method := methods.Get(j)
				level := method.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel()
				reads := level == descriptorpb.MethodOptions_NO_SIDE_EFFECTS || streams[method.FullName()]
				path := fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
				got := status(public, http.MethodPost, path, "localhost", map[string]string{"Content-Type": "application/json"}, "{}")
				if refused := got.StatusCode == http.StatusForbidden; refused == reads {
					t.Errorf("%s: read is %v, refused on the public listener is %v", method.FullName(), reads, refused)
				}
			}
		}
	}
}

func TestThePrivateListenerChecksHostAndToken(t *testing.T) {
	handler := httpapi.NewPrivate(options(t), routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
	bearer := map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token}
	for _, c := range []struct {
		path, host string
		header     map[string]string
		want       int
	}{
		{modelv1connect.ModelServiceListModelsProcedure, "localhost:8081", bearer, http.StatusNotImplemented}, // reached the service
		{modelv1connect.ModelServiceListModelsProcedure, "[::1]:8081", bearer, http.StatusNotImplemented},
		{modelv1connect.ModelServiceListModelsProcedure, "127.0.0.1", bearer, http.StatusNotImplemented},
		{modelv1connect.ModelServiceListModelsProcedure, "server:8081", bearer, http.StatusNotImplemented},
		{modelv1connect.ModelServiceListModelsProcedure, "evil.example.com", bearer, http.StatusForbidden},
		{modelv1connect.ModelServiceListModelsProcedure, "127.0.0.1.evil.example.com", bearer, http.StatusForbidden},
		{modelv1connect.ModelServiceListModelsProcedure, "localhost", map[string]string{"Content-Type": "application/json"}, http.StatusUnauthorized},
		{modelv1connect.ModelServiceListModelsProcedure, "localhost", map[string]string{"Content-Type": "application/json", "Authorization": "Bearer wrong"}, http.StatusUnauthorized},
		{modelv1connect.ModelServiceListModelsProcedure, "localhost", map[string]string{"Content-Type": "application/json", "Authorization": token}, http.StatusUnauthorized},
	} {
		if got := status(handler, http.MethodPost, c.path, c.host, c.header, "{}"); got.StatusCode != c.want {
			t.Errorf("host %q with %v got status %d, want %d", c.host, c.header, got.StatusCode, c.want)
		}
	}
	for _, host := range []string{"localhost", "10.0.0.7:8081"} { // a probe comes by the address of the machine
		if got := status(handler, http.MethodGet, "/health", host, nil, ""); got.StatusCode != http.StatusOK {
			t.Errorf("health without a token, asked as %s, got status %d", host, got.StatusCode)
		}
	}
}

func TestHealthSaysWhetherEpisodesRun(t *testing.T) {
	for state, want := range map[systemv1.ServerState]int{
		systemv1.ServerState_SERVER_STATE_SERVING:  http.StatusOK,
		systemv1.ServerState_SERVER_STATE_DEGRADED: http.StatusOK,
		systemv1.ServerState_SERVER_STATE_DRAINING: http.StatusServiceUnavailable,
	} {
		handler := httpapi.NewPublic(options(t), routes(state, nil))
		response := status(handler, http.MethodGet, "/health", "localhost", nil, "")
		var answer map[string]any
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != want || answer["active_model_id"] != "ppo-memory-1" || answer["server_ts"] == "" || len(answer["stores"].([]any)) != 1 {
			t.Errorf("%v: status %d, %v", state, response.StatusCode, answer)
		}
		grpc := status(handler, http.MethodPost, "/grpc.health.v1.Health/Check", "localhost", map[string]string{"Content-Type": "application/json"}, "{}")
		body, _ := io.ReadAll(grpc.Body)
		if serving := !strings.Contains(string(body), "NOT_SERVING"); serving != (want == http.StatusOK) {
			t.Errorf("%v: grpc health says %s", state, body)
		}
	}
}

func TestReflectionIsServedOnThePrivateListenerOnlyAndHealthOnBoth(t *testing.T) {
	open := options(t)
	open.Token = ""
	all := routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)
	for name, handler := range map[string]http.Handler{"public": httpapi.NewPublic(open, all), "private": httpapi.NewPrivate(open, all)} {
		for _, version := range []string{"v1", "v1alpha"} {
			got := status(handler, http.MethodPost, "/grpc.reflection."+version+".ServerReflection/ServerReflectionInfo", "localhost", map[string]string{"Content-Type": "application/json"}, "{}")
			if served := got.StatusCode != http.StatusNotFound; served != (name == "private") {
				t.Errorf("reflection %s on the %s listener got status %d", version, name, got.StatusCode)
			}
		}
		for path, method := range map[string]string{"/health": http.MethodGet, "/grpc.health.v1.Health/Check": http.MethodPost} {
			if got := status(handler, method, path, "localhost", map[string]string{"Content-Type": "application/json"}, "{}"); got.StatusCode != http.StatusOK {
				t.Errorf("%s on the %s listener got status %d", path, name, got.StatusCode)
			}
		}
	}
}

func TestReadsAreGETsAndChangesAreNot(t *testing.T) {
	open := options(t)
	open.Token = ""
	handler := httpapi.NewPrivate(open, routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
	const message = "?connect=v1&encoding=json&message=%7B%7D"
	for procedure, want := range map[string]int{
		modelv1connect.ModelServiceListModelsProcedure:         http.StatusNotImplemented, // reached the service
		modelv1connect.ModelServiceSetActiveModelProcedure:     http.StatusMethodNotAllowed,
		inferencev1connect.InferenceServiceRunEpisodeProcedure: http.StatusMethodNotAllowed,
	} {
		if got := status(handler, http.MethodGet, procedure+message, "localhost", nil, ""); got.StatusCode != want {
			t.Errorf("GET %s got status %d, want %d", procedure, got.StatusCode, want)
		}
	}
}

func TestOnlyAllowedOriginsMayReadByBrowser(t *testing.T) {
	handler := httpapi.NewPublic(options(t), routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
	for origin, allowed := range map[string]bool{"https://maze.example.com": true, "https://evil.example.com": false} {
		response := status(handler, http.MethodOptions, inferencev1connect.InferenceServiceRunEpisodeProcedure, "localhost", map[string]string{
			"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "connect-protocol-version,content-type",
		}, "")
		if got := response.Header.Get("Access-Control-Allow-Origin") == origin; got != allowed {
			t.Errorf("%s: allowed is %v, want %v", origin, got, allowed)
		}
	}
	nobody := options(t)
	nobody.CORSOrigins = nil
	response := status(httpapi.NewPublic(nobody, routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)), http.MethodGet, "/health", "localhost", map[string]string{"Origin": "https://evil.example.com"}, "")
	if got := response.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("without origins %q is allowed", got)
	}
}

func TestBytesThatInflateBeyondTheLimitAreRefused(t *testing.T) {
	url := listen(t, httpapi.NewPublic(options(t), routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)))
	var bomb bytes.Buffer
	writer, _ := gzip.NewWriterLevel(&bomb, gzip.BestCompression)
	_, _ = writer.Write(make([]byte, 60<<20)) // 60 kB compressed
	_ = writer.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+modelv1connect.ModelServiceListModelsProcedure, &bomb)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/proto")
	request.Header.Set("Content-Encoding", "gzip")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("status %d, want 429 (resource_exhausted)", response.StatusCode)
	}
}

// How long the default limit takes is measured by the soak; here a short one must cut at all.
func TestAReaderThatStallsIsCut(t *testing.T) {
	blocked := make(chan time.Duration, 2)
	shared := options(t)
	shared.StallLimit = 200 * time.Millisecond
	url := listen(t, httpapi.NewPublic(shared, routes(systemv1.ServerState_SERVER_STATE_SERVING, blocked)))
	protocols := map[string]*http.Protocols{"HTTP/1.1": {}, "h2c": {}}
	protocols["HTTP/1.1"].SetHTTP1(true)
	protocols["h2c"].SetUnencryptedHTTP2(true)
	for name, p := range protocols {
		transport := &http.Transport{Protocols: p, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err == nil {
				err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
			}
			return conn, err
		}}
		client := inferencev1connect.NewInferenceServiceClient(&http.Client{Transport: transport}, url)
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := client.RunEpisode(ctx, &inferencev1.RunEpisodeRequest{Maze: &mazev1.MazeRef{Maze: &mazev1.MazeRef_MazeId{MazeId: "heldout-0001"}}})
		if err != nil {
			t.Fatal(err)
		}
		stream.Receive() // and no more
		select {
		case <-blocked:
		case <-time.After(time.Minute):
			t.Fatalf("%s: the blocked write was never cut", name)
		}
		cancel()
		_ = stream.Close()
		transport.CloseIdleConnections()
	}
}

// TestAConnectionOutlivesThePauseBetweenRequests would fail if a write deadline stayed behind on a kept-alive connection.
func TestAConnectionOutlivesThePauseBetweenRequests(t *testing.T) {
	shared := options(t)
	shared.StallLimit = 50 * time.Millisecond
	url := listen(t, httpapi.NewPublic(shared, routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)))
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, 4096)
	for i := range 2 {
		if i > 0 {
			time.Sleep(100 * time.Millisecond) // longer than the limit of the flush after the first request
		}
		if _, err := fmt.Fprint(conn, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buffer)
		if err != nil || !strings.HasPrefix(string(buffer[:n]), "HTTP/1.1 200") {
			t.Fatalf("request %d: %v, %s", i+1, err, buffer[:n])
		}
	}
}

func TestOriginAllowed(t *testing.T) {
	for _, c := range []struct {
		origin, host string
		want         bool
	}{
		{"", "localhost", true},
		{"https://maze.example.com", "localhost", true},
		{"https://MAZE.example.com", "localhost", true},
		{"http://maze.example.com", "localhost", false},
		{"https://maze.example.com.evil.com", "localhost", false},
		{"http://localhost:8080", "localhost:8080", true},
		{"null", "localhost", false},
	} {
		if got := httpapi.OriginAllowed(c.origin, c.host, []string{"https://maze.example.com"}); got != c.want {
			t.Errorf("origin %q on host %q: %v, want %v", c.origin, c.host, got, c.want)
		}
	}
	if !httpapi.OriginAllowed("https://any.example.com", "localhost", []string{"*"}) {
		t.Error("* does not allow all")
	}
}

func TestProbesTellLifeFromReadiness(t *testing.T) {
	for name, c := range map[string]struct {
		is     usecase.Readiness
		status int
		failed string // the check that is not ok
	}{
		"ready":    {is: usecase.Readiness{ActiveModelID: "ppo-memory-1"}, status: http.StatusOK},
		"no model": {is: usecase.Readiness{}, status: http.StatusServiceUnavailable, failed: "active_model"},
		"draining": {is: usecase.Readiness{ActiveModelID: "ppo-memory-1", Draining: true}, status: http.StatusServiceUnavailable, failed: "serving"},
	} {
		all := routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)
		all.Ready = func() usecase.Readiness { return c.is }
		for listener, handler := range map[string]http.Handler{"public": httpapi.NewPublic(options(t), all), "private": httpapi.NewPrivate(options(t), all)} {
			// By any Host and without the token, as probes come.
			if alive := status(handler, http.MethodGet, "/livez", "10.0.0.7", nil, ""); alive.StatusCode != http.StatusOK {
				t.Errorf("%s, %s: a living server is not alive: %d", name, listener, alive.StatusCode)
			}
			response := status(handler, http.MethodGet, "/readyz", "10.0.0.7", nil, "")
			var answer struct {
				Ready  bool
				Checks []struct {
					Name, Message string
					OK            bool
				}
			}
			if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != c.status || answer.Ready != (c.status == http.StatusOK) || len(answer.Checks) != 2 {
				t.Errorf("%s, %s: status %d, %+v", name, listener, response.StatusCode, answer)
			}
			for _, check := range answer.Checks {
				if check.OK != (check.Name != c.failed) || check.OK != (check.Message == "") {
					t.Errorf("%s, %s: %+v", name, listener, check)
				}
			}
		}
	}
}

func TestMetricsAndDocumentationAreOnThePrivateListenerOnly(t *testing.T) {
	all := routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)
	all.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "rlmaze_ready 1") })
	all.Docs = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	public, private := httpapi.NewPublic(options(t), all), httpapi.NewPrivate(options(t), all)
	bearer := map[string]string{"Authorization": "Bearer " + token}
	for _, c := range []struct {
		handler http.Handler
		path    string
		host    string
		header  map[string]string
		want    int
	}{
		{public, "/metrics", "localhost", bearer, http.StatusNotFound},
		{public, "/docs/", "localhost", bearer, http.StatusNotFound},
		{private, "/metrics", "localhost", bearer, http.StatusOK},
		{private, "/metrics", "localhost", nil, http.StatusUnauthorized},
		{private, "/metrics", "evil.example.com", bearer, http.StatusForbidden},
		{private, "/docs", "localhost", nil, http.StatusPermanentRedirect}, // a browser that opens it has no token
		{private, "/docs/", "localhost", nil, http.StatusOK},
		{private, "/docs/init.js", "server", nil, http.StatusOK},
		{private, "/docs/", "evil.example.com", nil, http.StatusForbidden},
		{private, "/docsx", "localhost", nil, http.StatusUnauthorized},
	} {
		if got := status(c.handler, http.MethodGet, c.path, c.host, c.header, "").StatusCode; got != c.want {
			t.Errorf("GET %s by %s, token %v: status %d, want %d", c.path, c.host, c.header != nil, got, c.want)
		}
	}
}

// The answers of the probes are written by hand in docs/openapi.base.yaml; this holds them to what is served.
func TestTheProbesAnswerAsTheDescriptionSays(t *testing.T) {
	content, err := os.ReadFile("../../../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var description struct {
		Paths      map[string]any
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties map[string]any
			}
		}
	}
	if err := yaml.Unmarshal(content, &description); err != nil {
		t.Fatal(err)
	}
	all := routes(systemv1.ServerState_SERVER_STATE_SERVING, nil)
	all.Ready = func() usecase.Readiness { return usecase.Readiness{} }
	handler := httpapi.NewPublic(options(t), all)
	check := func(schema string, answer map[string]any) {
		t.Helper()
		described := description.Components.Schemas[schema]
		if len(described.Properties) == 0 || len(answer) != len(described.Properties) || len(answer) != len(described.Required) {
			t.Errorf("%s has %v, want %v", schema, answer, described.Properties)
		}
		for name := range answer {
			if described.Properties[name] == nil {
				t.Errorf("%s has %s, which is not described", schema, name)
			}
		}
	}
	for path, schema := range map[string]string{"/livez": "Alive", "/readyz": "Readiness"} {
		if description.Paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
		var answer map[string]any
		if err := json.NewDecoder(status(handler, http.MethodGet, path, "localhost", nil, "").Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		check(schema, answer)
		if checks, ok := answer["checks"].([]any); ok {
			check("ReadinessCheck", checks[0].(map[string]any))
		}
	}
}
