package usecase

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// TrainerTimes are how often, and how long. Zero values mean the defaults; tests shorten them.
type TrainerTimes struct {
	Poll      time.Duration // between two looks at a trainer's list; 2 s by default
	Whole     time.Duration // between two looks at all of the list, long-ended runs included; a minute by default
	Retry     time.Duration // before an attempt after a failure, with jitter; 500 ms by default, up to eight times that
	Write     time.Duration // for which events are gathered before they are stored; 200 ms by default
	Lost      time.Duration // without contact, after which a trainer's runs are settled; 20 s by default
	Settle    time.Duration // between two attempts to tell MLflow; 5 s by default
	Heartbeat time.Duration // of a viewer's stream; 5 s by default
	CatchUp   time.Duration // for which a viewer that is ahead of us is waited with; 3 s by default
}

func (t TrainerTimes) withDefaults() TrainerTimes {
	t.Poll = cmp.Or(t.Poll, 2*time.Second)
	t.Whole = cmp.Or(t.Whole, time.Minute)
	t.Retry = cmp.Or(t.Retry, 500*time.Millisecond)
	t.Write = cmp.Or(t.Write, 200*time.Millisecond)
	t.Lost = cmp.Or(t.Lost, 20*time.Second)
	t.Settle = cmp.Or(t.Settle, 5*time.Second)
	t.Heartbeat = cmp.Or(t.Heartbeat, 5*time.Second)
	t.CatchUp = cmp.Or(t.CatchUp, 3*time.Second)
	return t
}

// TrainersOptions are what Trainers need.
type TrainersOptions struct {
	Trainers     []NamedTrainer
	Store        domain.TrainingStore
	Settler      domain.RunSettler   // nil: there is no MLflow
	Preparations domain.Preparations // nil: nothing is being prepared
	Counters     *Counters
	Logger       *slog.Logger
	Now          func() time.Time
	Times        TrainerTimes
	Window       WindowLimits
	MostViewers  int // streams of trainings and GPU readings that may be open at one time; 0 means 4096
}

// Trainers follow the trainers of this installation: they find their runs, copy every event into the store, show it to the viewers, and settle the runs
// of a trainer that is lost. Run does that; the use cases of trainings ask it who has what.
type Trainers struct {
	TrainersOptions

	links   []*trainerLink
	live    *liveTrainings
	gpus    *gpuFeeds
	follows sync.WaitGroup // one for each run that is followed
	viewers semaphore
	past    chan struct{} // holds one token for each ended run that is being read
	unlucky chan struct{} // holds one token when a run was settled and MLflow is to be told
	started time.Time
}

// pastRuns is how many ended runs are read at one time: a server that meets a trainer with a long past has live runs to show as well.
const pastRuns = 4

var _ domain.ServiceReporter = (*Trainers)(nil)

// NewTrainers returns Trainers; nothing is asked of anybody before Run.
func NewTrainers(options TrainersOptions) *Trainers {
	options.Times = options.Times.withDefaults()
	f := &Trainers{TrainersOptions: options, live: newLiveTrainings(), past: make(chan struct{}, pastRuns), unlucky: make(chan struct{}, 1), started: options.Now()}
	for _, t := range options.Trainers {
		f.links = append(f.links, newTrainerLink(t, options.Preparations, options.Now))
	}
	f.gpus = newGPUFeeds(options.Times.Retry)
	f.viewers = semaphore{slots: make(chan struct{}, cmp.Or(options.MostViewers, 4096)), full: "too many open streams"}
	return f
}

// admit counts a viewer until leave is called. The error is CodeResourceExhausted.
func (f *Trainers) admit(ctx context.Context) (leave func(), err error) {
	if err := f.viewers.acquire(ctx); err != nil {
		return nil, err
	}
	f.Counters.TrainingViewers.Add(1)
	return func() {
		f.Counters.TrainingViewers.Add(-1)
		f.viewers.release()
	}, nil
}

// Run follows the trainers until the context ends. What was read is stored when it returns, and nothing of it runs any more.
func (f *Trainers) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, link := range f.links {
		all.Go(func() { f.look(ctx, link) })
	}
	if len(f.links) > 0 {
		all.Go(func() { f.settleInMLflow(ctx) })
	}
	all.Wait()
	f.follows.Wait()
	f.gpus.stop()
}

// ServiceStatuses implements domain.ServiceReporter.
func (f *Trainers) ServiceStatuses() []domain.ServiceStatus {
	if len(f.links) == 0 {
		return []domain.ServiceStatus{{Name: "trainer", State: domain.ServiceNotConfigured, Message: domain.ErrNoTrainer.Message, Since: f.started}}
	}
	statuses := make([]domain.ServiceStatus, len(f.links))
	for i, link := range f.links {
		statuses[i] = link.status()
	}
	return statuses
}

// link returns the trainer of that name; nil when this installation has none.
func (f *Trainers) link(name string) *trainerLink {
	i := slices.IndexFunc(f.links, func(l *trainerLink) bool { return l.Name == name })
	if i < 0 {
		return nil
	}
	return f.links[i]
}

// reachable returns the trainers that can be asked, or why there is none.
func (f *Trainers) reachable() ([]*trainerLink, error) {
	if len(f.links) == 0 {
		return nil, domain.ErrNoTrainer
	}
	var up []*trainerLink
	var first error
	for _, link := range f.links {
		if err := link.unavailable(); err != nil {
			first = cmp.Or(first, err)
			continue
		}
		up = append(up, link)
	}
	if len(up) == 0 {
		return nil, first
	}
	return up, nil
}

// pause waits, with jitter, so that many do not come back at the same moment; false when the context ended.
func pause(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	timer := time.NewTimer(d/2 + time.Duration(RandomUint64()%uint64(max(d, 1))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-early:
	case <-ctx.Done():
		return false
	}
	return true
}
