package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

var serverStates = map[usecase.ServerState]systemv1.ServerState{
	usecase.ServerStateServing:  systemv1.ServerState_SERVER_STATE_SERVING,
	usecase.ServerStateDegraded: systemv1.ServerState_SERVER_STATE_DEGRADED,
	usecase.ServerStateDraining: systemv1.ServerState_SERVER_STATE_DRAINING,
}

var serviceStates = map[domain.ServiceState]systemv1.ServiceState{
	domain.ServiceUp:            systemv1.ServiceState_SERVICE_STATE_UP,
	domain.ServiceAway:          systemv1.ServiceState_SERVICE_STATE_AWAY,
	domain.ServicePreparing:     systemv1.ServiceState_SERVICE_STATE_PREPARING,
	domain.ServiceNotConfigured: systemv1.ServiceState_SERVICE_STATE_NOT_CONFIGURED,
}

// SystemService serves rlmaze.system.v1.SystemService.
type SystemService struct {
	Status   *usecase.GetStatus
	Version  string
	Revision string
}

// GetStatus returns the state of the server and its stores.
func (s *SystemService) GetStatus(ctx context.Context, _ *systemv1.GetStatusRequest) (*systemv1.GetStatusResponse, error) {
	return toStatus(s.Status.Run(ctx), s.Version, s.Revision), nil
}

func toStatus(s usecase.Status, version, revision string) *systemv1.GetStatusResponse {
	response := &systemv1.GetStatusResponse{
		State:                serverStates[s.State],
		Version:              version,
		Revision:             revision,
		StartedAt:            timestamppb.New(s.StartedAt),
		ServerTs:             timestamppb.New(s.ServerTime),
		ActiveModelId:        s.ActiveModelID,
		LiveStreams:          int32(s.LiveStreams),
		WebsocketConnections: int32(s.WebSockets),
		EpisodesFinished:     s.EpisodesFinished,
		StreamsUnfinished:    s.StreamsUnfinished,
		SpooledEpisodes:      s.SpooledEpisodes,
		StepLatency: &systemv1.StepLatency{
			Count: s.StepLatency.Count,
			P50Ms: milliseconds(s.StepLatency.P50),
			P95Ms: milliseconds(s.StepLatency.P95),
			P99Ms: milliseconds(s.StepLatency.P99),
		},
		RequestCount: s.Requests,
		ErrorRate:    s.ErrorRate,
		ModelsLoaded: int32(s.ModelsLoaded),

		TrainingViewers: int32(s.TrainingViewers),

		ContractVersion: contractVersion,
	}
	for _, store := range s.Stores {
		response.Stores = append(response.Stores, &systemv1.StoreStatus{
			Name:      store.Name,
			Up:        store.Up,
			Embedded:  store.Embedded,
			Message:   store.Message,
			LatencyMs: milliseconds(store.Latency),
		})
	}
	for _, service := range s.Services {
		response.Services = append(response.Services, &systemv1.ServiceStatus{
			Name:     service.Name,
			State:    serviceStates[service.State],
			Message:  service.Message,
			Progress: service.Progress,
			Since:    timestamp(service.Since),
		})
	}
	return response
}

// contractVersion is the newest one that the generated code knows.
var contractVersion = newestContractVersion()

func newestContractVersion() systemv1.ContractVersion {
	newest := systemv1.ContractVersion_CONTRACT_VERSION_UNSPECIFIED
	values := newest.Descriptor().Values()
	for i := range values.Len() {
		newest = max(newest, systemv1.ContractVersion(values.Get(i).Number()))
	}
	return newest
}

// ContractVersion is the number by which pages see whether this server is older or newer than they are.
func ContractVersion() int { return int(contractVersion) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
