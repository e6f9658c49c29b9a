package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// race is what a client has of one race, over all its streams.
type race struct {
	started  *inferencev1.RaceStarted
	lanes    []*episode // started of a lane's episode is nil
	ticks    int
	finished *inferencev1.RaceFinished
}

// resume returns the request that goes on where the race was cut.
func (r *race) resume(request *inferencev1.RunRaceRequest) *inferencev1.RunRaceRequest {
	next := proto.CloneOf(request)
	if r.started == nil {
		return next
	}
	next.Seed = proto.Uint64(r.started.GetSeed())
	next.AfterStep = int32(r.ticks)
	for i, lane := range next.GetLanes() {
		was := r.started.GetLanes()[i]
		lane.EpisodeId, lane.Policy = was.GetEpisodeId(), was.GetPolicy()
		if r.ticks > 0 {
			lane.ResumeToken, lane.ActionsDigest = was.GetResumeToken(), r.lanes[i].digest()
		}
	}
	return next
}

// follow reads a stream until it ends, or until the race has cutAfter ticks (−1: never). It requires whole ticks, none twice and none missing.
func (r *race) follow(s messages[inferencev1.RunRaceResponse], cutAfter int) error {
	defer s.close()
	for {
		response, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch event := response.GetEvent().(type) {
		case *inferencev1.RunRaceResponse_Started:
			if got := int(event.Started.GetFirstStep()); got != r.ticks+1 {
				return fmt.Errorf("first_step is %d after %d ticks", got, r.ticks)
			}
			r.started = event.Started
			for len(r.lanes) < len(event.Started.GetLanes()) {
				r.lanes = append(r.lanes, &episode{})
			}
		case *inferencev1.RunRaceResponse_Steps:
			if err := r.take(event.Steps, cutAfter); err != nil {
				return err
			}
		case *inferencev1.RunRaceResponse_Finished:
			r.finished = event.Finished
		}
	}
}

func (r *race) take(message *inferencev1.RaceSteps, cutAfter int) error {
	last := r.ticks
	for _, moved := range message.GetLanes() {
		lane := r.lanes[moved.GetLane()]
		for _, step := range moved.GetSteps() {
			if cutAfter >= 0 && int(step.GetIndex()) > cutAfter {
				break
			}
			if got := int(step.GetIndex()); got != len(lane.steps)+1 {
				return fmt.Errorf("step %d of lane %d came after step %d", got, moved.GetLane(), len(lane.steps))
			}
			lane.steps = append(lane.steps, step)
		}
		if end := moved.GetFinished(); end != nil && int(end.GetSteps()) == len(lane.steps) {
			lane.finished = end
		}
		last = max(last, len(lane.steps))
	}
	for i, lane := range r.lanes {
		if lane.finished == nil && len(lane.steps) != last && r.running(i) {
			return fmt.Errorf("after tick %d lane %d has %d steps", last, i, len(lane.steps))
		}
	}
	r.ticks = last
	if r.ticks == cutAfter {
		return errCut
	}
	return nil
}

// running tells whether the steps of a lane do not end its episode.
func (r *race) running(i int) bool {
	n := len(r.lanes[i].steps)
	return n == 0 || !r.lanes[i].steps[n-1].GetReachedGoal() && n < int(r.started.GetMaxSteps())
}

func runRace(ctx context.Context, tr transport, base string, request *inferencev1.RunRaceRequest) (*race, error) {
	r := &race{}
	s, err := tr.openRace(ctx, base, request)
	if err != nil {
		return r, err
	}
	return r, r.follow(s, -1)
}

// raceDifference tells where two races differ, in everything but the times and ids; empty when they are the same.
func raceDifference(a, b *race) string {
	if len(a.lanes) != len(b.lanes) || a.finished == nil || b.finished == nil {
		return fmt.Sprintf("%d lanes and %d lanes, finished %v and %v", len(a.lanes), len(b.lanes), a.finished, b.finished)
	}
	for i := range a.lanes {
		x, y := &episode{steps: a.lanes[i].steps, finished: a.finished.GetLanes()[i]}, &episode{steps: b.lanes[i].steps, finished: b.finished.GetLanes()[i]}
		if d := difference(x, y); d != "" {
			return fmt.Sprintf("lane %d: %s", i, d)
		}
	}
	return ""
}

func lane(policy *inferencev1.PolicyRef, sampling *inferencev1.Sampling) *inferencev1.RaceLane {
	return &inferencev1.RaceLane{EpisodeId: newEpisodeID(), Policy: policy, Sampling: sampling}
}

// readyModels are the ids of all models that can run.
func readyModels(t *testing.T, base string) []string {
	t.Helper()
	listed, err := models(base).ListModels(t.Context(), &modelv1.ListModelsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range listed.GetModels() {
		if m.GetState() == modelv1.ModelState_MODEL_STATE_READY {
			ids = append(ids, m.GetModelId())
		}
	}
	return ids
}

// TestEveryLaneOfARaceIsTheEpisodeThatRunsAlone races every model, greedy and sampled, and every baseline, four by four over every transport,
// and compares each lane with RunEpisode, bit by bit.
func TestEveryLaneOfARaceIsTheEpisodeThatRunsAlone(t *testing.T) {
	var lanes []*inferencev1.RaceLane
	for _, id := range readyModels(t, shared.public) {
		lanes = append(lanes, lane(modelPolicy(id), nil), lane(modelPolicy(id), softmax(1)))
	}
	for number := range len(inferencev1.Baseline_name) - 1 {
		lanes = append(lanes, lane(baseline(inferencev1.Baseline(number+1)), nil))
	}
	lanes = append(lanes, lane(nil, nil), lane(nil, softmax(0.1)))
	log := episodes(t, shared.dataDir)
	ways := transports(t, 0)
	compared := 0
	for group := range slices.Chunk(lanes, 4) {
		for i, way := range ways {
			maze := mazeByID([]string{"heldout-0007", "large20-01", "puzzle-spiral"}[i])
			seed := proto.Uint64(uint64(100 + i))
			request := &inferencev1.RunRaceRequest{Maze: maze, Seed: seed}
			for _, l := range group {
				request.Lanes = append(request.Lanes, lane(l.GetPolicy(), l.GetSampling()))
			}
			r, err := runRace(t.Context(), way, shared.public, request)
			if err != nil {
				t.Fatalf("%s: %v", way.name, err)
			}
			for n, l := range request.GetLanes() {
				alone, err := run(t.Context(), ways[(i+1)%len(ways)], shared.public, &inferencev1.RunEpisodeRequest{Maze: maze, Seed: seed, Policy: l.GetPolicy(), Sampling: l.GetSampling()})
				if err != nil {
					t.Fatal(err)
				}
				told := r.started.GetLanes()[n]
				if told.GetEpisodeId() != l.GetEpisodeId() || !proto.Equal(told.GetPolicy(), alone.started.GetPolicy()) || !proto.Equal(told.GetSampling(), alone.started.GetSampling()) ||
					told.GetObservation() != alone.started.GetObservation() || told.GetScoreKind() != alone.started.GetScoreKind() || told.GetResumeToken() == "" {
					t.Errorf("%s: lane %d started with %v, alone with %v", way.name, n, told, alone.started)
				}
				if d := difference(&episode{steps: r.lanes[n].steps, finished: r.finished.GetLanes()[n]}, alone); d != "" {
					t.Errorf("%s: %v in a race and alone: %s", way.name, l.GetPolicy(), d)
				}
				// What the lane's last message told, which waits only a moment for the log.
				atOnce := &episode{steps: r.lanes[n].steps, finished: proto.CloneOf(r.lanes[n].finished)}
				atOnce.finished.Logged = true
				if d := difference(atOnce, alone); d != "" {
					t.Errorf("%s: %v: %s", way.name, l.GetPolicy(), d)
				}
				record, err := find(t, log, l.GetEpisodeId())
				if err != nil || record.Steps != len(alone.steps) || domain.ActionsDigest(record.Actions) != alone.digest() {
					t.Errorf("%s: lane %d was logged as %+v, %v", way.name, n, record, err)
				}
				compared++
			}
		}
	}
	t.Logf("%d lanes are the episodes that run alone", compared)
}

// TestCutAndResumedRacesAreTheUncutOnes cuts races at random ticks, also where some or all lanes have ended, changes the transport at random,
// resumes, and compares with the same race uncut. Each lane has exactly one document in the log.
func TestCutAndResumedRacesAreTheUncutOnes(t *testing.T) {
	total := count(40, 500)
	s := start(t, nil)
	ways := transports(t, 0)
	ready := readyModels(t, s.public)
	var streams, cuts, afterAnEnd, ticks atomic.Int64
	var mu sync.Mutex
	logged := map[string]int{} // episode_id → steps
	work := make(chan int)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for n := range work {
				random := rand.New(rand.NewPCG(23, uint64(n))) //nolint:gosec // reproducible on purpose
				request := randomRace(random, ready)
				uncut, err := runRace(t.Context(), ways[n%len(ways)], s.public, request)
				if err != nil {
					t.Errorf("race %d: %v", n, err)
					continue
				}
				again := proto.CloneOf(request)
				for i, l := range again.GetLanes() {
					l.EpisodeId, l.Policy = newEpisodeID(), uncut.started.GetLanes()[i].GetPolicy()
				}
				resumed := &race{}
				for {
					cutAfter := -1
					if left := uncut.ticks - resumed.ticks; random.IntN(4) > 0 && left > 0 {
						cutAfter = resumed.ticks + 1 + random.IntN(left)
					}
					live, err := ways[random.IntN(len(ways))].openRace(t.Context(), s.public, resumed.resume(again))
					if err == nil {
						streams.Add(1)
						err = resumed.follow(live, cutAfter)
					}
					if errors.Is(err, errCut) {
						cuts.Add(1)
						for i := range resumed.lanes {
							if !resumed.running(i) {
								afterAnEnd.Add(1)
								break
							}
						}
						continue
					}
					if err != nil {
						t.Errorf("race %d, resumed after tick %d: %v", n, resumed.ticks, err)
					}
					break
				}
				if d := raceDifference(uncut, resumed); d != "" {
					t.Errorf("race %d differs: %s", n, d)
				}
				ticks.Add(int64(resumed.ticks))
				mu.Lock()
				for i := range request.GetLanes() {
					logged[request.GetLanes()[i].GetEpisodeId()], logged[again.GetLanes()[i].GetEpisodeId()] = len(uncut.lanes[i].steps), len(uncut.lanes[i].steps)
				}
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
		t.Errorf("the log holds %d documents for %d lanes", documents, len(logged))
	}
	for id, n := range logged {
		if record, err := find(t, log, id); err != nil || record.Steps != n {
			t.Errorf("the log holds %d steps for %s, want %d: %v", record.Steps, id, n, err)
		}
	}
	if cuts.Load() == 0 || afterAnEnd.Load() == 0 {
		t.Errorf("%d cuts, %d of them after a lane's end; there should be both", cuts.Load(), afterAnEnd.Load())
	}
	t.Logf("%d races (%d ticks) in %d streams, cut %d times at random ticks, %d times after the end of a lane: the uncut race each time, %d documents for %d lanes",
		total, ticks.Load(), streams.Load(), cuts.Load(), afterAnEnd.Load(), documents, len(logged))
}

// randomRace picks maze, lanes and pace.
func randomRace(random *rand.Rand, ready []string) *inferencev1.RunRaceRequest {
	request := &inferencev1.RunRaceRequest{Seed: proto.Uint64(random.Uint64())}
	single := randomEpisode(random)
	request.Maze, request.StepsPerSecond, request.ShareMs = single.GetMaze(), single.GetStepsPerSecond(), single.GetShareMs()
	for range 1 + random.IntN(4) {
		var policy *inferencev1.PolicyRef
		switch random.IntN(3) {
		case 0:
			policy = modelPolicy(ready[random.IntN(len(ready))])
		case 1:
			policy = baseline(inferencev1.Baseline(1 + random.IntN(7)))
		}
		var sampling *inferencev1.Sampling
		if random.IntN(2) == 0 {
			sampling = softmax(1)
		}
		request.Lanes = append(request.Lanes, lane(policy, sampling))
	}
	return request
}

// TestARaceSurvivesASwitchAndARestart switches the model and ends the server while a race runs: its lanes keep their models, each stream is told
// to resume, and the next server goes on where it stopped.
func TestARaceSurvivesASwitchAndARestart(t *testing.T) {
	folder := tempData(t)
	first := start(t, map[string]string{"DATA_DIR": folder})
	ready := readyModels(t, first.public)
	if len(ready) < 2 {
		t.Skip("only one model is shipped")
	}
	for _, way := range transports(t, 0) {
		request := &inferencev1.RunRaceRequest{
			Maze: mazeByID("large20-01"), Seed: proto.Uint64(3),
			Lanes: []*inferencev1.RaceLane{lane(nil, nil), lane(baseline(inferencev1.Baseline_BASELINE_SHORTEST_PATH), nil), lane(nil, softmax(1))},
		}
		active, err := models(first.public).GetActiveModel(t.Context(), &modelv1.GetActiveModelRequest{})
		if err != nil {
			t.Fatal(err)
		}
		pinned := proto.CloneOf(request)
		for _, l := range []int{0, 2} {
			pinned.Lanes[l].Policy = modelPolicy(active.GetModel().GetModelId())
		}
		for _, l := range pinned.GetLanes() {
			l.EpisodeId = newEpisodeID()
		}
		uncut, err := runRace(t.Context(), way, first.public, pinned)
		if err != nil {
			t.Fatal(err)
		}
		request.StepsPerSecond = 20
		live, err := way.openRace(t.Context(), first.public, request)
		if err != nil {
			t.Fatal(err)
		}
		resumed := &race{}
		ended := make(chan error, 1)
		begun := make(chan struct{})
		go func() {
			response, err := live.next()
			if err != nil {
				close(begun)
				ended <- err
				return
			}
			resumed.started = response.GetStarted()
			for range request.GetLanes() {
				resumed.lanes = append(resumed.lanes, &episode{})
			}
			close(begun)
			ended <- resumed.follow(live, -1)
		}()
		<-begun
		other := ready[slices.IndexFunc(ready, func(id string) bool { return id != active.GetModel().GetModelId() })]
		if _, err := models(first.private).SetActiveModel(t.Context(), &modelv1.SetActiveModelRequest{ModelId: other}); err != nil {
			t.Fatal(err)
		}
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; connect.CodeOf(err) != connect.CodeUnavailable {
			t.Fatalf("%s: the race ended in %v", way.name, err)
		}
		first = start(t, map[string]string{"DATA_DIR": folder})
		again := resumed.resume(request)
		again.StepsPerSecond = 0
		live, err = way.openRace(t.Context(), first.public, again)
		if err != nil {
			t.Fatal(err)
		}
		if err := resumed.follow(live, -1); err != nil {
			t.Fatalf("%s: resumed: %v", way.name, err)
		}
		if d := raceDifference(uncut, resumed); d != "" {
			t.Errorf("%s: %s", way.name, d)
		}
	}
}

// replace makes r the other request.
func replace(r, other *inferencev1.RunRaceRequest) {
	proto.Reset(r)
	proto.Merge(r, other)
}

func TestBadRacesNameLaneFieldAndRuleOverEveryTransport(t *testing.T) {
	good := func() *inferencev1.RunRaceRequest {
		return &inferencev1.RunRaceRequest{Maze: mazeByID("heldout-0001"), Seed: proto.Uint64(1), Lanes: []*inferencev1.RaceLane{{}, {Policy: baseline(2)}}}
	}
	ways := transports(t, 0)
	whole, err := runRace(t.Context(), ways[0], shared.public, good())
	if err != nil {
		t.Fatal(err)
	}
	cut := &race{started: whole.started, ticks: 2}
	for _, l := range whole.lanes {
		cut.lanes = append(cut.lanes, &episode{steps: l.steps[:2]})
	}
	id := newEpisodeID()
	for _, c := range []struct {
		name  string
		set   func(*inferencev1.RunRaceRequest)
		code  connect.Code
		field string
		rule  string
	}{
		{"no maze", func(r *inferencev1.RunRaceRequest) { r.Maze = nil }, connect.CodeInvalidArgument, "maze", "required"},
		{"empty maze", func(r *inferencev1.RunRaceRequest) { r.Maze = &mazev1.MazeRef{} }, connect.CodeInvalidArgument, "maze.maze", "required"},
		{"unknown maze", func(r *inferencev1.RunRaceRequest) { r.Maze = mazeByID("heldout-9999") }, connect.CodeNotFound, "maze.maze_id", "maze.unknown"},
		{"drawn without a goal", func(r *inferencev1.RunRaceRequest) { r.Maze = drawnMaze("S..", "...", "...") }, connect.CodeInvalidArgument, "maze.drawn.rows", "goal.missing"},
		{"no lane", func(r *inferencev1.RunRaceRequest) { r.Lanes = nil }, connect.CodeInvalidArgument, "lanes", "repeated.min_items"},
		{"five lanes", func(r *inferencev1.RunRaceRequest) {
			r.Lanes = []*inferencev1.RaceLane{{}, {}, {}, {}, {}}
		}, connect.CodeInvalidArgument, "lanes", "repeated.max_items"},
		{"negative speed", func(r *inferencev1.RunRaceRequest) { r.StepsPerSecond = -1 }, connect.CodeInvalidArgument, "steps_per_second", "steps_per_second.range"},
		{"negative after_step", func(r *inferencev1.RunRaceRequest) { r.AfterStep = -1 }, connect.CodeInvalidArgument, "after_step", "int32.gte_lte"},
		{"share_ms beyond 100", func(r *inferencev1.RunRaceRequest) { r.ShareMs = 101 }, connect.CodeInvalidArgument, "share_ms", "int32.gte_lte"},
		{"max_steps beyond 20000", func(r *inferencev1.RunRaceRequest) { r.MaxSteps = 20001 }, connect.CodeInvalidArgument, "max_steps", "int32.gte_lte"},
		{"no UUID", func(r *inferencev1.RunRaceRequest) { r.Lanes[1].EpisodeId = "42" }, connect.CodeInvalidArgument, "lanes[1].episode_id", "episode_id.uuid"},
		{"UUID of last week", func(r *inferencev1.RunRaceRequest) {
			r.Lanes[1].EpisodeId = domain.NewEpisodeID(time.Now().Add(-7*24*time.Hour), [10]byte{})
		}, connect.CodeInvalidArgument, "lanes[1].episode_id", "episode_id.time"},
		{"one id for two lanes", func(r *inferencev1.RunRaceRequest) { r.Lanes[0].EpisodeId, r.Lanes[1].EpisodeId = id, id }, connect.CodeInvalidArgument, "lanes[1].episode_id", "episode_id.shared"},
		{"used id", func(r *inferencev1.RunRaceRequest) {
			r.Lanes[0].EpisodeId = whole.started.GetLanes()[1].GetEpisodeId()
		}, connect.CodeAlreadyExists, "lanes[0].episode_id", "episode_id.taken"},
		{"unknown model", func(r *inferencev1.RunRaceRequest) { r.Lanes[1].Policy = modelPolicy("nowhere-1") }, connect.CodeNotFound, "lanes[1].policy.model_id", "model.unknown"},
		{"strange model id", func(r *inferencev1.RunRaceRequest) { r.Lanes[0].Policy = modelPolicy("../x") }, connect.CodeInvalidArgument, "lanes[0].policy.model_id", "string.pattern"},
		{"unknown baseline", func(r *inferencev1.RunRaceRequest) { r.Lanes[1].Policy = baseline(99) }, connect.CodeInvalidArgument, "lanes[1].policy.baseline", "enum.defined_only"},
		{"temperature 0", func(r *inferencev1.RunRaceRequest) { r.Lanes[0].Sampling = softmax(0) }, connect.CodeInvalidArgument, "lanes[0].sampling.softmax.temperature", "double.gte_lte"},
		{"resume without a token", func(r *inferencev1.RunRaceRequest) {
			proto.Merge(r, &inferencev1.RunRaceRequest{AfterStep: 1})
		}, connect.CodeInvalidArgument, "lanes[0].resume_token", "resume_token.missing"},
		{"wrong token", func(r *inferencev1.RunRaceRequest) {
			replace(r, cut.resume(r))
			r.Lanes[1].ResumeToken = "bm9uc2Vuc2U"
		}, connect.CodeFailedPrecondition, "lanes[1].resume_token", "resume_token.wrong"},
		{"long token", func(r *inferencev1.RunRaceRequest) {
			r.Lanes[1].ResumeToken = string(make([]byte, 2049))
		}, connect.CodeInvalidArgument, "lanes[1].resume_token", "string.max_len"},
		{"other actions", func(r *inferencev1.RunRaceRequest) {
			replace(r, cut.resume(r))
			r.Lanes[1].ActionsDigest++
		}, connect.CodeFailedPrecondition, "lanes[1].actions_digest", "actions_digest.mismatch"},
		{"beyond the race", func(r *inferencev1.RunRaceRequest) {
			replace(r, cut.resume(r))
			r.AfterStep = int32(whole.ticks) + 1
		}, connect.CodeInvalidArgument, "after_step", "after_step.beyond"},
	} {
		request := good()
		c.set(request)
		for _, way := range ways {
			r, err := runRace(t.Context(), way, shared.public, request)
			field, rule := violation(err)
			if connect.CodeOf(err) != c.code || field != c.field || rule != c.rule || r.started != nil {
				t.Errorf("%s over %s: %v on field %q by rule %q; want %v on %q by %q", c.name, way.name, err, field, rule, c.code, c.field, c.rule)
			}
		}
	}
}

func TestObservationsAreScoredAsStepsAre(t *testing.T) {
	e, err := run(t.Context(), transports(t, 0)[0], shared.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0007")})
	if err != nil {
		t.Fatal(err)
	}
	maze, problems := domain.ParseMaze(e.started.GetMaze().GetRows())
	if problems != nil {
		t.Fatal(problems)
	}
	replayed := domain.NewEpisode(maze)
	request := &inferencev1.ScoreObservationsRequest{Policy: e.started.GetPolicy()}
	for _, step := range e.steps {
		var o [domain.ObservationLength]float32
		replayed.Observe(domain.ObservationVersion(e.started.GetObservation()), &o)
		request.Observations = append(request.Observations, &inferencev1.Observation{Values: o[:]})
		replayed.Apply(domain.Action(step.GetAction() - 1))
	}
	scored, err := inference(shared.public).ScoreObservations(t.Context(), request)
	if err != nil || len(scored.GetScores()) != len(e.steps) || !proto.Equal(scored.GetPolicy(), e.started.GetPolicy()) || scored.GetObservation() != e.started.GetObservation() {
		t.Fatalf("scored %v, %v", scored, err)
	}
	for i, got := range scored.GetScores() {
		want := e.steps[i].GetScores()
		for a := range 4 { // a batch may differ from a single call in the last bits
			if d := got.GetValues()[a] - want.GetValues()[a]; d > 1e-4 || d < -1e-4 || got.GetKind() != want.GetKind() {
				t.Fatalf("observation %d was scored %v, its step %v", i, got, want)
			}
		}
	}
	values := func(n int) *inferencev1.ScoreObservationsRequest {
		return &inferencev1.ScoreObservationsRequest{Observations: []*inferencev1.Observation{{Values: make([]float32, n)}}}
	}
	large, foreign, byBaseline := values(25), values(25), values(25)
	large.Observations[0].Values[7] = 1.5
	foreign.Policy, byBaseline.Policy = modelPolicy("nowhere-1"), baseline(1)
	many := &inferencev1.ScoreObservationsRequest{}
	for range 101 {
		many.Observations = append(many.Observations, values(25).GetObservations()...)
	}
	for name, c := range map[string]struct {
		request *inferencev1.ScoreObservationsRequest
		code    connect.Code
		field   string
	}{
		"none":     {&inferencev1.ScoreObservationsRequest{}, connect.CodeInvalidArgument, "observations"},
		"too many": {many, connect.CodeInvalidArgument, "observations"},
		"short":    {values(24), connect.CodeInvalidArgument, "observations[0].values"},
		"long":     {values(26), connect.CodeInvalidArgument, "observations[0].values"},
		"large":    {large, connect.CodeInvalidArgument, "observations[0].values[7]"},
		"unknown":  {foreign, connect.CodeNotFound, "policy.model_id"},
		"baseline": {byBaseline, connect.CodeFailedPrecondition, "policy.baseline"},
	} {
		_, err := inference(shared.public).ScoreObservations(t.Context(), c.request)
		if field, rule := violation(err); connect.CodeOf(err) != c.code || field != c.field || rule == "" {
			t.Errorf("%s: %v on field %q by rule %q; want %v on %q", name, err, field, rule, c.code, c.field)
		}
	}
}
