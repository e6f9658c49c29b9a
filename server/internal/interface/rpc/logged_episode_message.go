package rpc

import (
	"sync"
	"time"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// replayMessage is one ReplayEpisodeResponse of steps that is filled again for every message of a stream, as stepsMessage is.
type replayMessage struct {
	response inferencev1.ReplayEpisodeResponse
	event    inferencev1.ReplayEpisodeResponse_Steps
	steps    inferencev1.EpisodeSteps
	list     stepList
}

// replayMessages keeps them from stream to stream.
var replayMessages = sync.Pool{New: func() any { return new(replayMessage) }}

// fill returns the response of these steps; it is valid until the next call.
func (m *replayMessage) fill(steps []usecase.Step) *inferencev1.ReplayEpisodeResponse {
	m.steps.Steps = m.list.fill(steps)
	m.event.Steps = &m.steps
	m.response.Event = &m.event
	return &m.response
}

// toReplayResponse maps one event; steps go into the memory of the stream.
func toReplayResponse(event *usecase.Event, memory *replayMessage) *inferencev1.ReplayEpisodeResponse {
	switch {
	case event.Started != nil:
		return &inferencev1.ReplayEpisodeResponse{Event: &inferencev1.ReplayEpisodeResponse_Started{Started: toEpisodeStarted(event.Started)}}
	case event.Finished != nil:
		return &inferencev1.ReplayEpisodeResponse{Event: &inferencev1.ReplayEpisodeResponse_Finished{Finished: toEpisodeFinished(event.Finished)}}
	case event.Heartbeat != nil:
		return &inferencev1.ReplayEpisodeResponse{Event: &inferencev1.ReplayEpisodeResponse_Heartbeat{Heartbeat: &inferencev1.Heartbeat{ServerTs: timestamp(event.Heartbeat.ServerTime)}}}
	}
	return memory.fill(event.Steps)
}

func toLoggedEpisode(r *domain.EpisodeRecord) *inferencev1.LoggedEpisode {
	return &inferencev1.LoggedEpisode{
		EpisodeId:   r.EpisodeID,
		FinishedAt:  timestamp(r.Timestamp),
		Policy:      toPolicyRef(domain.PolicyRef{ModelID: r.ModelID, Baseline: r.Baseline}),
		MazeId:      r.MazeID,
		MazeHash:    r.MazeHash,
		DrawnRows:   r.MazeRows,
		Observation: string(r.Observation),
		Seed:        r.Seed,
		Sampling:    toSampling(r.Sampling),
		Steps:       int32(r.Steps),
		Bumps:       int32(r.Bumps),
		Outcome:     outcomes[r.Outcome],
		TotalReward: r.TotalReward,
		Spl:         r.SPL,
		DurationMs:  float64(r.Duration) / float64(time.Millisecond),
	}
}

func toFailures(counted *usecase.ListFailuresOutput) *inferencev1.ListFailuresResponse {
	response := &inferencev1.ListFailuresResponse{
		LeftOut:        int32(counted.LeftOut),
		Episodes:       int64(counted.Episodes),
		FailedEpisodes: int64(counted.FailedEpisodes),
		CountedBackTo:  counted.CountedBackTo.Format(time.DateOnly),
	}
	for _, f := range counted.Failures {
		response.Failures = append(response.Failures, &inferencev1.FailureCount{
			Policy:         toPolicyRef(domain.PolicyRef{ModelID: f.ModelID, Baseline: f.Baseline}),
			MazeId:         f.MazeID,
			Episodes:       int64(f.Episodes),
			FailedEpisodes: int64(f.Failures),
		})
	}
	return response
}

func toVerification(v *usecase.VerifyEpisodeOutput) *inferencev1.VerifyEpisodeResponse {
	return &inferencev1.VerifyEpisodeResponse{
		Identical:          v.Proof.Identical(),
		FirstDifferentStep: int32(v.Proof.FirstDifferentStep),
		LoggedAction:       toActionOrNone(v.Proof.Logged),
		RecomputedAction:   toActionOrNone(v.Proof.Recomputed),
		DifferentFields:    v.Proof.DifferentFields,
		Logged:             toLoggedEpisode(&v.Logged),
		Recomputed: &inferencev1.EpisodeResult{
			Steps:       int32(v.Again.Steps()),
			Bumps:       int32(v.Again.Bumps()),
			Outcome:     outcomes[v.Again.Outcome()],
			TotalReward: v.Again.TotalReward(),
			Spl:         v.Again.SPL(),
		},
	}
}

func toActionOrNone(a *domain.Action) inferencev1.Action {
	if a == nil {
		return inferencev1.Action_ACTION_UNSPECIFIED
	}
	return toAction(*a)
}
