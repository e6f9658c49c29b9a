package usecase

import (
	"context"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// gpuInterval is how often a trainer reads its GPUs while anybody looks: the shortest that a viewer may ask for.
const gpuInterval = 500 * time.Millisecond

// gpuFeeds read the GPUs of trainers, once for all viewers of one, and only while there are any.
type gpuFeeds struct {
	retry time.Duration

	mu      sync.Mutex
	feeds   map[string]*gpuFeed
	reading sync.WaitGroup
	ended   bool
}

// gpuFeed is the reading of one trainer.
type gpuFeed struct {
	viewers int
	cancel  context.CancelFunc

	mu      sync.Mutex
	sample  domain.GPUSample
	taken   int64 // samples so far
	failure error // of the last attempt; nil while it works
	changed chan struct{}
}

func newGPUFeeds(retry time.Duration) *gpuFeeds {
	return &gpuFeeds{retry: retry, feeds: map[string]*gpuFeed{}}
}

// join returns the feed of a trainer, and starts it for the first viewer; leave ends it after the last. Nil when the server ends.
func (g *gpuFeeds) join(link *trainerLink) (feed *gpuFeed, leave func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return nil, nil
	}
	feed = g.feeds[link.Name]
	if feed == nil {
		ctx, cancel := context.WithCancel(context.Background())
		feed = &gpuFeed{cancel: cancel, changed: make(chan struct{})}
		g.feeds[link.Name] = feed
		g.reading.Go(func() { feed.read(ctx, link, g.retry) })
	}
	feed.viewers++
	return feed, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if feed.viewers--; feed.viewers == 0 {
			feed.cancel()
			if g.feeds[link.Name] == feed {
				delete(g.feeds, link.Name)
			}
		}
	}
}

// stop ends all feeds and waits for them. It may be called twice.
func (g *gpuFeeds) stop() {
	g.mu.Lock()
	g.ended = true
	for _, feed := range g.feeds {
		feed.cancel()
	}
	g.mu.Unlock()
	g.reading.Wait()
}

func (f *gpuFeed) read(ctx context.Context, link *trainerLink, retry time.Duration) {
	for {
		var failure error
		for sample, err := range link.Trainer.WatchGPU(ctx, gpuInterval) {
			if err != nil {
				failure = err
				break
			}
			f.set(sample, nil)
		}
		if ctx.Err() != nil {
			return
		}
		if failure == nil {
			failure = domain.TrainerAway("the trainer ended the stream of its GPUs; try again in a moment", nil)
		}
		f.set(domain.GPUSample{}, failure)
		if !pause(ctx, retry, nil) {
			return
		}
	}
}

func (f *gpuFeed) set(sample domain.GPUSample, failure error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failure = failure
	if failure == nil {
		f.sample = sample
		f.taken++
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *gpuFeed) look() (sample domain.GPUSample, taken int64, changed <-chan struct{}, failure error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sample, f.taken, f.changed, f.failure
}
