// Package standintrainer is a trainer without Python: it implements the generated handler, its runs do what a test says, and it can fail in all the
// ways that a real one can't be made to. Only tests import it.
package standintrainer

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1/trainingv1connect"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/message"
)

// Trainer is a stand-in. Its methods may be called by many goroutines at once.
type Trainer struct {
	trainingv1connect.UnimplementedTrainingServiceHandler

	URL    string
	server *httptest.Server

	mu      sync.Mutex
	runs    []*run // the oldest first
	changed chan struct{}
	away    bool
	silent  bool
	refusal error // of the next starts
	devices []string
	tokens  []string // of the calls, as they came
	gpus    int      // open streams of readings
	gpusAll int      // opened so far
	starts  int
}

type run struct {
	training domain.Training
	events   []domain.TrainingEvent
	request  string
}

// New starts a stand-in with the devices; it ends with the test.
func New(t testing.TB, devices ...string) *Trainer {
	t.Helper()
	s := &Trainer{changed: make(chan struct{}), devices: devices}
	path, handler := trainingv1connect.NewTrainingServiceHandler(s)
	mux := http.NewServeMux()
	mux.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.tokens = append(s.tokens, r.Header.Get("Authorization"))
		away := s.away
		s.mu.Unlock()
		if away {
			panic(http.ErrAbortHandler) // the connection is cut, as by a trainer that was killed
		}
		handler.ServeHTTP(w, r)
	}))
	s.server = httptest.NewServer(mux)
	s.URL = s.server.URL
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

func (s *Trainer) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

// Leave cuts all connections and refuses new ones; Return undoes it.
func (s *Trainer) Leave() {
	s.update(func() { s.away = true })
	s.server.CloseClientConnections()
}

// Return lets the trainer answer again.
func (s *Trainer) Return() { s.update(func() { s.away = false }) }

// Fall silent: streams stay open and say nothing, not even heartbeats.
func (s *Trainer) Fall(silent bool) { s.update(func() { s.silent = silent }) }

// Refuse lets starts fail with the error; nil accepts them again.
func (s *Trainer) Refuse(err error) { s.update(func() { s.refusal = err }) }

// Add adds a run that nobody started by a call.
func (s *Trainer) Add(t domain.Training) {
	s.update(func() { s.runs = append(s.runs, &run{training: t}) })
}

// Remove forgets a run.
func (s *Trainer) Remove(runID string) {
	s.update(func() {
		s.runs = slices.DeleteFunc(s.runs, func(r *run) bool { return r.training.RunID == runID })
	})
}

// Happen appends events to a run.
func (s *Trainer) Happen(runID string, events ...domain.TrainingEvent) {
	s.update(func() {
		r := s.find(runID)
		for _, e := range events {
			r.training.Apply(e)
			r.events = append(r.events, e)
		}
	})
}

// Lose cuts the log of a run, as a disk may after a crash.
func (s *Trainer) Lose(runID string, after int64) {
	s.update(func() {
		r := s.find(runID)
		kept := r.events[:after]
		started := r.training
		started.State, started.LastSequence, started.Latest, started.BestCheckpoint = domain.TrainingQueued, 0, nil, nil
		for _, e := range kept {
			started.Apply(e)
		}
		r.training, r.events = started, kept
	})
}

// Tokens are the authorizations of the calls so far.
func (s *Trainer) Tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tokens)
}

// Starts is how many runs were started by a call.
func (s *Trainer) Starts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts
}

// GPUStreams is how many streams of readings are open, and how many were opened so far.
func (s *Trainer) GPUStreams() (open, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gpus, s.gpusAll
}

// find returns a run; mu is held.
func (s *Trainer) find(runID string) *run {
	for _, r := range s.runs {
		if r.training.RunID == runID {
			return r
		}
	}
	return nil
}

// StartTraining implements the service: the run is named by how many there were.
func (s *Trainer) StartTraining(_ context.Context, request *trainingv1.StartTrainingRequest) (*trainingv1.StartTrainingResponse, error) {
	var started *trainingv1.Training
	var refusal error
	s.update(func() {
		if refusal = s.refusal; refusal != nil {
			return
		}
		for _, r := range s.runs {
			if request.GetRequestId() != "" && r.request == request.GetRequestId() {
				started = message.ToTraining(r.training)
				return
			}
		}
		s.starts++
		r := &run{request: request.GetRequestId(), training: domain.Training{
			RunID: "run-" + s.devices[0] + "-" + string(rune('a'+len(s.runs))), State: domain.TrainingQueued, Name: "a-run", Algorithm: domain.AlgorithmPPO,
			Observation: domain.ObservationMemory, Device: s.devices[0], ConfigYAML: request.GetConfigYaml(), CreatedAt: timestamppb.Now().AsTime(), TotalTimesteps: 1000,
		}}
		r.training.RunID = fmtID(r.training.RunID)
		s.runs = append(s.runs, r)
		started = message.ToTraining(r.training)
	})
	if refusal != nil {
		return nil, refusal
	}
	return &trainingv1.StartTrainingResponse{Training: started}, nil
}

// fmtID makes a run id of a text with a colon in it.
func fmtID(text string) string {
	id := []byte(text)
	for i := range id {
		if id[i] == ':' {
			id[i] = '-'
		}
	}
	return string(id)
}

// StopTraining implements the service: the run ends at once.
func (s *Trainer) StopTraining(_ context.Context, request *trainingv1.StopTrainingRequest) (*trainingv1.StopTrainingResponse, error) {
	var stopped *trainingv1.Training
	s.update(func() {
		r := s.find(request.GetRunId())
		if r == nil {
			return
		}
		if !r.training.State.Final() {
			e := domain.TrainingEvent{Sequence: r.training.LastSequence + 1, HappenedAt: timestamppb.Now().AsTime(), Change: &domain.StateChange{State: domain.TrainingStopped}}
			r.training.Apply(e)
			r.events = append(r.events, e)
		}
		stopped = message.ToTraining(r.training)
	})
	if stopped == nil {
		return nil, connect.NewError(connect.CodeNotFound, nil)
	}
	return &trainingv1.StopTrainingResponse{Training: stopped}, nil
}

// ListTrainings implements the service, two runs to a page.
func (s *Trainer) ListTrainings(_ context.Context, request *trainingv1.ListTrainingsRequest) (*trainingv1.ListTrainingsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const page = 2
	first := len(s.runs) - 1
	for i, r := range s.runs {
		if r.training.RunID == request.GetPageToken() {
			first = i - 1
		}
	}
	response := &trainingv1.ListTrainingsResponse{}
	for i := first; i >= 0 && len(response.Trainings) < page; i-- {
		response.Trainings = append(response.Trainings, message.ToTraining(s.runs[i].training))
		if i > 0 && len(response.Trainings) == page {
			response.NextPageToken = s.runs[i].training.RunID
		}
	}
	return response, nil
}

// WatchTraining implements the service.
func (s *Trainer) WatchTraining(ctx context.Context, request *trainingv1.WatchTrainingRequest, stream *connect.ServerStream[trainingv1.WatchTrainingResponse]) error {
	after, begun := request.GetAfterSequence(), false
	for {
		s.mu.Lock()
		r := s.find(request.GetRunId())
		changed, silent := s.changed, s.silent
		var training domain.Training
		var events []domain.TrainingEvent
		if r != nil && after <= r.training.LastSequence {
			training, events = r.training, slices.Clone(r.events[after:])
		}
		s.mu.Unlock()
		switch {
		case r == nil:
			return connect.NewError(connect.CodeNotFound, nil)
		case training.RunID == "":
			return connect.NewError(connect.CodeInvalidArgument, nil)
		case silent:
		default:
			if !begun {
				begun = true
				if err := stream.Send(&trainingv1.WatchTrainingResponse{Message: &trainingv1.WatchTrainingResponse_Training{Training: message.ToTraining(training)}}); err != nil {
					return err
				}
			}
			if len(events) > 0 {
				after = events[len(events)-1].Sequence
				if err := stream.Send(&trainingv1.WatchTrainingResponse{Message: &trainingv1.WatchTrainingResponse_Events{Events: message.ToEvents(events)}}); err != nil {
					return err
				}
			}
			if training.State.Final() {
				return nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// WatchGpu implements the service: a reading after each change.
func (s *Trainer) WatchGpu(ctx context.Context, _ *trainingv1.WatchGpuRequest, stream *connect.ServerStream[trainingv1.WatchGpuResponse]) error {
	s.update(func() { s.gpus++; s.gpusAll++ })
	defer s.update(func() { s.gpus-- })
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		err := stream.Send(&trainingv1.WatchGpuResponse{Sample: &trainingv1.GpuSample{
			TakenAt: timestamppb.Now(), State: trainingv1.GpuState_GPU_STATE_OK,
			Gpus: []*trainingv1.Gpu{{Index: 0, Name: "A GPU", Utilisation: proto.Float64(0.5)}},
		}})
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// GetTrainingDefaults implements the service.
func (s *Trainer) GetTrainingDefaults(context.Context, *trainingv1.GetTrainingDefaultsRequest) (*trainingv1.GetTrainingDefaultsResponse, error) {
	return &trainingv1.GetTrainingDefaultsResponse{SchemaJson: "{}", Devices: s.devices, QueueLimit: 4, Presets: []*trainingv1.TrainingPreset{{Name: "quick"}}}, nil
}
