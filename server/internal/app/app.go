// Package app is the only place where the layers meet: it reads the configuration, makes stores, use cases and listeners by hand, runs
// them, and ends them in the right order. What they do is decided elsewhere.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"connectrpc.com/connect"

	"github.com/rlmaze/rlmaze/docs"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/evaluation/v1/evaluationv1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/experiment/v1/experimentv1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1/inferencev1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1/mazev1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1/modelv1connect"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1/systemv1connect"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1/trainingv1connect"
	"github.com/rlmaze/rlmaze/server/internal/correlation"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mazeset"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/modelfolder"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnx"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnxtrial"
	"github.com/rlmaze/rlmaze/server/internal/interface/access"
	"github.com/rlmaze/rlmaze/server/internal/interface/httpapi"
	"github.com/rlmaze/rlmaze/server/internal/interface/metrics"
	"github.com/rlmaze/rlmaze/server/internal/interface/rpc"
	"github.com/rlmaze/rlmaze/server/internal/interface/swagger"
	"github.com/rlmaze/rlmaze/server/internal/interface/ws"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// Set by the linker: -ldflags "-X github.com/rlmaze/rlmaze/server/internal/app.revision=<commit>".
var (
	version  = "0.1.0"
	revision = ""
)

// drainLimit is how long streams have to end; with the nine seconds of the stores at their slowest the whole end stays below fifteen.
const drainLimit = 4 * time.Second

// registeredFolder, below DATA_DIR, holds the models that were registered; the shipped ones are only read.
const registeredFolder = "models"

// App is the whole server. Run serves; Close may be called at any time, and more than once.
type App struct {
	logger   *slog.Logger
	config   Config
	counters *usecase.Counters
	drain    context.CancelFunc
	public   listener
	private  listener
	sockets  []*ws.Handler // one for each path
	status   func() string // one line about what was started

	background sync.WaitGroup
	stop       context.CancelFunc // ends the background
	closers    []func()           // run last to first
	closeOnce  sync.Once
}

// listener is a bound address with the server behind it.
type listener struct {
	net.Listener
	server *http.Server
}

// New binds the addresses, opens the stores and loads the models; nothing is served before Run. A store that was named by an address
// and is down is no error: the server starts degraded and goes on trying.
func New(ctx context.Context, config Config, logger *slog.Logger) (*App, error) {
	logger = slog.New(correlation.NewHandler(logger.Handler()))
	a := &App{logger: logger, config: config, counters: &usecase.Counters{}}
	if err := a.start(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) start(ctx context.Context) error {
	startedAt := time.Now()
	background, stop := context.WithCancel(context.Background())
	a.stop = stop
	drain, cancel := context.WithCancel(context.Background())
	a.drain = cancel

	// Addresses first: that a port is taken should not be learned after a database has started.
	publicListener, err := bind(ctx, "RLMAZE_ADDR", a.config.Addr, a.config.MaxConnections)
	if err != nil {
		return err
	}
	a.onClose(func() { _ = publicListener.Close() })
	privateListener, err := bind(ctx, "RLMAZE_PRIVATE_ADDR", a.config.PrivateAddr, a.config.MaxConnections)
	if err != nil {
		return err
	}
	a.onClose(func() { _ = privateListener.Close() })

	catalog, err := mazeset.Load()
	if err != nil {
		return fmt.Errorf("load maze sets: %w", err)
	}
	library, err := findONNXRuntime(a.config.ONNXRuntimeLib)
	if err != nil {
		return err
	}
	runtime, err := onnx.Open(library)
	if err != nil {
		return err
	}
	a.onClose(func() { a.closed("ONNX Runtime", runtime.Close()) })
	trial, err := onnxtrial.New(library)
	if err != nil {
		return err
	}
	stores, err := openStores(ctx, a.config, a.logger)
	if err != nil {
		return err
	}
	a.onClose(stores.close)

	counters := a.counters
	folder, err := modelfolder.OpenLibrary(a.config.ModelStore, filepath.Join(a.config.DataDir, registeredFolder))
	if err != nil {
		return fmt.Errorf("DATA_DIR: %w", err)
	}
	models := usecase.NewLoadedModels(stores.registry, folder, runtime)
	a.onClose(models.Close)
	a.register(ctx, background, stores, &usecase.RegisterShippedModels{Registry: stores.registry, Store: folder, Models: models})
	a.follow(background, &usecase.FollowActiveModel{Feed: stores.switches, Models: models})

	tracker, err := a.openMLflow(background)
	if err != nil {
		return err
	}
	spans, err := a.openTraces(ctx)
	if err != nil {
		return err
	}
	training := a.openTrainings(background, stores.trainings, tracker, spans.interceptors)
	deps := usecase.EpisodeDeps{
		Catalog:  catalog,
		Models:   models,
		Log:      stores.log,
		Secrets:  stores.secrets,
		Counters: counters,
		Capacity: usecase.NewCapacity(usecase.Limits{Streams: a.config.MaxStreams}),
		Now:      time.Now,
		OnLogged: a.episodeLogged,
	}
	a.keepLogShort(background, stores.pruner)
	episodes := usecase.NewRunEpisode(deps)
	inference := &rpc.InferenceService{
		Run:   episodes,
		Race:  usecase.NewRunRace(episodes),
		Map:   usecase.NewMapPolicy(deps),
		Score: usecase.NewScoreObservations(deps),
	}
	episodeLog := &rpc.EpisodeLogService{
		List:     &usecase.ListEpisodes{Log: stores.log, Capacity: deps.Capacity, Now: time.Now},
		Failures: &usecase.ListFailures{Tallies: stores.tallies, Capacity: deps.Capacity, Now: time.Now},
		Replay:   usecase.NewReplayEpisode(episodes),
		Verify:   usecase.NewVerifyEpisode(deps),
	}
	system := &rpc.SystemService{
		Status: &usecase.GetStatus{
			Stores:          stores.pingers,
			Services:        a.services(training.trainers, tracker),
			Models:          models,
			Counters:        counters,
			SpooledEpisodes: stores.spooled,
			Draining:        func() bool { return drain.Err() != nil },
			Now:             time.Now,
			StartedAt:       startedAt,
			OnPingError: func(store string, err error) {
				a.logger.Warn("store does not answer", "store", store, "cause", err)
			},
		},
		Version:  version,
		Revision: revision,
	}
	maze := &rpc.MazeService{
		List:     &usecase.ListMazeSets{Catalog: catalog},
		ListOne:  &usecase.ListMazes{Catalog: catalog},
		Get:      &usecase.GetMaze{Catalog: catalog},
		Generate: &usecase.GenerateMaze{Random: usecase.RandomUint64},
		Check:    &usecase.CheckMaze{Catalog: catalog},
	}
	model := &rpc.ModelService{
		List:      &usecase.ListModels{Registry: stores.registry},
		Get:       &usecase.GetModel{Registry: stores.registry},
		GetActive: &usecase.GetActiveModel{Registry: stores.registry},
		SetActive: &usecase.SetActiveModel{Registry: stores.registry, Models: models},
		RollBack:  &usecase.RollBackActiveModel{Registry: stores.registry, Models: models},
		History:   &usecase.ListActivations{Registry: stores.registry},
		Register:  usecase.NewRegisterModel(stores.registry, folder, models, trial),
	}
	evaluation := &rpc.EvaluationService{
		Evaluate: &usecase.EvaluatePolicy{
			Catalog: catalog, Models: models, Evaluations: stores.evaluations, Capacity: deps.Capacity, Now: time.Now,
		},
		Leaderboard: &usecase.GetLeaderboard{Catalog: catalog, Registry: stores.registry, Evaluations: stores.evaluations},
	}
	experiment := newExperimentService(tracker, stores.trainings)
	figures := metrics.New(metrics.Sources{
		Status:          system.Status.Run,
		Ready:           func() bool { return system.Status.Readiness().Ready() },
		Steps:           &counters.Steps,
		Inference:       func() metrics.Inference { return toInference(runtime.Figures()) },
		Limits:          []string{httpapi.LimitRequests, httpapi.LimitStreams},
		Version:         version,
		Revision:        revision,
		ContractVersion: rpc.ContractVersion(),
	})
	guard := rpc.NewGuard(drain)
	guard.LimitStreams(time.Duration(a.config.MaxStreamHours) * time.Hour)
	if spans.tracer != nil {
		guard.Trace(spans.tracer)
	}
	socketOptions := ws.Options{
		Guard:    guard,
		Counters: counters,

		MostConnections: a.config.MaxStreams,
		OriginAllowed: func(origin, host string) bool {
			return httpapi.OriginAllowed(origin, host, a.config.CORSOrigins)
		},
	}
	inferenceSockets := ws.NewHandler(socketOptions,
		ws.Stream{Name: "runEpisode", NewRequest: inference.EpisodeRequest, Serve: inference.ServeEpisode},
		ws.Stream{Name: "runRace", NewRequest: inference.RaceRequest, Serve: inference.ServeRace},
		ws.Stream{Name: "replayEpisode", NewRequest: episodeLog.ReplayRequest, Serve: episodeLog.ServeReplay},
	)
	trainingSockets := ws.NewHandler(socketOptions, training.streams()...)
	a.sockets = []*ws.Handler{inferenceSockets, trainingSockets}
	requests := access.NewLog(a.logger, counters, time.Now)
	requests.Report(figures.Request)
	options := httpapi.Options{
		Guard:        guard,
		Log:          requests,
		Logger:       a.logger,
		CORSOrigins:  a.config.CORSOrigins,
		AllowedHosts: a.config.AllowedHosts,
		Token:        a.config.ServerToken,
		Interceptors: spans.interceptors,
		Addresses: httpapi.AddressLimits{
			Requests: a.config.RateLimit, Burst: a.config.RateBurst, Streams: a.config.StreamsPerAddress, Proxies: a.config.Proxies,
			Now: time.Now, Report: figures.Limited,
		},
	}
	routes := httpapi.Routes{
		Services: append(training.services(),
			func(o ...connect.HandlerOption) (string, http.Handler) {
				return inferencev1connect.NewInferenceServiceHandler(inference, o...)
			},
			func(o ...connect.HandlerOption) (string, http.Handler) {
				return inferencev1connect.NewEpisodeLogServiceHandler(episodeLog, o...)
			},
			func(o ...connect.HandlerOption) (string, http.Handler) {
				return mazev1connect.NewMazeServiceHandler(maze, o...)
			},
			func(o ...connect.HandlerOption) (string, http.Handler) {
				return modelv1connect.NewModelServiceHandler(model, o...)
			},
			func(o ...connect.HandlerOption) (string, http.Handler) {
				return evaluationv1connect.NewEvaluationServiceHandler(evaluation, o...)
			},
			func(o ...connect.HandlerOption) (string, http.Handler) {
				return systemv1connect.NewSystemServiceHandler(system, o...)
			},
			func(o ...connect.HandlerOption) (string, http.Handler) {
				return experimentv1connect.NewExperimentServiceHandler(experiment, o...)
			},
		),
		Names: []string{
			inferencev1connect.InferenceServiceName, inferencev1connect.EpisodeLogServiceName, mazev1connect.MazeServiceName,
			modelv1connect.ModelServiceName, evaluationv1connect.EvaluationServiceName, systemv1connect.SystemServiceName,
			experimentv1connect.ExperimentServiceName,
			trainingv1connect.TrainingServiceName, trainingv1connect.TrainingHistoryServiceName,
		},
		WebSockets: map[string]http.Handler{"/ws/inference": inferenceSockets, "/ws/training": trainingSockets},
		Health: func(ctx context.Context) (*systemv1.GetStatusResponse, error) {
			return system.GetStatus(ctx, &systemv1.GetStatusRequest{})
		},
		Ready:   system.Status.Readiness,
		Metrics: figures.Handler(),
		Docs:    swagger.Handler(docs.OpenAPI),
	}
	a.public = listener{publicListener, httpapi.NewServer(httpapi.NewPublic(options, routes), a.logger)}
	a.private = listener{privateListener, httpapi.NewServer(httpapi.NewPrivate(options, routes), a.logger)}
	a.status = func() string {
		active := models.ActiveModelID()
		if active == "" {
			active = "none"
		}
		return fmt.Sprintf("serving on http://%s, changes on http://%s, active model %s, %s, ready after %d ms",
			publicListener.Addr(), privateListener.Addr(), active, stores.summary, time.Since(startedAt).Milliseconds())
	}
	return nil
}

// register brings the shipped models into the registry. While the registry is away it goes on trying in the background.
func (a *App) register(ctx, background context.Context, stores *stores, register *usecase.RegisterShippedModels) {
	attempt := func(ctx context.Context) error {
		if err := stores.prepare(ctx); err != nil {
			return err
		}
		out, err := register.Run(ctx)
		if err != nil {
			return err
		}
		for _, m := range out.Broken {
			a.logger.Error("model is broken", "model_id", m.ID, "reason", m.StateReason)
		}
		for _, m := range out.Replaced {
			a.logger.Warn("the model's file was replaced since it was registered; the new one is registered in its place", "model_id", m.ID, "sha256", m.SHA256)
		}
		if out.Fallback != nil {
			a.logger.Warn("the active model can't be loaded; the default was activated", "model_id", out.Fallback.ModelID, "previous_model_id", out.Fallback.PreviousModelID, "reason", out.Fallback.Reason)
		}
		if out.NotActive != nil {
			a.logger.Warn("no model is active", "cause", out.NotActive)
		}
		return nil
	}
	// A database that hangs must not hold up the start: episodes can run without it.
	const firstLimit = 15 * time.Second // migrating an empty database takes a second on a slow disk
	first, cancel := context.WithTimeout(ctx, firstLimit)
	defer cancel()
	err := attempt(first)
	if err == nil {
		return
	}
	a.logger.Warn("the models are not registered yet", "cause", err)
	a.background.Go(func() {
		const longest = 10 * time.Second // a database that is back is noticed soon enough for people
		for pause := 500 * time.Millisecond; ; pause = min(2*pause, longest) {
			select {
			case <-background.Done():
				return
			case <-time.After(pause):
			}
			if err = attempt(background); err == nil {
				a.logger.Info("the models are registered")
				return
			}
			a.logger.Debug("the models are not registered yet", "cause", err)
		}
	})
}

// follow makes this instance act by the switches of all instances.
func (a *App) follow(background context.Context, follow *usecase.FollowActiveModel) {
	follow.OnFollowed = func(activations []domain.Activation, err error) {
		for _, s := range activations {
			a.logger.Info("a model is active", "model_id", s.ModelID, "activation_id", s.ID, "actor", s.Actor)
		}
		if err != nil {
			a.logger.Error("the active model can't be loaded here; episodes that name no model are refused", "cause", err)
		}
	}
	lost := false // each outage is told once
	follow.OnHeard = func(err error) {
		switch {
		case err != nil && !lost:
			a.logger.Warn("switches of the active model are not heard of; trying again", "cause", err)
		case err == nil && lost:
			a.logger.Info("switches of the active model are heard of again")
		}
		lost = err != nil
	}
	a.background.Go(func() { _ = follow.Run(background) }) // it ends with the background only
}

// episodeLogged tells when the log, spool included, could not take an episode.
func (a *App) episodeLogged(episodeID string, took time.Duration, err error) {
	if err != nil && domain.CodeOf(err) != domain.CodeAlreadyExists {
		a.logger.Error("episode was not logged", "episode_id", episodeID, "duration_ms", took.Milliseconds(), "cause", err)
	}
}

// Addr is the bound public address, PrivateAddr the private one.
func (a *App) Addr() string { return a.public.Addr().String() }

// PrivateAddr is the bound private address.
func (a *App) PrivateAddr() string { return a.private.Addr().String() }

// Run serves until the context ends, then drains and closes. It returns nil after an orderly end.
func (a *App) Run(ctx context.Context) error {
	defer a.Close()
	failed := make(chan error, 2)
	var serving sync.WaitGroup
	for _, l := range []listener{a.public, a.private} {
		serving.Go(func() {
			if err := l.server.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
			}
		})
	}
	a.background.Go(rpc.PrepareValidation)
	a.logger.Info(a.status(), "version", version, "revision", revision)
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-failed:
	}
	a.shutDown()
	serving.Wait()
	return failure
}

// shutDown ends all streams and connections: streams hear of it first, so that each sends its end.
func (a *App) shutDown() {
	began := time.Now()
	a.drain()
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	var ending sync.WaitGroup
	for _, l := range []listener{a.public, a.private} {
		ending.Go(func() {
			if err := l.server.Shutdown(ctx); err != nil {
				a.logger.Warn("connections were cut", "address", l.Addr().String(), "cause", err)
				_ = l.server.Close() // the listener is closed already
			}
		})
	}
	for _, sockets := range a.sockets {
		ending.Go(func() {
			if err := sockets.Wait(ctx); err != nil {
				a.logger.Warn("connections were cut", "cause", err)
			}
		})
	}
	ending.Wait()
	// The handlers of connections that were cut are on their way out; what they use is closed next.
	const unwinding = time.Second
	for left := time.Now().Add(unwinding); a.counters.LiveStreams.Load()+a.counters.TrainingViewers.Load() > 0 && time.Now().Before(left); {
		time.Sleep(5 * time.Millisecond)
	}
	a.logger.Info("all streams have ended", "duration_ms", time.Since(began).Milliseconds())
}

// Close releases everything, the stores last. After Run it has nothing left to do.
func (a *App) Close() {
	a.closeOnce.Do(func() {
		a.drain()
		a.stop()
		a.background.Wait()
		for i := len(a.closers) - 1; i >= 0; i-- {
			a.closers[i]()
		}
	})
}

func (a *App) onClose(release func()) { a.closers = append(a.closers, release) }

func (a *App) closed(what string, err error) {
	if err != nil {
		a.logger.Warn("close", "what", what, "cause", err)
	}
}

// sendBuffer bounds what the kernel holds for a reader that stalls: it would take 4 MB, hours of steps at a viewer's pace, before the
// server noticed. Half of it is enough for 10 Mbit/s over an ocean.
const sendBuffer = 128 << 10

// bind listens on the address, for so many connections at once; the error names the variable that says it.
func bind(ctx context.Context, variable, address string, connections int) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, conn syscall.RawConn) error {
		var failure error
		// Accepted connections inherit it.
		err := conn.Control(func(fd uintptr) {
			failure = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer)
		})
		return errors.Join(err, failure)
	}}
	l, err := config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: another program listens on %s; end it, or set %s to a free address", variable, address, variable)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s: listening on %s is not permitted; ports below 1024 need a privilege", variable, address)
	case err != nil:
		return nil, fmt.Errorf("%s: listen on %s: %w", variable, address, err)
	}
	return httpapi.LimitConnections(l, connections), nil
}
