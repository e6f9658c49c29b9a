package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mongo"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

// replayStream reads a replay as the stream of an episode, whose messages are the same.
type replayStream struct {
	messages[inferencev1.ReplayEpisodeResponse]
}

func (s replayStream) next() (*inferencev1.RunEpisodeResponse, error) {
	response, err := s.messages.next()
	if err != nil {
		return nil, err
	}
	switch event := response.GetEvent().(type) {
	case *inferencev1.ReplayEpisodeResponse_Started:
		return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Started{Started: event.Started}}, nil
	case *inferencev1.ReplayEpisodeResponse_Steps:
		return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Steps{Steps: event.Steps}}, nil
	case *inferencev1.ReplayEpisodeResponse_Finished:
		return &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Finished{Finished: event.Finished}}, nil
	}
	return &inferencev1.RunEpisodeResponse{}, nil
}

// replay follows one whole replay.
func replay(ctx context.Context, tr transport, base string, request *inferencev1.ReplayEpisodeRequest) (*episode, error) {
	e := &episode{}
	s, err := tr.openReplay(ctx, base, request)
	if err != nil {
		return e, err
	}
	return e, e.follow(replayStream{s}, -1)
}

// list reads all pages until one is empty: the days before the test are not searched.
func list(t *testing.T, base string, request *inferencev1.ListEpisodesRequest) []*inferencev1.LoggedEpisode {
	t.Helper()
	request = proto.CloneOf(request)
	var all []*inferencev1.LoggedEpisode
	for {
		page, err := episodeLog(base).ListEpisodes(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.GetEpisodes()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" || len(page.GetEpisodes()) == 0 {
			return all
		}
	}
}

// tamper changes a document past the server.
func tamper(t *testing.T, dataDir, episodeID string, change bson.M) {
	t.Helper()
	client, err := driver.Connect(options.Client().ApplyURI(logURI(dataDir)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), measured.Patience)
	defer cancel()
	defer func() { _ = client.Disconnect(ctx) }()
	changed, err := client.Database(mongo.DefaultDatabase).Collection(mongo.Collection).UpdateOne(ctx, bson.M{"_id": episodeID}, bson.M{"$set": change})
	if err != nil || changed.ModifiedCount != 1 {
		t.Fatalf("changed %+v, %v", changed, err)
	}
}

// playAll runs episodes of every model, greedy and sampled, of every baseline, and on drawn and generated mazes.
func playAll(t *testing.T, s *server, ways []transport) (requests []*inferencev1.RunEpisodeRequest, played []*episode) {
	t.Helper()
	add := func(maze string, policy *inferencev1.PolicyRef, sampling *inferencev1.Sampling) {
		requests = append(requests, &inferencev1.RunEpisodeRequest{Maze: mazeByID(maze), Policy: policy, Sampling: sampling})
	}
	for _, id := range readyModels(t, s.public) {
		add("heldout-0007", modelPolicy(id), nil)
		add("heldout-0008", modelPolicy(id), softmax(1))
	}
	for number := range len(inferencev1.Baseline_name) - 1 {
		add("puzzle-spiral", baseline(inferencev1.Baseline(number+1)), nil)
	}
	add("generated-12x12-5", nil, softmax(0.1))
	requests = append(requests,
		&inferencev1.RunEpisodeRequest{Maze: drawnMaze("S....", "####.", "G...."), Sampling: softmax(2)},
		&inferencev1.RunEpisodeRequest{Maze: drawnMaze("S....", "####.", "G...."), Policy: baseline(inferencev1.Baseline_BASELINE_RANDOM)})
	for i, request := range requests {
		request.Seed = proto.Uint64(uint64(1000 + i))
		e, err := run(t.Context(), ways[i%len(ways)], s.public, request)
		if err != nil || !e.finished.GetLogged() {
			t.Fatalf("episode %d: %v, %v", i, e.finished, err)
		}
		played = append(played, e)
	}
	return requests, played
}

func TestEveryLoggedEpisodeIsListedReplayedAndProven(t *testing.T) {
	s := start(t, nil)
	ways := transports(t, 0)
	requests, played := playAll(t, s, ways)
	if n := countEpisodes(t, s.public, s.dataDir); n != len(played) {
		t.Fatalf("the log holds %d documents for %d episodes", n, len(played))
	}
	all := list(t, s.public, &inferencev1.ListEpisodesRequest{})
	if len(all) != len(played) {
		t.Fatalf("%d episodes are listed of %d", len(all), len(played))
	}
	listed := map[string]*inferencev1.LoggedEpisode{}
	for i, e := range all {
		listed[e.GetEpisodeId()] = e
		if i > 0 && all[i-1].GetFinishedAt().AsTime().Before(e.GetFinishedAt().AsTime()) {
			t.Errorf("episode %d of the list is newer than the one before it", i)
		}
	}
	for i, e := range played {
		id := e.started.GetEpisodeId()
		want := &inferencev1.LoggedEpisode{
			EpisodeId: id, Policy: e.started.GetPolicy(), MazeId: e.started.GetMaze().GetMazeId(), MazeHash: e.started.GetMaze().GetHash(),
			Observation: e.started.GetObservation(), Seed: e.started.GetSeed(), Sampling: e.started.GetSampling(), Steps: e.finished.GetSteps(), Bumps: e.finished.GetBumps(),
			Outcome: e.finished.GetOutcome(), TotalReward: e.finished.GetTotalReward(), Spl: e.finished.GetSpl(), DrawnRows: requests[i].GetMaze().GetDrawn().GetRows(),
		}
		got := proto.CloneOf(listed[id])
		if age := time.Since(got.GetFinishedAt().AsTime()); age < 0 || age > time.Hour || got.GetDurationMs() <= 0 {
			t.Errorf("episode %d finished at %v after %v ms", i, got.GetFinishedAt().AsTime(), got.GetDurationMs())
		}
		got.FinishedAt, got.DurationMs = nil, 0
		if !proto.Equal(got, want) {
			t.Errorf("episode %d is listed as %v, want %v", i, got, want)
		}
		again, err := replay(t.Context(), ways[(i+1)%len(ways)], s.public, &inferencev1.ReplayEpisodeRequest{EpisodeId: id})
		if err != nil {
			t.Fatalf("episode %d: %v", i, err)
		}
		if d := difference(e, again); d != "" {
			t.Errorf("episode %d and its replay: %s", i, d)
		}
		proof, err := episodeLog(s.public).VerifyEpisode(t.Context(), &inferencev1.VerifyEpisodeRequest{EpisodeId: id})
		if err != nil || !proof.GetIdentical() || proof.GetFirstDifferentStep() != 0 || proof.GetDifferentFields() != nil || proof.GetRecomputed().GetSteps() != e.finished.GetSteps() {
			t.Errorf("episode %d: %v, %v", i, proof, err)
		}
	}
	if n := countEpisodes(t, s.public, s.dataDir); n != len(played) {
		t.Errorf("replays and proofs left %d documents for %d episodes", n, len(played))
	}
	t.Logf("%d episodes are listed, replayed step for step and proven identical", len(played))
}

func TestTheLogIsListedByFilterAndPage(t *testing.T) {
	s := start(t, nil)
	_, played := playAll(t, s, transports(t, 0))
	countEpisodes(t, s.public, s.dataDir) // waits until none is spooled
	model := readyModels(t, s.public)[0]
	for name, c := range map[string]struct {
		request *inferencev1.ListEpisodesRequest
		fits    func(*episode) bool
	}{
		"model":    {&inferencev1.ListEpisodesRequest{ModelId: model}, func(e *episode) bool { return e.started.GetPolicy().GetModelId() == model }},
		"baseline": {&inferencev1.ListEpisodesRequest{Baseline: 1}, func(e *episode) bool { return e.started.GetPolicy().GetBaseline() == 1 }},
		"maze":     {&inferencev1.ListEpisodesRequest{MazeId: "heldout-0007"}, func(e *episode) bool { return e.started.GetMaze().GetMazeId() == "heldout-0007" }},
		"outcome": {&inferencev1.ListEpisodesRequest{Outcome: inferencev1.Outcome_OUTCOME_STEP_LIMIT}, func(e *episode) bool {
			return e.finished.GetOutcome() == inferencev1.Outcome_OUTCOME_STEP_LIMIT
		}},
		"model and maze": {&inferencev1.ListEpisodesRequest{ModelId: model, MazeId: "heldout-0008"}, func(e *episode) bool {
			return e.started.GetPolicy().GetModelId() == model && e.started.GetMaze().GetMazeId() == "heldout-0008"
		}},
		"nothing": {&inferencev1.ListEpisodesRequest{ModelId: "nobody-1"}, func(*episode) bool { return false }},
	} {
		var want []string
		for _, e := range played {
			if c.fits(e) {
				want = append(want, e.started.GetEpisodeId())
			}
		}
		for _, size := range []int32{1, 3, 100} {
			c.request.PageSize = size
			var got []string
			for _, e := range list(t, s.public, c.request) {
				got = append(got, e.GetEpisodeId())
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) || len(want) == 0 != (name == "nothing") {
				t.Errorf("%s, pages of %d: %v, want %v", name, size, got, want)
			}
		}
	}
	failed := map[string]int64{}
	for _, e := range played {
		if e.finished.GetOutcome() != inferencev1.Outcome_OUTCOME_REACHED_GOAL {
			failed[e.started.GetPolicy().String()+" "+e.started.GetMaze().GetMazeId()]++
		}
	}
	counted, err := episodeLog(s.public).ListFailures(t.Context(), &inferencev1.ListFailuresRequest{Days: 2})
	if err != nil || counted.GetEpisodes() != int64(len(played)) || len(counted.GetFailures()) != len(failed) || len(failed) == 0 {
		t.Fatalf("counted %v, %v; want %v of %d episodes", counted, err, failed, len(played))
	}
	for _, f := range counted.GetFailures() {
		if want := failed[f.GetPolicy().String()+" "+f.GetMazeId()]; f.GetFailedEpisodes() != want {
			t.Errorf("counted %v, want %d failures", f, want)
		}
	}
	first, err := episodeLog(s.public).ListEpisodes(t.Context(), &inferencev1.ListEpisodesRequest{PageSize: 1})
	if err != nil || first.GetSearchedBackTo() != first.GetEpisodes()[0].GetFinishedAt().AsTime().Format(time.DateOnly) {
		t.Errorf("searched back to %q, %v", first.GetSearchedBackTo(), err)
	}
}

func TestATamperedDocumentIsCaughtAtItsStep(t *testing.T) {
	s := start(t, nil)
	ways := transports(t, 0)
	honest, err := run(t.Context(), ways[0], s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0007"), Seed: proto.Uint64(1), Sampling: softmax(1)})
	if err != nil {
		t.Fatal(err)
	}
	id := honest.started.GetEpisodeId()
	record, err := find(t, episodes(t, s.dataDir), id)
	if err != nil {
		t.Fatal(err)
	}
	const step = 6
	forged := slices.Clone(record.Actions)
	forged[step-1] = (forged[step-1] + 1) % 4
	tamper(t, s.dataDir, id, bson.M{"actions": packActions(forged)})
	proof, err := episodeLog(s.public).VerifyEpisode(t.Context(), &inferencev1.VerifyEpisodeRequest{EpisodeId: id})
	if err != nil || proof.GetIdentical() || proof.GetFirstDifferentStep() != step || proof.GetLoggedAction() != inferencev1.Action(forged[step-1]+1) || proof.GetRecomputedAction() != honest.steps[step-1].GetAction() || proof.GetDifferentFields() != nil {
		t.Errorf("%v, %v", proof, err)
	}
	for _, way := range ways {
		e, err := replay(t.Context(), way, s.public, &inferencev1.ReplayEpisodeRequest{EpisodeId: id})
		field, rule := violation(err)
		if connect.CodeOf(err) != connect.CodeFailedPrecondition || field != "episode_id" || rule != "episode.step_differs" || !strings.Contains(err.Error(), fmt.Sprintf("step %d differs", step)) {
			t.Errorf("%s: %v", way.name, err)
		}
		if len(e.steps) != step-1 || e.finished != nil {
			t.Errorf("%s: %d steps came before it", way.name, len(e.steps))
		}
	}
	tamper(t, s.dataDir, id, bson.M{"actions": packActions(record.Actions), "total_reward": 2.5, "success": false})
	proof, err = episodeLog(s.public).VerifyEpisode(t.Context(), &inferencev1.VerifyEpisodeRequest{EpisodeId: id})
	if err != nil || proof.GetIdentical() || proof.GetFirstDifferentStep() != 0 || !slices.Equal(proof.GetDifferentFields(), []string{"total_reward"}) || proof.GetLogged().GetTotalReward() != 2.5 {
		t.Errorf("%v, %v", proof, err)
	}
	tamper(t, s.dataDir, id, bson.M{"maze_hash": strings.Repeat("0", 64)})
	_, err = episodeLog(s.public).VerifyEpisode(t.Context(), &inferencev1.VerifyEpisodeRequest{EpisodeId: id})
	if field, rule := violation(err); connect.CodeOf(err) != connect.CodeFailedPrecondition || field != "episode_id" || rule != "episode.maze_changed" {
		t.Errorf("another maze: %v", err)
	}
	tamper(t, s.dataDir, id, bson.M{"model_id": "nobody-1", "maze_hash": record.MazeHash})
	_, err = episodeLog(s.public).VerifyEpisode(t.Context(), &inferencev1.VerifyEpisodeRequest{EpisodeId: id})
	if _, rule := violation(err); connect.CodeOf(err) != connect.CodeFailedPrecondition || rule != "episode.model_gone" {
		t.Errorf("another model: %v", err)
	}
	// A document that nobody can read is not listed, and hides no other one.
	beside, err := run(t.Context(), ways[0], s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0007")})
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, s.dataDir, id, bson.M{"seed": "none"})
	countEpisodes(t, s.public, s.dataDir)
	if all := list(t, s.public, &inferencev1.ListEpisodesRequest{}); len(all) != 1 || all[0].GetEpisodeId() != beside.started.GetEpisodeId() {
		t.Errorf("listed %v", all)
	}
}

// TestManyLoggedEpisodesAreProvenIdentical proves every episode of a crowd, ten thousand of them in a soak: all models and baselines, greedy and
// sampled, over every transport, on every held-out maze.
func TestManyLoggedEpisodesAreProvenIdentical(t *testing.T) {
	s := start(t, nil)
	ways := transports(t, 0)
	var policies []*inferencev1.PolicyRef
	for _, id := range readyModels(t, s.public) {
		policies = append(policies, modelPolicy(id), modelPolicy(id)) // greedy and sampled
	}
	for number := range len(inferencev1.Baseline_name) - 1 {
		policies = append(policies, baseline(inferencev1.Baseline(number+1)))
	}
	total := count(200, 10_000)
	const workers = 8
	var next, failures atomic.Int64
	var crowd sync.WaitGroup
	for range workers {
		crowd.Go(func() {
			for failures.Load() < 10 { // the first ones say enough
				i := int(next.Add(1)) - 1
				if i >= total {
					return
				}
				round := i / len(policies)
				request := &inferencev1.RunEpisodeRequest{
					Maze: mazeByID(fmt.Sprintf("heldout-%04d", 1+i%1000)), Policy: policies[i%len(policies)], Seed: proto.Uint64(uint64(i)),
				}
				if request.GetPolicy().GetModelId() != "" && i%len(policies)%2 == 1 {
					request.Sampling = softmax(0.25 * float64(1+round%8))
				}
				way := ways[(i+round)%len(ways)]
				e, err := run(t.Context(), way, s.public, request)
				if err != nil || !e.finished.GetLogged() {
					failures.Add(1)
					t.Errorf("episode %d over %s: %v, %v", i, way.name, e.finished, err)
					continue
				}
				proof, err := episodeLog(s.public).VerifyEpisode(t.Context(), &inferencev1.VerifyEpisodeRequest{EpisodeId: e.started.GetEpisodeId()})
				if err != nil || !proof.GetIdentical() || proof.GetRecomputed().GetSteps() != int32(len(e.steps)) || proof.GetLogged().GetSeed() != uint64(i) {
					failures.Add(1)
					t.Errorf("the proof of episode %d, %v: %v, %v", i, request, proof, err)
				}
			}
		})
	}
	crowd.Wait()
	if n := countEpisodes(t, s.public, s.dataDir); n != total {
		t.Errorf("the log holds %d documents for %d episodes", n, total)
	}
	if !t.Failed() {
		t.Logf("%d episodes are proven identical", total)
	}
}

func TestTheLogForgetsDaysThatItIsNotToKeep(t *testing.T) {
	folder, err := dataFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, folder) })
	first := start(t, map[string]string{"DATA_DIR": folder})
	way := transports(t, 0)[0]
	var ids []string
	for range 2 {
		e, err := run(t.Context(), way, first.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0007")})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.started.GetEpisodeId())
	}
	countEpisodes(t, first.public, folder) // waits until none is spooled
	past := time.Now().UTC().Add(-3 * 24 * time.Hour)
	tamper(t, folder, ids[0], bson.M{"day": past.Format(time.DateOnly), "timestamp": past})
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, map[string]string{"DATA_DIR": folder, "EPISODE_LOG_MAX_DAYS": "2"})
	for deadline := time.Now().Add(measured.Patience); ; time.Sleep(50 * time.Millisecond) {
		_, err := episodeLog(second.public).VerifyEpisode(t.Context(), &inferencev1.VerifyEpisodeRequest{EpisodeId: ids[0]})
		if connect.CodeOf(err) == connect.CodeNotFound {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the episode of %s is still there: %v", past.Format(time.DateOnly), err)
		}
	}
	if proof, err := episodeLog(second.public).VerifyEpisode(t.Context(), &inferencev1.VerifyEpisodeRequest{EpisodeId: ids[1]}); err != nil || !proof.GetIdentical() {
		t.Errorf("the episode of today: %v, %v", proof, err)
	}
}

// packActions packs two bits an action, the first in the lowest bits, as the log does.
func packActions(actions []byte) []byte {
	packed := make([]byte, (len(actions)+3)/4)
	for i, action := range actions {
		packed[i/4] |= action << (2 * (i % 4))
	}
	return packed
}
