package httpapi

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"

	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// Health returns the state of the server; SystemService answers the same.
type Health func(context.Context) (*systemv1.GetStatusResponse, error)

// store is one store in the answer of GET /health.
type store struct {
	Name      string  `json:"name"`
	Up        bool    `json:"up"`
	Embedded  bool    `json:"embedded"`
	Message   string  `json:"message"`
	LatencyMS float64 `json:"latency_ms"`
}

// health is the answer of GET /health.
type health struct {
	Status           string    `json:"status"` // "serving", "degraded" (episodes run; stores and active_model_id say what is missing) or "draining"
	Version          string    `json:"version"`
	Revision         string    `json:"revision"`
	ContractVersion  int32     `json:"contract_version"` // see ContractVersion in api/
	ActiveModelID    string    `json:"active_model_id"`
	Stores           []store   `json:"stores"`
	LiveStreams      int32     `json:"live_streams"`
	WebSockets       int32     `json:"ws_connections"`
	RequestCount     int64     `json:"request_count"`
	ErrorRate        float64   `json:"error_rate"`
	EpisodesFinished int64     `json:"episodes_finished"`
	SpooledEpisodes  int64     `json:"spooled_episodes"`
	StepP95MS        float64   `json:"step_p95_ms"`
	ServerTS         time.Time `json:"server_ts"`
}

// healthHandler answers GET /health: 200 while episodes can run, 503 when they can't.
func healthHandler(status Health) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now, err := status(r.Context())
		if err != nil {
			http.Error(w, "the state of the server is not known", http.StatusServiceUnavailable)
			return
		}
		answer := health{
			Status:           stateName(now.GetState()),
			Version:          now.GetVersion(),
			Revision:         now.GetRevision(),
			ContractVersion:  int32(now.GetContractVersion()),
			ActiveModelID:    now.GetActiveModelId(),
			Stores:           []store{},
			LiveStreams:      now.GetLiveStreams(),
			WebSockets:       now.GetWebsocketConnections(),
			RequestCount:     now.GetRequestCount(),
			ErrorRate:        now.GetErrorRate(),
			EpisodesFinished: now.GetEpisodesFinished(),
			SpooledEpisodes:  now.GetSpooledEpisodes(),
			StepP95MS:        now.GetStepLatency().GetP95Ms(),
			ServerTS:         now.GetServerTs().AsTime(),
		}
		for _, s := range now.GetStores() {
			answer.Stores = append(answer.Stores, store{Name: s.GetName(), Up: s.GetUp(), Embedded: s.GetEmbedded(), Message: s.GetMessage(), LatencyMS: s.GetLatencyMs()})
		}
		code := http.StatusOK
		if !runsEpisodes(now) {
			code = http.StatusServiceUnavailable
		}
		writeJSON(w, code, answer)
	})
}

// alive is the answer of GET /livez.
type alive struct {
	Alive    bool      `json:"alive"` // always true: who can't answer is not
	ServerTS time.Time `json:"server_ts"`
}

// check is one condition of readiness in the answer of GET /readyz.
type check struct {
	Name    string `json:"name"` // "serving" or "active_model"
	OK      bool   `json:"ok"`
	Message string `json:"message"` // what to do; empty when ok
}

// readiness is the answer of GET /readyz.
type readiness struct {
	Ready    bool      `json:"ready"`
	Checks   []check   `json:"checks"`
	ServerTS time.Time `json:"server_ts"`
}

// livezHandler answers GET /livez: 200 whenever the process answers at all. Who restarts a server because its database is away makes two faults of one.
func livezHandler(now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, alive{Alive: true, ServerTS: now().UTC()})
	})
}

// readyzHandler answers GET /readyz: 200 while viewers should be sent here, else 503. That they should not is an answer, and no failed request.
func readyzHandler(ready func() usecase.Readiness, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		is := ready()
		serving, active := check{Name: "serving", OK: !is.Draining}, check{Name: "active_model", OK: is.ActiveModelID != ""}
		if !serving.OK {
			serving.Message = "the server is going down; ask another instance, or this one when it is back"
		}
		if !active.OK {
			active.Message = "no model is active here; activate one with SetActiveModel, and see stores of GET /health, for the registry may be away"
		}
		status := http.StatusOK
		if !is.Ready() {
			status = http.StatusServiceUnavailable
		}
		access.FromContext(r.Context()).Code = access.CodeOK
		writeJSON(w, status, readiness{Ready: is.Ready(), Checks: []check{serving, active}, ServerTS: now().UTC()})
	})
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // The caller left if this fails.
}

func stateName(state systemv1.ServerState) string {
	return strings.ToLower(strings.TrimPrefix(state.String(), "SERVER_STATE_"))
}

func runsEpisodes(now *systemv1.GetStatusResponse) bool {
	return now.GetState() == systemv1.ServerState_SERVER_STATE_SERVING || now.GetState() == systemv1.ServerState_SERVER_STATE_DEGRADED
}

// healthChecker answers grpc.health.v1 with the same facts.
type healthChecker struct {
	health Health
	names  []string
}

func (c healthChecker) Check(ctx context.Context, request *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if request.Service != "" && !slices.Contains(c.names, request.Service) {
		return nil, connect.NewError(connect.CodeNotFound, errUnknownService)
	}
	now, err := c.health(ctx)
	if err != nil || !runsEpisodes(now) {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
}

// tokenMatches compares in constant time.
func tokenMatches(authorization, token string) bool {
	given, found := strings.CutPrefix(authorization, "Bearer ")
	return found && subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
}
