// Package trainer calls a trainer, the Python service that implements rlmaze.training.v1.TrainingService. It keeps nothing and decides nothing:
// when to call, and what an answer means for a run, is the use cases' matter.
package trainer

import (
	"cmp"
	"context"
	"iter"
	"net"
	"net/http"
	"slices"
	"time"

	"connectrpc.com/connect"

	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1/trainingv1connect"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/message"
)

const (
	silenceLimit = 15 * time.Second // three heartbeats of a trainer
	callLimit    = 5 * time.Second  // of a call that only reads
	startLimit   = 15 * time.Second // a start writes a folder, perhaps to a slow disk
	stopLimit    = 30 * time.Second // a stop waits for the process, which waits for the disk
	largest      = 32 << 20         // bytes of one message
	pageSize     = 50
)

// Options of a Client.
type Options struct {
	URL   string
	Token string // empty: none is sent
	// Silence is how long a stream may say nothing; 0 means 15 s. Tests shorten it.
	Silence time.Duration
	// Interceptors go around every call, outermost first: those that make spans.
	Interceptors []connect.Interceptor
}

// Client is one trainer. Its methods may be called by many goroutines at once.
type Client struct {
	calls   trainingv1connect.TrainingServiceClient
	http    *http.Client
	silence time.Duration
}

var _ domain.Trainer = (*Client)(nil)

// New returns a client. It connects to nothing yet.
func New(options Options) *Client {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     30 * time.Second,
		// No limit for the whole: streams last. The silence limit ends what hangs.
		ResponseHeaderTimeout: stopLimit,
	}
	client := &http.Client{Transport: transport}
	return &Client{
		http:    client,
		silence: cmp.Or(options.Silence, silenceLimit),
		calls: trainingv1connect.NewTrainingServiceClient(client, options.URL,
			connect.WithReadMaxBytes(largest), connect.WithInterceptors(append(slices.Clone(options.Interceptors), bearer(options.Token), correlate{})...)),
	}
}

// Close closes the idle connections; streams end by their contexts.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// StartTraining implements domain.Trainer.
func (c *Client) StartTraining(ctx context.Context, order domain.TrainingOrder) (domain.Training, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	response, err := c.calls.StartTraining(ctx, &trainingv1.StartTrainingRequest{
		ConfigYaml: order.ConfigYAML, Seed: order.Seed, ResumeFrom: order.ResumeFrom, RequestId: order.RequestID,
	})
	if err != nil {
		return domain.Training{}, translateError("start training", err)
	}
	return message.FromTraining(response.GetTraining()), nil
}

// StopTraining implements domain.Trainer.
func (c *Client) StopTraining(ctx context.Context, runID string) (domain.Training, error) {
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	response, err := c.calls.StopTraining(ctx, &trainingv1.StopTrainingRequest{RunId: runID})
	if err != nil {
		return domain.Training{}, translateError("stop training", err)
	}
	return message.FromTraining(response.GetTraining()), nil
}

// ListTrainings implements domain.Trainer.
func (c *Client) ListTrainings(ctx context.Context, pageToken string) ([]domain.Training, string, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	response, err := c.calls.ListTrainings(ctx, &trainingv1.ListTrainingsRequest{PageSize: pageSize, PageToken: pageToken})
	if err != nil {
		return nil, "", translateError("list trainings", err)
	}
	trainings := make([]domain.Training, len(response.GetTrainings()))
	for i, t := range response.GetTrainings() {
		trainings[i] = message.FromTraining(t)
	}
	return trainings, response.GetNextPageToken(), nil
}

// Defaults implements domain.Trainer.
func (c *Client) Defaults(ctx context.Context) (domain.TrainingDefaults, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	response, err := c.calls.GetTrainingDefaults(ctx, &trainingv1.GetTrainingDefaultsRequest{})
	if err != nil {
		return domain.TrainingDefaults{}, translateError("get training defaults", err)
	}
	defaults := domain.TrainingDefaults{
		SchemaJSON: response.GetSchemaJson(),
		Devices:    response.GetDevices(),
		MazeSets:   response.GetMazeSets(),
		QueueLimit: int(response.GetQueueLimit()),
	}
	for _, p := range response.GetPresets() {
		defaults.Presets = append(defaults.Presets, domain.TrainingPreset{Name: p.GetName(), Title: p.GetTitle(), Description: p.GetDescription(), ConfigYAML: p.GetConfigYaml()})
	}
	return defaults, nil
}

// WatchTraining implements domain.Trainer.
func (c *Client) WatchTraining(ctx context.Context, runID string, afterSequence int64) iter.Seq2[domain.TrainingNews, error] {
	return func(yield func(domain.TrainingNews, error) bool) {
		watched := watch(ctx, c.silence, func(ctx context.Context) (*connect.ServerStreamForClient[trainingv1.WatchTrainingResponse], error) {
			return c.calls.WatchTraining(ctx, &trainingv1.WatchTrainingRequest{RunId: runID, AfterSequence: afterSequence})
		})
		for response, err := range watched {
			if err != nil {
				yield(domain.TrainingNews{}, translateError("watch training", err))
				return
			}
			var news domain.TrainingNews
			switch kind := response.GetMessage().(type) {
			case *trainingv1.WatchTrainingResponse_Training:
				training := message.FromTraining(kind.Training)
				news.Training = &training
			case *trainingv1.WatchTrainingResponse_Events:
				news.Events = message.FromEvents(kind.Events)
			}
			if !yield(news, nil) {
				return
			}
		}
	}
}

// WatchGPU implements domain.Trainer.
func (c *Client) WatchGPU(ctx context.Context, interval time.Duration) iter.Seq2[domain.GPUSample, error] {
	return func(yield func(domain.GPUSample, error) bool) {
		watched := watch(ctx, c.silence+interval, func(ctx context.Context) (*connect.ServerStreamForClient[trainingv1.WatchGpuResponse], error) {
			return c.calls.WatchGpu(ctx, &trainingv1.WatchGpuRequest{IntervalMs: int32(interval.Milliseconds())})
		})
		for response, err := range watched {
			if err != nil {
				yield(domain.GPUSample{}, translateError("watch GPU", err))
				return
			}
			if !yield(message.FromGPUSample(response.GetSample()), nil) {
				return
			}
		}
	}
}
