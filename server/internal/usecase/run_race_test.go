package usecase

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// raced is what one stream of a race gave, copied.
type raced struct {
	started    *RaceStarted
	steps      [mostLanes][]Step
	ended      [mostLanes]*EpisodeFinished // as the messages told it
	messages   [][]RaceLaneSteps
	at         []time.Time // when each message came
	finished   *RaceFinished
	heartbeats []time.Time
	err        error
}

func (b *bench) race(ctx context.Context, in RunRaceInput) raced {
	var r raced
	for event, err := range NewRunRace(b.run).Run(ctx, in) {
		if err != nil {
			r.err = err
			break
		}
		r.take(event)
	}
	return r
}

func (r *raced) take(event RaceEvent) {
	switch {
	case event.Started != nil:
		r.started = event.Started
	case event.Finished != nil:
		r.finished = event.Finished
	case event.Heartbeat != nil:
		r.heartbeats = append(r.heartbeats, time.Now())
	default:
		var message []RaceLaneSteps
		for _, lane := range event.Steps {
			lane.Steps = slices.Clone(lane.Steps)
			message = append(message, lane)
			r.steps[lane.Lane] = append(r.steps[lane.Lane], lane.Steps...)
			if lane.Finished != nil {
				r.ended[lane.Lane] = lane.Finished
			}
		}
		r.messages = append(r.messages, message)
		r.at = append(r.at, time.Now())
	}
}

func actionsOf(steps []Step) []byte { return played{steps: steps}.actions() }

// withoutTimes are the steps as every run of the episode gives them.
func withoutTimes(steps []Step) []Step {
	steps = slices.Clone(steps)
	for i := range steps {
		steps[i].ServerTime = time.Time{}
	}
	return steps
}

// checkWholeTicks requires each message to hold the same ticks of every lane that had not ended, in order.
func checkWholeTicks(t *testing.T, r raced, lanes, firstTick int, ended [mostLanes]bool) {
	t.Helper()
	tick := firstTick
	for i, message := range r.messages {
		last := tick - 1
		for _, lane := range message {
			last = max(last, lane.Steps[len(lane.Steps)-1].Index)
		}
		next := 0
		for n := range lanes {
			if ended[n] {
				continue
			}
			if next == len(message) || message[next].Lane != n {
				t.Fatalf("message %d leaves out lane %d", i, n)
			}
			lane := message[next]
			next++
			for j, s := range lane.Steps {
				if s.Index != tick+j {
					t.Fatalf("message %d has step %d of lane %d in the place of %d", i, s.Index, n, tick+j)
				}
			}
			final := lane.Steps[len(lane.Steps)-1]
			if ended[n] = final.Outcome != domain.OutcomeRunning; !ended[n] && final.Index != last {
				t.Fatalf("message %d ends with tick %d, and with %d of lane %d", i, last, final.Index, n)
			}
			if ended[n] != (lane.Finished != nil) {
				t.Fatalf("message %d: lane %d ended %v, finished %v", i, n, ended[n], lane.Finished)
			}
		}
		if next != len(message) {
			t.Fatalf("message %d has lanes that had ended", i)
		}
		tick = last + 1
	}
}

// contestants are all kinds of lanes there are, by four.
func contestants() map[string][]RaceLaneInput {
	of := func(b domain.Baseline) RaceLaneInput { return RaceLaneInput{Policy: domain.PolicyRef{Baseline: b}} }
	return map[string][]RaceLaneInput{
		"one":       {{}},
		"models":    {{}, {Sampling: domain.Sampling{Temperature: 0.3}}, {Policy: domain.PolicyRef{ModelID: "second-1"}}, {Policy: domain.PolicyRef{ModelID: "second-1"}, Sampling: domain.Sampling{Temperature: 1}}},
		"baselines": {of(domain.BaselineRandom), of(domain.BaselineWallFollower), of(domain.BaselineLeastRecentlyVisited), of(domain.BaselineTrailHeuristic)},
		"mixed":     {of(domain.BaselineMemoryHeuristic), {}, of(domain.BaselineShortestPath), of(domain.BaselineNearestFrontier)},
		"the same":  {{}, {}},
	}
}

func TestEveryLaneIsTheEpisodeThatRunsAlone(t *testing.T) {
	for name, lanes := range contestants() {
		for _, pace := range []float64{0, 300} {
			t.Run(fmt.Sprintf("%s at %g", name, pace), func(t *testing.T) {
				inBubble(t, func(t *testing.T, b *bench) {
					r := b.race(t.Context(), RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: lanes, Seed: seedOf(9), StepsPerSecond: pace})
					if r.err != nil || r.started == nil || r.finished == nil {
						t.Fatalf("raced %+v", r)
					}
					if s := r.started; s.Seed != 9 || s.FirstStep != 1 || s.MaxSteps != 128 || len(s.Lanes) != len(lanes) || s.ServerTime.IsZero() {
						t.Errorf("started %+v", s)
					}
					checkWholeTicks(t, r, len(lanes), 1, [mostLanes]bool{})
					for i, lane := range lanes {
						alone := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), Policy: lane.Policy, Sampling: lane.Sampling, Seed: seedOf(9)})
						if alone.err != nil {
							t.Fatal(alone.err)
						}
						if !slices.Equal(withoutTimes(r.steps[i]), withoutTimes(alone.steps)) {
							t.Errorf("lane %d took other steps than alone", i)
						}
						s, a := r.started.Lanes[i], alone.started
						if s.Policy != a.Policy || s.Sampling != a.Sampling || s.Observation != a.Observation || s.ScoreKind != a.ScoreKind || s.ResumeToken == "" || s.EpisodeID == a.EpisodeID {
							t.Errorf("lane %d started with %+v, alone with %+v", i, s, a)
						}
						want := *alone.finished
						for _, got := range []EpisodeFinished{r.finished.Lanes[i], *r.ended[i]} {
							if got.ServerTime = want.ServerTime; got != want {
								t.Errorf("lane %d finished %+v, alone %+v", i, got, want)
							}
						}
						inRace, _ := b.log.FindEpisode(t.Context(), s.EpisodeID)
						byItself, _ := b.log.FindEpisode(t.Context(), a.EpisodeID)
						if inRace.EpisodeID = byItself.EpisodeID; !inRace.SameContent(byItself) || inRace.Steps == 0 {
							t.Errorf("lane %d was logged as %+v, alone as %+v", i, inRace, byItself)
						}
					}
					c := b.deps.Counters
					if n := int64(2 * len(lanes)); len(b.log.records) != int(n) || c.EpisodesFinished.Load() != n || c.StreamsUnfinished.Load() != 0 || c.LiveStreams.Load() != 0 {
						t.Errorf("%d documents, %d finished", len(b.log.records), c.EpisodesFinished.Load())
					}
				})
			})
		}
	}
}

// resumeRace is the request that goes on after so many ticks of a race that was seen whole.
func resumeRace(in RunRaceInput, whole raced, after int) RunRaceInput {
	in.AfterStep = after
	in.Lanes = slices.Clone(in.Lanes)
	for i := range in.Lanes {
		in.Lanes[i].ResumeToken = whole.started.Lanes[i].ResumeToken
		in.Lanes[i].ActionsDigest = domain.ActionsDigest(actionsOf(whole.steps[i][:min(after, len(whole.steps[i]))]))
	}
	return in
}

func TestARaceThatIsCutAnywhereGoesOnAsIfUncut(t *testing.T) {
	for name, lanes := range contestants() {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			in := RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: lanes, Seed: seedOf(4)}
			whole := b.race(t.Context(), in)
			if whole.err != nil || whole.finished == nil {
				t.Fatal(whole.err)
			}
			counted := b.deps.Counters.EpisodesFinished.Load()
			longest := 0
			for i := range lanes {
				longest = max(longest, len(whole.steps[i]))
			}
			stillRunning := func(cut int) (n int64) {
				for i := range lanes {
					if len(whole.steps[i]) > cut {
						n++
					}
				}
				return n
			}
			for cut := range longest + 1 {
				resumed := resumeRace(in, whole, cut)
				if cut%2 == 0 { // what the tokens pin may be left out
					resumed.Seed = nil
				}
				r := b.race(t.Context(), resumed)
				if r.err != nil || r.finished == nil {
					t.Fatalf("cut at %d: %v", cut, r.err)
				}
				if r.started.FirstStep != cut+1 || r.started.Seed != 4 {
					t.Fatalf("cut at %d: started %+v", cut, r.started)
				}
				var ended [mostLanes]bool
				for i := range lanes {
					own := min(cut, len(whole.steps[i]))
					ended[i] = own == len(whole.steps[i])
					if !slices.Equal(withoutTimes(r.steps[i]), withoutTimes(whole.steps[i][own:])) {
						t.Fatalf("cut at %d: lane %d went on differently", cut, i)
					}
					if s := r.started.Lanes[i]; s != whole.started.Lanes[i] {
						t.Fatalf("cut at %d: lane %d started %+v", cut, i, s)
					}
					got, want := r.finished.Lanes[i], whole.finished.Lanes[i]
					if got.ServerTime = want.ServerTime; got != want {
						t.Fatalf("cut at %d: lane %d finished %+v, uncut %+v", cut, i, got, want)
					}
				}
				checkWholeTicks(t, r, len(lanes), cut+1, ended)
				counted += stillRunning(cut)
				if got := b.deps.Counters.EpisodesFinished.Load(); got != counted {
					t.Fatalf("cut at %d: %d episodes are counted, want %d: one that had ended counts once", cut, got, counted)
				}
			}
			if len(b.log.records) != len(lanes) {
				t.Errorf("%d documents", len(b.log.records))
			}
			r := b.race(t.Context(), resumeRace(in, whole, longest+1))
			wantError(t, r.err, domain.CodeInvalidArgument, "after_step")
			if r.started != nil {
				t.Error("it started")
			}
		})
	}
}

// A race by single ticks goes through every cut, the one at its end too.
func TestSingleTicksMakeAWholeRace(t *testing.T) {
	b := newBench(t)
	in := RunRaceInput{Maze: mazeOf("puzzle-fork"), Lanes: contestants()["mixed"], MaxSteps: 1}
	var all raced
	for tick := 1; ; tick++ {
		r := b.race(t.Context(), in)
		if r.err != nil || len(r.messages) != 1 {
			t.Fatalf("tick %d: %+v", tick, r)
		}
		if all.started == nil {
			all.started = r.started
		}
		for i := range in.Lanes {
			all.steps[i] = append(all.steps[i], r.steps[i]...)
		}
		if r.finished != nil {
			break
		}
		in = resumeRace(in, all, tick)
	}
	if len(b.log.records) != 4 || b.deps.Counters.StreamsUnfinished.Load() != 0 || b.deps.Counters.EpisodesFinished.Load() != 4 {
		t.Errorf("%d documents, %d finished", len(b.log.records), b.deps.Counters.EpisodesFinished.Load())
	}
}

func TestALaneCanBeResumedAsAnEpisode(t *testing.T) {
	b := newBench(t)
	in := RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: contestants()["models"], MaxSteps: 5}
	r := b.race(t.Context(), in)
	if r.err != nil {
		t.Fatal(r.err)
	}
	p := b.play(t.Context(), RunEpisodeInput{Maze: in.Maze, Sampling: in.Lanes[1].Sampling, AfterStep: 5, ResumeToken: r.started.Lanes[1].ResumeToken, ActionsDigest: domain.ActionsDigest(actionsOf(r.steps[1]))})
	if p.err != nil || p.started.EpisodeID != r.started.Lanes[1].EpisodeID || p.finished == nil {
		t.Errorf("%+v", p)
	}
}

func TestARefusedLaneKeepsTheRaceFromStarting(t *testing.T) {
	b := newBench(t)
	broken := b.store.add("broken", 1)
	broken.State, broken.StateReason = domain.ModelStateBroken, "its policy.onnx is missing"
	if err := b.registry.RegisterModel(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	good := func() RunRaceInput {
		return RunRaceInput{Maze: mazeOf("puzzle-fork"), Seed: seedOf(1), Lanes: slices.Clone(contestants()["models"])}
	}
	whole := b.race(t.Context(), good())
	if whole.err != nil {
		t.Fatal(whole.err)
	}
	other := b.race(t.Context(), RunRaceInput{Maze: mazeOf("puzzle-fork"), Seed: seedOf(2), Lanes: good().Lanes})
	if other.err != nil {
		t.Fatal(other.err)
	}
	logged := len(b.log.records)
	id := domain.NewEpisodeID(time.Now(), [10]byte{7})
	invalid, missing, precondition := domain.CodeInvalidArgument, domain.CodeNotFound, domain.CodeFailedPrecondition
	for name, c := range map[string]struct {
		change func(*RunRaceInput)
		code   domain.Code
		field  string
	}{
		"no lane":          {func(in *RunRaceInput) { in.Lanes = nil }, invalid, "lanes"},
		"five lanes":       {func(in *RunRaceInput) { in.Lanes = make([]RaceLaneInput, 5) }, invalid, "lanes"},
		"unknown maze":     {func(in *RunRaceInput) { in.Maze = mazeOf("none") }, missing, "maze.maze_id"},
		"bad drawn maze":   {func(in *RunRaceInput) { in.Maze = domain.MazeRef{Drawn: []string{"S..", "...", "..."}} }, invalid, "maze.drawn.rows"},
		"absurd speed":     {func(in *RunRaceInput) { in.StepsPerSecond = 1001 }, invalid, "steps_per_second"},
		"no speed":         {func(in *RunRaceInput) { in.StepsPerSecond = math.NaN() }, invalid, "steps_per_second"},
		"long share":       {func(in *RunRaceInput) { in.Share = time.Second }, invalid, "share_ms"},
		"negative steps":   {func(in *RunRaceInput) { in.MaxSteps = -1 }, invalid, "max_steps"},
		"negative after":   {func(in *RunRaceInput) { in.AfterStep = -1 }, invalid, "after_step"},
		"absurd after":     {func(in *RunRaceInput) { in.AfterStep = 20001 }, invalid, "after_step"},
		"unknown model":    {func(in *RunRaceInput) { in.Lanes[1].Policy = domain.PolicyRef{ModelID: "none-1"} }, missing, "lanes[1].policy.model_id"},
		"broken model":     {func(in *RunRaceInput) { in.Lanes[2].Policy = domain.PolicyRef{ModelID: "broken-1"} }, precondition, "lanes[2].policy.model_id"},
		"unknown baseline": {func(in *RunRaceInput) { in.Lanes[3].Policy = domain.PolicyRef{Baseline: "genius"} }, invalid, "lanes[3].policy.baseline"},
		"temperature":      {func(in *RunRaceInput) { in.Lanes[0].Sampling.Temperature = 11 }, invalid, "lanes[0].sampling.softmax.temperature"},
		"no UUID":          {func(in *RunRaceInput) { in.Lanes[3].EpisodeID = "1" }, invalid, "lanes[3].episode_id"},
		"old UUID": {func(in *RunRaceInput) {
			in.Lanes[3].EpisodeID = domain.NewEpisodeID(time.Now().Add(-25*time.Hour), [10]byte{})
		}, invalid, "lanes[3].episode_id"},
		"shared id":     {func(in *RunRaceInput) { in.Lanes[0].EpisodeID, in.Lanes[2].EpisodeID = id, id }, invalid, "lanes[2].episode_id"},
		"used id":       {func(in *RunRaceInput) { in.Lanes[1].EpisodeID = other.started.Lanes[1].EpisodeID }, domain.CodeAlreadyExists, "lanes[1].episode_id"},
		"no token":      {func(in *RunRaceInput) { *in = resumeRace(*in, whole, 3); in.Lanes[2].ResumeToken = "" }, invalid, "lanes[2].resume_token"},
		"rubbish token": {func(in *RunRaceInput) { *in = resumeRace(*in, whole, 3); in.Lanes[2].ResumeToken = "x" }, precondition, "lanes[2].resume_token"},
		"shared token":  {func(in *RunRaceInput) { *in = resumeRace(*in, whole, 3); in.Lanes[0] = in.Lanes[1] }, invalid, "lanes[1].episode_id"},
		"token of another": {func(in *RunRaceInput) {
			*in = resumeRace(*in, whole, 3)
			in.Lanes[1].ResumeToken = other.started.Lanes[1].ResumeToken
		}, precondition, "lanes[1].resume_token"},
		"tokens of two seeds": {func(in *RunRaceInput) {
			*in = resumeRace(*in, whole, 3)
			in.Seed, in.Lanes[1].ResumeToken = nil, other.started.Lanes[1].ResumeToken
		}, precondition, "lanes[1].resume_token"},
		"swapped lanes": {func(in *RunRaceInput) {
			*in = resumeRace(*in, whole, 3)
			in.Lanes[1].ResumeToken, in.Lanes[2].ResumeToken = in.Lanes[2].ResumeToken, in.Lanes[1].ResumeToken
		}, precondition, "lanes[1].resume_token"},
		"other maze":    {func(in *RunRaceInput) { *in = resumeRace(*in, whole, 3); in.Maze = mazeOf("puzzle-hidden") }, precondition, "lanes[0].resume_token"},
		"other seed":    {func(in *RunRaceInput) { *in = resumeRace(*in, whole, 3); in.Seed = seedOf(2) }, precondition, "lanes[0].resume_token"},
		"other policy":  {func(in *RunRaceInput) { *in = resumeRace(*in, whole, 3); in.Lanes[0].Policy.ModelID = "second-1" }, precondition, "lanes[0].resume_token"},
		"other actions": {func(in *RunRaceInput) { *in = resumeRace(*in, whole, 3); in.Lanes[3].ActionsDigest++ }, precondition, "lanes[3].actions_digest"},
		"beyond":        {func(in *RunRaceInput) { *in = resumeRace(*in, whole, 20000) }, invalid, "after_step"},
	} {
		t.Run(name, func(t *testing.T) {
			in := good()
			c.change(&in)
			r := b.race(t.Context(), in)
			wantError(t, r.err, c.code, c.field)
			if r.started != nil {
				t.Error("it started")
			}
		})
	}
	if len(b.log.records) != logged || b.deps.Counters.StreamsUnfinished.Load() != 0 || b.deps.Counters.LiveStreams.Load() != 0 {
		t.Error("something was counted or logged")
	}
	if uses := b.models.active.Load().uses.Load(); uses != 1 {
		t.Errorf("the model has %d uses", uses)
	}
	if r := b.race(t.Context(), resumeRace(good(), whole, 3)); r.err != nil {
		t.Errorf("the good one is refused, too: %v", r.err)
	}
}

func TestARaceHoldsOnePlaceAmongTheStreams(t *testing.T) {
	b := newBench(t)
	b.deps.Capacity = NewCapacity(Limits{Streams: 1, Replays: 1, Wait: 10 * time.Millisecond})
	b.run = NewRunEpisode(b.deps)
	in := RunRaceInput{Maze: mazeOf("puzzle-fork"), Lanes: contestants()["mixed"]}
	whole := b.race(t.Context(), in)
	if whole.err != nil {
		t.Fatal(whole.err)
	}
	if r := b.race(t.Context(), resumeRace(in, whole, 2)); r.err != nil {
		t.Fatal(r.err)
	}
	b.deps.Capacity.replays.slots <- struct{}{}
	if r := b.race(t.Context(), resumeRace(in, whole, 2)); domain.CodeOf(r.err) != domain.CodeResourceExhausted {
		t.Errorf("a resume beyond the replays gives %v", r.err)
	}
	b.deps.Capacity.replays.release()
	b.deps.Capacity.streams.slots <- struct{}{}
	if r := b.race(t.Context(), in); domain.CodeOf(r.err) != domain.CodeResourceExhausted || r.started != nil {
		t.Errorf("a race beyond the streams gives %v", r.err)
	}
	b.deps.Capacity.streams.release()
}

func TestTicksComeAtTheirPace(t *testing.T) {
	for _, c := range []struct {
		stepsPerSecond float64
		share          time.Duration
	}{{1, 0}, {30, 0}, {60, 0}, {100, 0}, {1000, 0}, {1000, 100 * time.Millisecond}} {
		t.Run(fmt.Sprintf("%g ticks a second, share %s", c.stepsPerSecond, c.share), func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				walk := RaceLaneInput{Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}}
				in := RunRaceInput{Maze: longWalk.Maze, Seed: longWalk.Seed, Lanes: []RaceLaneInput{walk, walk, walk, walk}, StepsPerSecond: c.stepsPerSecond, Share: c.share, MaxSteps: min(800, int(10*c.stepsPerSecond))}
				begin := time.Now()
				r := b.race(t.Context(), in)
				if r.err != nil || len(r.steps[3]) != in.MaxSteps {
					t.Fatalf("%d ticks, %v", len(r.steps[3]), r.err)
				}
				checkWholeTicks(t, r, 4, 1, [mostLanes]bool{})
				gap := max(messageGap, c.share)
				for i, message := range r.messages {
					for _, s := range message[3].Steps {
						due := begin.Add(time.Duration(float64(s.Index-1) / c.stepsPerSecond * float64(time.Second)))
						if late := r.at[i].Sub(due); late > gap+gridOf(c.share) || late < -wakeGrid {
							t.Fatalf("tick %d came %s after it was due", s.Index, late)
						}
					}
				}
			})
		})
	}
}

func TestARaceAtSpeedZeroComesInBoundedMessages(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		walk := RaceLaneInput{Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}}
		r := b.race(t.Context(), RunRaceInput{Maze: mazeOf("generated-60x60-1"), Seed: seedOf(1), Lanes: []RaceLaneInput{walk, walk, walk}})
		if r.err != nil || len(r.steps[0]) != 7200 {
			t.Fatalf("%d steps, %v", len(r.steps[0]), r.err)
		}
		for i, message := range r.messages {
			steps := 0
			for _, lane := range message {
				steps += len(lane.Steps)
			}
			if steps > largestMessage {
				t.Errorf("message %d has %d steps", i, steps)
			}
		}
	})
}

func TestTheSilenceOfARaceIsFilledWithHeartbeats(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		r := b.race(t.Context(), RunRaceInput{Maze: longWalk.Maze, Lanes: contestants()["mixed"], StepsPerSecond: 0.1, MaxSteps: 3})
		if r.err != nil || len(r.heartbeats) != 2 || r.heartbeats[0].Sub(r.at[0]) != 5*time.Second {
			t.Errorf("heartbeats at %v, %v", r.heartbeats, r.err)
		}
	})
}

// A store that hangs must not hold up the lanes that go on, and what it says at last stands in the result of the race.
func TestALogThatHangsHoldsUpNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.log.appends = func(context.Context) { time.Sleep(2 * time.Second) }
		walk := RaceLaneInput{Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}}
		begin := time.Now()
		r := b.race(t.Context(), RunRaceInput{Maze: longWalk.Maze, Seed: longWalk.Seed, Lanes: []RaceLaneInput{walk, {Policy: domain.PolicyRef{Baseline: domain.BaselineShortestPath}}}, StepsPerSecond: 100})
		if r.err != nil {
			t.Fatal(r.err)
		}
		if took := r.at[len(r.at)-1].Sub(begin); took > 8*time.Second+latenessKept {
			t.Errorf("800 ticks took %s", took)
		}
		if r.ended[1].Logged || !r.finished.Lanes[0].Logged || !r.finished.Lanes[1].Logged {
			t.Errorf("the lane said %v, the race %+v", r.ended[1], r.finished)
		}
	})
}

func TestEpisodesOfARaceRunWhileStoresAreDown(t *testing.T) {
	in := RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: contestants()["models"]}
	t.Run("log", func(t *testing.T) {
		b := newBench(t)
		b.log.err = domain.Unavailable("mongodb", errors.New("no route"))
		r := b.race(t.Context(), in)
		if r.err != nil || r.finished == nil || r.finished.Lanes[0].Logged || r.ended[3].Logged {
			t.Errorf("finished %+v, %v", r.finished, r.err)
		}
	})
	t.Run("secrets", func(t *testing.T) {
		b := newBench(t)
		b.secrets.err = errDown
		r := b.race(t.Context(), in)
		if r.err != nil || r.started.Lanes[0].ResumeToken != "" || !r.finished.Lanes[0].Logged {
			t.Errorf("without a secret: %+v, %v", r.started, r.err)
		}
		resumed := in
		resumed.Lanes = slices.Clone(in.Lanes)
		resumed.Lanes[2].ResumeToken = "any"
		if r := b.race(t.Context(), resumed); domain.CodeOf(r.err) != domain.CodeUnavailable {
			t.Errorf("a resume without a secret: %v", r.err)
		}
	})
	t.Run("network", func(t *testing.T) {
		b := newBench(t)
		if r := b.race(t.Context(), in); r.err != nil { // loads the second model
			t.Fatal(r.err)
		}
		failure := errors.New("out of memory")
		b.loader.last("second-1").err.Store(&failure)
		r := b.race(t.Context(), in)
		if !errors.Is(r.err, failure) || domain.CodeOf(r.err) != domain.CodeInternal || b.deps.Counters.StreamsUnfinished.Load() != 1 {
			t.Errorf("error %v", r.err)
		}
	})
}

func TestALaneWhoseIDWasTakenMeanwhileIsNamed(t *testing.T) {
	b := newBench(t)
	id := domain.NewEpisodeID(time.Now(), [10]byte{1})
	in := RunRaceInput{Maze: mazeOf("puzzle-hidden"), Seed: seedOf(1), Lanes: []RaceLaneInput{{}, {EpisodeID: id}}}
	var r raced
	for event, err := range NewRunRace(b.run).Run(t.Context(), in) {
		if err != nil {
			r.err = err
			break
		}
		r.take(event)
		if event.Started != nil {
			if p := b.play(t.Context(), RunEpisodeInput{EpisodeID: id, Maze: mazeOf("puzzle-fork")}); p.err != nil {
				t.Fatal(p.err)
			}
		}
	}
	wantError(t, r.err, domain.CodeAlreadyExists, "lanes[1].episode_id")
	if r.finished != nil || r.ended[1].Logged || !r.ended[0].Logged {
		t.Errorf("finished %+v", r.finished)
	}
}

func TestARaceKeepsTheModelsOfItsFirstStream(t *testing.T) {
	b := newBench(t)
	in := RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: []RaceLaneInput{{}, {Policy: domain.PolicyRef{Baseline: domain.BaselineWallFollower}}}}
	var whole raced
	for event, err := range NewRunRace(b.run).Run(t.Context(), in) {
		if err != nil {
			t.Fatal(err)
		}
		whole.take(event)
		if event.Started != nil {
			if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if network := b.loader.last("first-1"); network.closed.Load() != 1 {
		t.Error("the old model was not released after the race")
	}
	r := b.race(t.Context(), resumeRace(in, whole, 3))
	if r.err != nil || r.started.Lanes[0].Policy.ModelID != "first-1" || !slices.Equal(withoutTimes(r.steps[0]), withoutTimes(whole.steps[0][3:])) {
		t.Errorf("resumed %+v, %v", r.started, r.err)
	}
}

func TestADrainTellsTheRaceItsCause(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var r raced
	for event, err := range NewRunRace(b.run).Run(ctx, RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: contestants()["mixed"], StepsPerSecond: 0.1}) {
		if err != nil {
			r.err = err
			break
		}
		r.take(event)
		if len(r.messages) == 1 {
			go cancel(domain.ErrDraining) // while it waits for the next tick
		}
	}
	if !errors.Is(r.err, domain.ErrDraining) {
		t.Errorf("error %v", r.err)
	}
	if r := b.race(ctx, RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: contestants()["mixed"]}); !errors.Is(r.err, domain.ErrDraining) || r.started != nil {
		t.Errorf("a new race gets %v", r.err)
	}
}

func TestARaceThatIsDroppedLeavesNothingButWhatHadEnded(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for _, at := range []int{0, 1, 2} {
			events := 0
			for _, err := range NewRunRace(b.run).Run(t.Context(), RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: contestants()["models"], StepsPerSecond: 30}) {
				if err != nil {
					t.Fatal(err)
				}
				if events == at {
					break
				}
				events++
			}
		}
		c := b.deps.Counters
		if c.LiveStreams.Load() != 0 || len(b.deps.Capacity.streams.slots) != 0 || len(b.log.records) != 0 {
			t.Error("a dropped race is still there, or was logged")
		}
		if n := c.StreamsUnfinished.Load(); n != 2 { // the one that was dropped at its first message never started for its client
			t.Errorf("%d unfinished", n)
		}
		if uses := b.models.active.Load().uses.Load(); uses != 1 {
			t.Errorf("the model has %d uses", uses)
		}
		for event, err := range NewRunRace(b.run).Run(t.Context(), RunRaceInput{Maze: mazeOf("puzzle-hidden"), Lanes: []RaceLaneInput{{Policy: domain.PolicyRef{Baseline: domain.BaselineShortestPath}}, {Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}}}, StepsPerSecond: 1000, Seed: seedOf(1)}) {
			if err != nil {
				t.Fatal(err)
			}
			if len(event.Steps) > 0 && event.Steps[0].Finished != nil {
				break // with the end of the first lane
			}
		}
		if len(b.log.records) != 1 {
			t.Errorf("%d documents; the lane that had ended has one", len(b.log.records))
		}
	})
}
