package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1/modelv1connect"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
)

// clock stands still until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// limited is the public chain with limits, and how often each of them refused.
func limited(t *testing.T, limits httpapi.AddressLimits, all httpapi.Routes) (handler http.Handler, refusals map[string]int) {
	t.Helper()
	refusals = map[string]int{}
	limits.Report = func(limit string) { refusals[limit]++ }
	shared := options(t)
	shared.Addresses = limits
	return httpapi.NewPublic(shared, all), refusals
}

// askFrom asks for the models from an address; the stub answers that it does not offer them, which is 501.
func askFrom(handler http.Handler, address string, header map[string]string) *http.Response {
	return askFor(handler, modelv1connect.ModelServiceListModelsProcedure, address, header)
}

func askFor(handler http.Handler, path, address string, header map[string]string) *http.Response {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
	request.Header.Set("Content-Type", "application/json")
	request.RemoteAddr = address
	for name, value := range header {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result()
}

func TestAnAddressMayAskItsQuotaAndOthersDoNotNotice(t *testing.T) {
	now := &clock{time.Unix(1_790_000_000, 0)}
	handler, refusals := limited(t, httpapi.AddressLimits{Requests: 60, Burst: 10, Now: now.now}, routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
	const greedy, modest = "192.0.2.1:1000", "192.0.2.2:1000"
	for i := range 10 {
		if got := askFrom(handler, greedy, nil).StatusCode; got != http.StatusNotImplemented {
			t.Fatalf("request %d within the burst has status %d", i, got)
		}
	}
	refused := askFrom(handler, greedy, nil)
	var body struct {
		Code, Message string
		Details       []struct{ Type string }
	}
	if err := json.NewDecoder(refused.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	if refused.StatusCode != http.StatusTooManyRequests || refused.Header.Get("Retry-After") != "1" || body.Code != "resource_exhausted" ||
		len(body.Details) != 1 || body.Details[0].Type != "google.rpc.RetryInfo" || !strings.Contains(body.Message, "in 1 s") {
		t.Errorf("beyond the burst: status %d, Retry-After %q, %+v", refused.StatusCode, refused.Header.Get("Retry-After"), body)
	}
	if got := askFrom(handler, modest, nil).StatusCode; got != http.StatusNotImplemented {
		t.Errorf("another address has status %d", got)
	}
	if refusals[httpapi.LimitRequests] != 1 {
		t.Errorf("the refusals are %v", refusals)
	}
	// Ten minutes of five requests a second, where one is allowed.
	answered := 0
	for range 3000 {
		now.at = now.at.Add(200 * time.Millisecond)
		if askFrom(handler, greedy, nil).StatusCode == http.StatusNotImplemented {
			answered++
		}
	}
	if math.Abs(float64(answered)-600) > 0.05*600 {
		t.Errorf("%d requests were answered in ten minutes, want 600 within 5 %%", answered)
	}
}

func TestARefusalCanBeReadInEveryProtocol(t *testing.T) {
	now := &clock{time.Unix(1_790_000_000, 0)}
	handler, _ := limited(t, httpapi.AddressLimits{Requests: 1, Burst: 1, Now: now.now, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
	address := listen(t, handler)
	for name, protocol := range map[string]connect.ClientOption{"connect": connect.WithProtoJSON(), "gRPC-Web": connect.WithGRPCWeb()} {
		client := inferencev1connect.NewInferenceServiceClient(http.DefaultClient, address, protocol)
		visitor := fmt.Sprintf("198.51.100.%d", len(name))
		var refused error
		for range 2 { // the first one uses the burst
			ctx, call := connect.NewClientContext(t.Context())
			call.RequestHeader().Set("X-Forwarded-For", visitor)
			_, refused = client.MapPolicy(ctx, &inferencev1.MapPolicyRequest{})
		}
		coded, ok := refused.(*connect.Error) //nolint:errorlint // a client's errors are not wrapped
		if !ok || coded.Code() != connect.CodeResourceExhausted || len(coded.Details()) != 1 || coded.Meta().Get("Retry-After") != "60" {
			t.Errorf("%s: %v", name, refused)
			continue
		}
		detail, err := coded.Details()[0].Value()
		if info, ok := detail.(*errdetails.RetryInfo); err != nil || !ok || info.GetRetryDelay().AsDuration() != time.Minute {
			t.Errorf("%s: the detail is %v, %v", name, detail, err)
		}
	}
}

func TestProbesAndThisMachineAreNotLimited(t *testing.T) {
	now := &clock{time.Unix(1_790_000_000, 0)}
	handler, refusals := limited(t, httpapi.AddressLimits{Requests: 1, Burst: 1, Streams: 1, Now: now.now}, routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
	for range 20 {
		for _, address := range []string{"127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"} {
			if got := askFrom(handler, address, nil).StatusCode; got != http.StatusNotImplemented {
				t.Fatalf("%s has status %d", address, got)
			}
		}
		request := httptest.NewRequest(http.MethodGet, "/health", nil)
		request.RemoteAddr = "192.0.2.1:1000"
		recorder := httptest.NewRecorder()
		if handler.ServeHTTP(recorder, request); recorder.Code != http.StatusOK {
			t.Fatalf("a probe has status %d", recorder.Code)
		}
	}
	if len(refusals) != 0 {
		t.Errorf("the refusals are %v", refusals)
	}
}

func TestForwardedAddressesAreBelievedFromProxiesOnly(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for name, c := range map[string]struct {
		peer, forwarded       string // the first request, which uses the burst
		otherPeer, otherForwd string // the second
		same                  bool   // whether both count as one address
	}{
		"by a stranger, who invents one":       {"192.0.2.1:1", "203.0.113.1", "192.0.2.1:1", "203.0.113.2", true},
		"by a proxy":                           {"10.0.0.1:1", "203.0.113.1", "10.0.0.1:1", "203.0.113.2", false},
		"by two proxies, for one":              {"10.0.0.1:1", "203.0.113.1", "10.9.9.9:1", "203.0.113.1", true},
		"through two proxies":                  {"10.0.0.1:1", "203.0.113.1, 10.0.0.2", "10.0.0.1:1", "203.0.113.2, 10.0.0.2", false},
		"with a lie before the truth":          {"10.0.0.1:1", "1.1.1.1, 203.0.113.1", "10.0.0.1:1", "2.2.2.2, 203.0.113.1", true},
		"with a port":                          {"10.0.0.1:1", "203.0.113.1:77", "10.0.0.1:1", "203.0.113.1:78", true},
		"in IPv6, one customer":                {"10.0.0.1:1", "2001:db8::1", "10.0.0.1:1", "[2001:db8::2]:80", true},
		"in IPv6, two customers":               {"10.0.0.1:1", "2001:db8::1", "10.0.0.1:1", "2001:db8:0:1::1", false},
		"as IPv4 in IPv6":                      {"10.0.0.1:1", "::ffff:203.0.113.1", "10.0.0.1:1", "203.0.113.1", true},
		"as no address: the proxy itself":      {"10.0.0.1:1", "unknown", "10.0.0.1:1", "nonsense", true},
		"without a header: the proxy itself":   {"10.0.0.1:1", "", "10.0.0.1:2", "", true},
		"by this machine, where it is a proxy": {"127.0.0.1:1", "203.0.113.1", "127.0.0.1:1", "203.0.113.1", true},
	} {
		now := &clock{time.Unix(1_790_000_000, 0)}
		handler, _ := limited(t, httpapi.AddressLimits{Requests: 1, Burst: 1, Now: now.now, Proxies: proxies}, routes(systemv1.ServerState_SERVER_STATE_SERVING, nil))
		if got := askFrom(handler, c.peer, map[string]string{"X-Forwarded-For": c.forwarded}).StatusCode; got != http.StatusNotImplemented {
			t.Errorf("%s: the first request has status %d", name, got)
		}
		got := askFrom(handler, c.otherPeer, map[string]string{"X-Forwarded-For": c.otherForwd}).StatusCode
		if (got == http.StatusTooManyRequests) != c.same {
			t.Errorf("%s: the second request has status %d", name, got)
		}
	}
}

// during runs a function while its stream is open.
type during struct {
	inferencev1connect.UnimplementedInferenceServiceHandler
	run func()
}

func (d during) RunEpisode(context.Context, *inferencev1.RunEpisodeRequest, *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
	d.run()
	return nil
}

func TestAnAddressHoldsSoManyStreamsOfAllKindsTogether(t *testing.T) {
	const greedy, modest, socket = "192.0.2.1:1000", "192.0.2.2:1000", "/ws/inference"
	var handler http.Handler
	within := 0
	run := func() {}
	all := httpapi.Routes{
		Services: []httpapi.Service{func(options ...connect.HandlerOption) (string, http.Handler) {
			return inferencev1connect.NewInferenceServiceHandler(during{run: func() { run() }}, options...)
		}},
		Names: []string{inferencev1connect.InferenceServiceName},
		WebSockets: map[string]http.Handler{socket: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			run()
		})},
	}
	handler, refusals := limited(t, httpapi.AddressLimits{Streams: 2, Now: time.Now}, all)
	open := func(path, address string) (status int, answer string) {
		if path == socket {
			response := askFor(handler, path, address, nil)
			body, _ := io.ReadAll(response.Body)
			return response.StatusCode, string(body)
		}
		request := httptest.NewRequest(http.MethodPost, path, strings.NewReader("\x00\x00\x00\x00\x17"+`{"maze":{"mazeId":"m"}}`))
		request.Header.Set("Content-Type", "application/connect+json")
		request.RemoteAddr = address
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder.Code, recorder.Body.String()
	}
	run = func() {
		within++
		switch within {
		case 1: // one stream is open: a WebSocket is the second
			if status, _ := open(socket, greedy); status != http.StatusOK {
				t.Errorf("the second stream has status %d", status)
			}
		case 2: // two are: no third, of either kind, but another address may, and reads go on
			if status, answer := open(socket, greedy); status != http.StatusTooManyRequests || !strings.Contains(answer, "close some") {
				t.Errorf("a third stream by WebSocket has status %d: %s", status, answer)
			}
			if _, answer := open(inferencev1connect.InferenceServiceRunEpisodeProcedure, greedy); !strings.Contains(answer, "resource_exhausted") || !strings.Contains(answer, "google.rpc.RetryInfo") {
				t.Errorf("a third stream by Connect was answered %q", answer)
			}
			if got := askFor(handler, inferencev1connect.InferenceServiceMapPolicyProcedure, greedy, nil).StatusCode; got == http.StatusTooManyRequests {
				t.Error("a read was refused for streams")
			}
			if status, _ := open(socket, modest); status != http.StatusOK {
				t.Errorf("another address has status %d", status)
			}
		}
	}
	for range 3 { // places are given back
		within = 0
		if status, answer := open(inferencev1connect.InferenceServiceRunEpisodeProcedure, greedy); status != http.StatusOK || strings.Contains(answer, "error") {
			t.Fatalf("the first stream has status %d: %s", status, answer)
		}
		if within != 3 {
			t.Errorf("%d streams ran, want 3", within)
		}
	}
	if refusals[httpapi.LimitStreams] != 6 || len(refusals) != 1 {
		t.Errorf("the refusals are %v", refusals)
	}
}
