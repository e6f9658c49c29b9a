package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/coder/websocket"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
)

// collector keeps the spans that are sent to it by OTLP over HTTP.
type collector struct {
	mu    sync.Mutex
	spans []*tracev1.Span
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collectorv1.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &request) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
}

// find returns the span of the trace whose name ends so.
func (c *collector) find(trace, name string) *tracev1.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.spans {
		if hex.EncodeToString(span.GetTraceId()) == trace && strings.HasSuffix(span.GetName(), name) {
			return span
		}
	}
	return nil
}

// A call, by Connect or WebSocket, is one trace from its caller to the log, and its span reaches a collector where one is named.
func TestATraceGoesFromTheCallerThroughTheServerIntoItsLogAndToTheCollector(t *testing.T) {
	const parent = "00f067aa0ba902b7"
	byConnect, bySocket := "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
	traceparent := func(trace string) string { return "00-" + trace + "-" + parent + "-01" }
	var received collector
	sink := httptest.NewServer(&received)
	defer sink.Close()
	s := start(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": sink.URL})

	ctx, call := connect.NewClientContext(t.Context())
	call.RequestHeader().Set("Traceparent", traceparent(byConnect))
	if _, err := models(s.public).ListModels(ctx, &modelv1.ListModelsRequest{}); err != nil {
		t.Fatal(err)
	}
	// One without a traceparent begins a trace of its own, under the id that its line has.
	ctx, call = connect.NewClientContext(t.Context())
	call.RequestHeader().Set("X-Request-Id", "begins-here")
	if _, err := models(s.public).ListModels(ctx, &modelv1.ListModelsRequest{}); err != nil {
		t.Fatal(err)
	}
	socket, _, err := websocket.Dial(t.Context(), strings.Replace(s.public, "http", "ws", 1)+"/ws/inference", &websocket.DialOptions{HTTPHeader: http.Header{"Traceparent": {traceparent(bySocket)}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := socket.Write(t.Context(), websocket.MessageText, []byte(`{"runEpisode":{"maze":{"mazeId":"showcase-01"},"maxSteps":1}}`)); err != nil {
		t.Fatal(err)
	}
	for err == nil { // to the end of the stream
		_, _, err = socket.Read(t.Context())
	}
	if err := s.stop(); err != nil { // sends what is left
		t.Fatal(err)
	}

	for trace, name := range map[string]string{byConnect: "ModelService/ListModels", bySocket: "RunEpisodeRequest"} {
		span := received.find(trace, name)
		if span == nil || hex.EncodeToString(span.GetParentSpanId()) != parent {
			t.Errorf("the span of %s is %v, want a child of the caller's", name, span)
		}
		if !strings.Contains(s.logged(), "trace_id="+trace) {
			t.Errorf("no line of the log has the trace of %s", name)
		}
	}
	_, line, found := strings.Cut(s.logged(), "request_id=begins-here trace_id=")
	if !found || received.find(line[:32], "ModelService/ListModels") == nil {
		t.Errorf("the trace that begins in the server has no span under the id of its line %.32q", line)
	}
}
