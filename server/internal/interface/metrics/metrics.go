// Package metrics shows the server to Prometheus. What is counted on the way of a step is counted in atomic counters where it happens; this
// package reads them when it is asked, so a step pays for no label and no map. Only the end of a request is counted here. It decides nothing.
package metrics

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// statusLimit is what a look at the stores may take; GetStatus itself gives up after a second.
const statusLimit = 2 * time.Second

// Bounds of the step histogram as exponents of two, in nanoseconds: 1 µs to 134 ms. A step takes some five microseconds.
const (
	stepFrom = 10
	stepTo   = 27
)

// requestBounds in seconds. A read takes milliseconds, an episode that is watched a minute, a training that is watched an hour.
var requestBounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}

// Inference is what went through the networks. Bounds are those of the adapter that counts.
type Inference struct {
	Sizes    map[float64]uint64 // calls with at most so many rows, cumulative
	Calls    uint64
	Rows     uint64
	Times    map[float64]uint64 // timed calls that took at most so many seconds, cumulative
	Timed    uint64
	Duration time.Duration // of the timed calls together
}

// Sources are what the metrics are read from. All of them may be asked at any time.
type Sources struct {
	Status          func(context.Context) usecase.Status
	Ready           func() bool
	Steps           *usecase.StepHistogram
	Inference       func() Inference
	Limits          []string // that Limited may name
	Version         string
	Revision        string
	ContractVersion int
}

// Metrics are the metrics of one server.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	limited  *prometheus.CounterVec
}

// New returns the metrics of the sources, with those of the Go runtime and of the process beside them.
func New(sources Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rlmaze_requests_total",
			Help: "Requests that have ended, streams included, by procedure (a route of the contract, or other) and Connect code (ok, not_found, …).",
		}, []string{"procedure", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "rlmaze_request_duration_seconds",
			Help:    "Time from the first byte of a request to its end; a stream lasts as long as it is watched.",
			Buckets: requestBounds,
		}, []string{"procedure"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rlmaze_limited_total",
			Help: "Requests that were refused because of what their address had used already: requests or streams.",
		}, []string{"limit"}),
	}
	for _, limit := range sources.Limits {
		m.limited.WithLabelValues(limit)
	}
	m.registry.MustRegister(m.requests, m.duration, m.limited, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{sources})
	return m
}

// Handler answers GET /metrics.
func (m *Metrics) Handler() http.Handler {
	// Half of the metrics are better than none: what can't be read is left out, and says so in promhttp_metric_handler_errors_total.
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Registry: m.registry})
}

// Request counts a request that has ended. Both labels must be of a bounded set.
func (m *Metrics) Request(procedure, code string, took time.Duration) {
	m.requests.WithLabelValues(procedure, code).Inc()
	m.duration.WithLabelValues(procedure).Observe(took.Seconds())
}

// Limited counts a request that a limit refused.
func (m *Metrics) Limited(limit string) { m.limited.WithLabelValues(limit).Inc() }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rlmaze_"+name, help, labels, nil)
}

var (
	buildInfo         = describe("build_info", "1; the labels say which build this is.", "version", "revision", "contract_version")
	startTime         = describe("start_time_seconds", "When this server started, in seconds since the epoch.")
	ready             = describe("ready", "1 while the server can run episodes of the active model, as GET /readyz says.")
	streamsOpen       = describe("streams_open", "Streams that run now: episode (races among them) or training (GPU readings among them).", "kind")
	webSocketsOpen    = describe("websockets_open", "WebSocket connections that are open now.")
	streamsUnfinished = describe("streams_unfinished_total", "Streams of episodes and races that ended before they were done: the viewer left, or the connection was cut.")
	episodesStarted   = describe("episodes_started_total", "Episodes that began; a resume is not counted again.")
	episodesEnded     = describe("episodes_ended_total", "Episodes that came to their end, by outcome: reached_goal or step_limit.", "outcome")
	episodesNotLogged = describe("episodes_not_logged_total", "Finished episodes that neither the log nor its spool took.")
	spooledEpisodes   = describe("spooled_episodes", "Episodes that wait in the spool for the log to be back.")
	stepDuration      = describe("step_duration_seconds", "Time of one step inside the server: observe, infer, apply.")
	inferenceDuration = describe("inference_duration_seconds", "Time of one call of a network. All calls of several rows are timed, and one in eight of those with one row.")
	inferenceRows     = describe("inference_rows", "Rows of one call of a network: steps that went together, or the cells of a policy map.")
	modelSwitches     = describe("model_switches_total", "How often the active model of this instance was replaced by another.")
	modelsLoaded      = describe("models_loaded", "Networks in memory.")
	activeModel       = describe("active_model_info", "1 for the model that new episodes get; there is none while no model is active.", "model_id")
	storeUp           = describe("store_up", "1 while the store answers.", "store")
	storePing         = describe("store_ping_seconds", "How long the store took to answer the last time it was asked, a second at most.", "store")
	serviceUp         = describe("service_up", "1 while the service beside the server answers: a trainer by its name, or mlflow. One that is not configured has no row.", "service")
)

var descriptions = []*prometheus.Desc{
	buildInfo, startTime, ready, streamsOpen, webSocketsOpen, streamsUnfinished, episodesStarted, episodesEnded, episodesNotLogged, spooledEpisodes,
	stepDuration, inferenceDuration, inferenceRows, modelSwitches, modelsLoaded, activeModel, storeUp, storePing, serviceUp,
}

// collector reads the sources whenever the metrics are asked for.
type collector struct{ Sources }

func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		to <- d
	}
}

func (c *collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statusLimit)
	defer cancel()
	s := c.Status(ctx)
	value := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) { value(d, prometheus.GaugeValue, v, labels...) }
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		value(d, prometheus.CounterValue, float64(n), labels...)
	}

	gauge(buildInfo, 1, c.Version, c.Revision, strconv.Itoa(c.ContractVersion))
	gauge(startTime, float64(s.StartedAt.UnixMilli())/1000)
	gauge(ready, truth(c.Ready()))
	gauge(streamsOpen, float64(s.LiveStreams), "episode")
	gauge(streamsOpen, float64(s.TrainingViewers), "training")
	gauge(webSocketsOpen, float64(s.WebSockets))
	counter(streamsUnfinished, s.StreamsUnfinished)
	counter(episodesStarted, s.EpisodesStarted)
	counter(episodesEnded, s.GoalsReached, string(domain.OutcomeReachedGoal))
	counter(episodesEnded, s.EpisodesFinished-s.GoalsReached, string(domain.OutcomeStepLimit))
	counter(episodesNotLogged, s.EpisodesNotLogged)
	gauge(spooledEpisodes, float64(s.SpooledEpisodes))
	counter(modelSwitches, s.ModelSwitches)
	gauge(modelsLoaded, float64(s.ModelsLoaded))
	if s.ActiveModelID != "" {
		gauge(activeModel, 1, s.ActiveModelID)
	}
	for _, store := range s.Stores {
		gauge(storeUp, truth(store.Up), store.Name)
		gauge(storePing, store.Latency.Seconds(), store.Name)
	}
	for _, service := range s.Services {
		if service.State != domain.ServiceNotConfigured {
			gauge(serviceUp, truth(service.State == domain.ServiceUp), service.Name)
		}
	}

	below, steps, sum := c.Steps.Buckets(stepFrom, stepTo)
	bounds := make(map[float64]uint64, len(below))
	for bound, n := range below {
		bounds[bound.Seconds()] = n
	}
	to <- prometheus.MustNewConstHistogram(stepDuration, steps, sum.Seconds(), bounds)
	i := c.Inference()
	to <- prometheus.MustNewConstHistogram(inferenceDuration, i.Timed, i.Duration.Seconds(), i.Times)
	to <- prometheus.MustNewConstHistogram(inferenceRows, i.Calls, float64(i.Rows), i.Sizes)
}

func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}
