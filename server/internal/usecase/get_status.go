package usecase

import (
	"context"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// pingTimeout is how long a store may take to answer before it counts as down: short, because people and probes wait for the status.
const pingTimeout = time.Second

// pingFreshness is how long an answer of a store serves everybody who asks: a crowd of probes costs a store four pings a second.
const pingFreshness = 250 * time.Millisecond

// ServerState says whether episodes can run.
type ServerState string

// The server states.
const (
	ServerStateServing  ServerState = "serving"
	ServerStateDegraded ServerState = "degraded"
	ServerStateDraining ServerState = "draining"
)

// GetStatus tells how the server is.
type GetStatus struct {
	Stores          []domain.StorePinger
	Services        []domain.ServiceReporter
	Models          *LoadedModels
	Counters        *Counters
	SpooledEpisodes func() int64 // nil means none
	Draining        func() bool  // nil means never
	Now             func() time.Time
	StartedAt       time.Time
	OnPingError     func(store string, err error) // when a store goes down, for the log; may be nil

	mu    sync.Mutex // guards pings itself
	pings []*storePing
}

// storePing is the last answer of one store. Who finds it stale asks the store; the others wait for that answer.
type storePing struct {
	turn   chan struct{} // holds one token while somebody asks
	asked  time.Time     // zero before the first time
	status StoreStatus
}

// StoreStatus is the state of one store.
type StoreStatus struct {
	Name     string
	Up       bool
	Embedded bool
	Message  string // empty when up; holds no address
	Latency  time.Duration
}

// Status is what GetStatus tells. Version and revision are the interface's to add.
type Status struct {
	State             ServerState
	StartedAt         time.Time
	ServerTime        time.Time
	Stores            []StoreStatus
	Services          []domain.ServiceStatus
	ActiveModelID     string // that new episodes get; empty when none is loaded
	LiveStreams       int64
	WebSockets        int64
	EpisodesFinished  int64
	EpisodesStarted   int64
	GoalsReached      int64
	EpisodesNotLogged int64
	ModelSwitches     int64
	StreamsUnfinished int64
	SpooledEpisodes   int64
	StepLatency       StepLatency
	Requests          int64
	ErrorRate         float64
	ModelsLoaded      int64
	TrainingViewers   int64
}

// Readiness is what decides whether viewers should be sent to this instance. A store that is away is no part of it: episodes run without it, and
// another instance, which asks the same store, would serve them no better.
type Readiness struct {
	Draining      bool
	ActiveModelID string // empty when none is loaded
}

// Ready tells whether the server does its main work.
func (r Readiness) Ready() bool { return !r.Draining && r.ActiveModelID != "" }

// Readiness answers at once, from memory.
func (u *GetStatus) Readiness() Readiness {
	return Readiness{Draining: u.Draining != nil && u.Draining(), ActiveModelID: u.Models.ActiveModelID()}
}

// Run has no errors: a store that is down is an answer. It takes at most a second.
func (u *GetStatus) Run(ctx context.Context) Status {
	goals := u.Counters.GoalsReached.Load() // before the finished ones, of which they are a part
	s := Status{
		State:             ServerStateServing,
		StartedAt:         u.StartedAt,
		Stores:            make([]StoreStatus, len(u.Stores)),
		ActiveModelID:     u.Models.ActiveModelID(),
		LiveStreams:       u.Counters.LiveStreams.Load(),
		WebSockets:        u.Counters.WebSockets.Load(),
		EpisodesFinished:  u.Counters.EpisodesFinished.Load(),
		EpisodesStarted:   u.Counters.EpisodesStarted.Load(),
		GoalsReached:      goals,
		EpisodesNotLogged: u.Counters.EpisodesNotLogged.Load(),
		ModelSwitches:     u.Models.Switches(),
		StreamsUnfinished: u.Counters.StreamsUnfinished.Load(),
		StepLatency:       u.Counters.Steps.Latency(),
		Requests:          u.Counters.Requests.Load(),
		ErrorRate:         u.Counters.ErrorRate(),
		ModelsLoaded:      u.Models.Loaded(),
		TrainingViewers:   u.Counters.TrainingViewers.Load(),
	}
	for _, services := range u.Services {
		s.Services = append(s.Services, services.ServiceStatuses()...)
	}
	if u.SpooledEpisodes != nil {
		s.SpooledEpisodes = u.SpooledEpisodes()
	}
	pings := u.storePings()
	var answers sync.WaitGroup
	for i, store := range u.Stores {
		answers.Go(func() { s.Stores[i] = u.ping(ctx, store, pings[i]) })
	}
	answers.Wait()
	for _, store := range s.Stores {
		if !store.Up {
			s.State = ServerStateDegraded
		}
	}
	if s.ActiveModelID == "" {
		s.State = ServerStateDegraded
	}
	if u.Draining != nil && u.Draining() {
		s.State = ServerStateDraining
	}
	s.ServerTime = u.Now() // last, because clients estimate their clock's offset with it
	return s
}

func (u *GetStatus) storePings() []*storePing {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.pings) < len(u.Stores) {
		u.pings = append(u.pings, &storePing{turn: make(chan struct{}, 1)})
	}
	return u.pings
}

func (u *GetStatus) ping(caller context.Context, store domain.StorePinger, last *storePing) StoreStatus {
	last.turn <- struct{}{}
	defer func() { <-last.turn }()
	before := u.Now()
	first := last.asked.IsZero()
	if age := before.Sub(last.asked); !first && age >= 0 && age < pingFreshness {
		return last.status
	}
	// The answer serves others too, so a caller who leaves does not end the question.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(caller), pingTimeout)
	defer cancel()
	s := StoreStatus{Name: store.StoreName(), Embedded: store.StoreEmbedded()}
	err := store.PingStore(ctx)
	s.Latency = u.Now().Sub(before)
	if s.Up = err == nil; !s.Up {
		s.Message = s.Name + " does not answer"
		if u.OnPingError != nil && (first || last.status.Up) {
			u.OnPingError(s.Name, err)
		}
	}
	last.asked, last.status = u.Now(), s
	return s
}
