package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

// TestCutAndResumedEpisodesAreTheUncutOnes cuts episodes at random steps, changes the transport at random, resumes, and compares with
// the same episode uncut. Each has exactly one document in the log.
func TestCutAndResumedEpisodesAreTheUncutOnes(t *testing.T) {
	total := count(60, 1000)
	s := start(t, nil)
	ways := transports(t, 0)
	var streams, cuts, steps atomic.Int64
	work := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	logged := map[string]int{} // episode_id → steps
	for range 8 {
		workers.Go(func() {
			for n := range work {
				random := rand.New(rand.NewPCG(11, uint64(n))) //nolint:gosec // reproducible on purpose
				request := randomEpisode(random)
				request.EpisodeId = newEpisodeID()
				uncut, err := run(t.Context(), ways[0], s.public, request)
				if err != nil {
					t.Errorf("episode %d: %v", n, err)
					continue
				}
				again := proto.CloneOf(request)
				again.EpisodeId = newEpisodeID()
				again.Policy = uncut.started.GetPolicy()
				resumed := &episode{}
				for {
					cutAfter := -1
					if left := len(uncut.steps) - len(resumed.steps); random.IntN(4) > 0 && left >= 0 {
						cutAfter = len(resumed.steps) + random.IntN(left+1)
					}
					live, err := ways[random.IntN(len(ways))].open(t.Context(), s.public, resumed.resume(again))
					if err == nil {
						streams.Add(1)
						err = resumed.follow(live, cutAfter)
					}
					if errors.Is(err, errCut) {
						cuts.Add(1)
						continue
					}
					if err != nil {
						t.Errorf("episode %d, resumed after step %d: %v", n, len(resumed.steps), err)
					}
					break
				}
				if d := difference(uncut, resumed); d != "" {
					t.Errorf("episode %d differs: %s", n, d)
				}
				steps.Add(int64(len(resumed.steps)))
				mu.Lock()
				logged[request.GetEpisodeId()], logged[again.GetEpisodeId()] = len(uncut.steps), len(uncut.steps)
				mu.Unlock()
			}
		})
	}
	for n := range total {
		work <- n
	}
	close(work)
	workers.Wait()
	log := episodes(t, s.dataDir)
	documents := countEpisodes(t, s.public, s.dataDir)
	if documents != len(logged) {
		t.Errorf("the log holds %d documents for %d episodes", documents, len(logged))
	}
	for id, n := range logged {
		if record, err := find(t, log, id); err != nil || record.Steps != n {
			t.Errorf("the log holds %d steps for %s, want %d: %v", record.Steps, id, n, err)
		}
	}
	t.Logf("%d episodes (%d steps) in %d streams, cut %d times at random steps: the uncut sequence each time, %d documents for %d episode ids", total, steps.Load(), streams.Load(), cuts.Load(), documents, len(logged))
}

// randomEpisode picks maze, policy, sampling and pace.
func randomEpisode(random *rand.Rand) *inferencev1.RunEpisodeRequest {
	request := &inferencev1.RunEpisodeRequest{Seed: proto.Uint64(random.Uint64())}
	switch random.IntN(3) {
	case 0:
		request.Maze = mazeByID(fmt.Sprintf("heldout-%04d", 1+random.IntN(1000)))
	case 1:
		request.Maze = mazeByID(domain.GeneratorParams{Rows: 5 + random.IntN(8), Cols: 5 + random.IntN(8), Seed: random.Uint64(), LoopPercent: 10 * random.IntN(4)}.ID())
	case 2:
		request.Maze = drawnMaze("S..#....", ".#.#.##.", ".#...#..", "...#.#.G")
	}
	switch random.IntN(4) {
	case 0:
		request.Sampling = softmax(1)
	case 1:
		request.Policy = baseline(inferencev1.Baseline(1 + random.IntN(7)))
	}
	if random.IntN(4) == 0 {
		request.StepsPerSecond = 500
		request.ShareMs = int32(random.IntN(100))
	}
	return request
}

// TestStreamsThatAreDroppedLeaveNothing opens and drops streams over every transport: goroutines and memory come back to where they were.
func TestStreamsThatAreDroppedLeaveNothing(t *testing.T) {
	total := count(150, 1000)
	s := start(t, nil)
	ways := transports(t, 0)
	drop := func(n int) {
		var dropping sync.WaitGroup
		slots := make(chan struct{}, 50)
		for i := range n {
			slots <- struct{}{}
			dropping.Go(func() {
				defer func() { <-slots }()
				live, err := ways[i%len(ways)].open(t.Context(), s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("large30-01"), StepsPerSecond: 60})
				if err != nil {
					t.Error(err)
					return
				}
				for range 1 + i%4 {
					if _, err := live.next(); err != nil {
						t.Error(err)
					}
				}
				live.close()
			})
		}
		dropping.Wait()
	}
	settle := func() {
		eventually(t, "all streams are closed", func() bool {
			status, err := system(s.public).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
			return err == nil && status.GetLiveStreams() == 0 && status.GetWebsocketConnections() == 0
		})
		for _, way := range ways {
			way.http.CloseIdleConnections()
		}
	}
	drop(60) // fills pools and caches
	settle()
	goroutines, heap := quiet(), heapInUse()
	drop(total)
	settle()
	const slack = 10 // keep-alive connections of the status calls, store pools
	eventually(t, "goroutines are back", func() bool { return runtime.NumGoroutine() <= goroutines+slack })
	grown := int64(heapInUse()) - int64(heap)
	if grown > 8<<20 {
		t.Errorf("the heap grew by %d kB", grown>>10)
	}
	status, err := system(s.public).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
	if err != nil || status.GetStreamsUnfinished() < int64(total) {
		t.Errorf("%d unfinished streams are counted, want %d; %v", status.GetStreamsUnfinished(), total, err)
	}
	t.Logf("%d streams opened and dropped: goroutines %d → %d, heap %+d kB", total, goroutines, runtime.NumGoroutine(), grown>>10)
}

// quiet returns the number of goroutines when it has stopped falling.
func quiet() int {
	least := runtime.NumGoroutine()
	for range 20 {
		time.Sleep(20 * time.Millisecond)
		least = min(least, runtime.NumGoroutine())
	}
	return least
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first empties the pools
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestReadersThatStallAreCutAndHoldUpNobody opens streams with small buffers on a large maze at full speed and stops reading them. All are
// cut within five seconds, while another viewer's steps stay on time.
func TestReadersThatStallAreCutAndHoldUpNobody(t *testing.T) {
	total := count(12, 100)
	s := start(t, nil)
	normal := transports(t, 0)
	calm, calmed := context.WithTimeout(t.Context(), 2*time.Second)
	before := delays(calm, t, normal[0], s.public) // this machine's own lateness
	calmed()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	viewer := make(chan []time.Duration, 1)
	go func() { viewer <- delays(ctx, t, normal[0], s.public) }()

	clumsy := func(seed int) *inferencev1.RunEpisodeRequest { // whose many steps fill any buffer
		return &inferencev1.RunEpisodeRequest{Maze: mazeByID("generated-100x100-1"), Sampling: softmax(10), Seed: proto.Uint64(uint64(seed))}
	}
	alone := time.Now()
	if _, err := run(t.Context(), normal[0], s.public, clumsy(0)); err != nil {
		t.Fatal(err)
	}
	computing := time.Since(alone)

	began := time.Now()
	var last time.Duration // when the last stream was opened
	stalled := make([]stream, 0, total)
	for i := range total {
		// Each has a connection of its own: one that is full holds up whoever shares it, by HTTP/2's own rules.
		live, err := transports(t, 4<<10)[i%3].open(t.Context(), s.public, clumsy(i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := live.next(); err != nil {
			t.Fatal(err)
		}
		stalled = append(stalled, live)
		last = time.Since(began)
	}
	live := func() int32 {
		time.Sleep(50 * time.Millisecond) // asking costs the server more than a step does
		status, err := system(s.public).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return status.GetLiveStreams()
	}
	most := live()
	// Five seconds run from the first blocked write, which the tests of the transports measure. Here all episodes compute until then.
	limit := measured.Limit(5*time.Second + time.Second + computing*time.Duration(total)/time.Duration(runtime.GOMAXPROCS(0)))
	eventually(t, "all stalled readers are cut", func() bool { return live() <= 1 })
	took := time.Since(began) - last
	status, err := system(s.public).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	cut := status.GetStreamsUnfinished()
	for _, reader := range stalled {
		reader.close()
	}
	cancel()
	late := <-viewer
	slices.Sort(late)
	slices.Sort(before)
	if len(late) == 0 || len(before) == 0 {
		t.Fatal("the viewer saw nothing")
	}
	p99 := late[len(late)*99/100]
	// OPS-4's 200 ms where figures are measured, or what the machine does without stalled readers.
	if p99 > max(measured.Limit(200*time.Millisecond), 4*before[len(before)*99/100]) {
		t.Errorf("the other viewer's steps were %v late, and %v before", p99, before[len(before)*99/100])
	}
	if int(cut) < total {
		t.Errorf("%d of %d stalled readers were cut; the others' episodes fitted into the buffers", cut, total)
	}
	if took > limit {
		t.Errorf("the last one was cut %v after it was opened, want %v", took, limit)
	}
	t.Logf("%d readers that stalled (%d live at once): all cut within %v of opening the last (limit %v: 5 s, and the computing until buffers are full, where figures are measured); the other viewer's %d steps were p50 %v, p99 %v late", total, most, took.Round(time.Millisecond), limit.Round(time.Millisecond), len(late), late[len(late)/2].Round(time.Microsecond), p99.Round(time.Microsecond))
}

// delays runs episodes at 30 steps a second and returns how late each step came.
func delays(ctx context.Context, t *testing.T, tr transport, base string) []time.Duration {
	var late []time.Duration
	for ctx.Err() == nil {
		live, err := tr.open(ctx, base, &inferencev1.RunEpisodeRequest{Maze: mazeByID("large20-01"), StepsPerSecond: 30})
		if err != nil {
			return late
		}
		for {
			response, err := live.next()
			if err != nil {
				// The server may see the deadline of the context before the context does.
				if code := connect.CodeOf(err); ctx.Err() == nil && code != connect.CodeUnknown && code != connect.CodeDeadlineExceeded {
					t.Error(err)
				}
				break
			}
			for _, step := range response.GetSteps().GetSteps() {
				late = append(late, time.Since(step.GetServerTs().AsTime()))
			}
		}
		live.close()
	}
	return late
}
