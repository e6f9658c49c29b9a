package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

func TestATrainedAgentSolvesAMazeOverEveryTransport(t *testing.T) {
	log := episodes(t, shared.dataDir)
	var first *episode
	for _, tr := range transports(t, 0) {
		request := &inferencev1.RunEpisodeRequest{EpisodeId: newEpisodeID(), Maze: mazeByID("heldout-0007"), Seed: proto.Uint64(7), WithPolicyMap: true}
		e, err := run(t.Context(), tr, shared.public, request)
		if err != nil {
			t.Fatalf("%s: %v", tr.name, err)
		}
		if e.finished.GetOutcome() != inferencev1.Outcome_OUTCOME_REACHED_GOAL || !e.finished.GetLogged() {
			t.Errorf("%s: finished with %v", tr.name, e.finished)
		}
		if e.started.GetPolicy().GetModelId() == "" || e.started.GetResumeToken() == "" || len(e.started.GetPolicyMap().GetCells()) == 0 {
			t.Errorf("%s: started with %v", tr.name, e.started)
		}
		if first == nil {
			first = e
		} else if d := difference(first, e); d != "" {
			t.Errorf("%s differs from the first transport: %s", tr.name, d)
		}
		record, err := find(t, log, request.GetEpisodeId())
		if err != nil {
			t.Fatalf("%s: %v", tr.name, err)
		}
		if record.Steps != len(e.steps) || record.Outcome != domain.OutcomeReachedGoal || domain.ActionsDigest(record.Actions) != e.digest() {
			t.Errorf("%s: the log holds %+v", tr.name, record)
		}
	}
}

func TestEveryBaselineRunsOnADrawnMaze(t *testing.T) {
	tr := transports(t, 0)[0]
	for number, name := range inferencev1.Baseline_name {
		if number == 0 {
			continue
		}
		e, err := run(t.Context(), tr, shared.public, &inferencev1.RunEpisodeRequest{
			Maze: drawnMaze("S..#", ".#..", "...G"), Policy: baseline(inferencev1.Baseline(number)), Seed: proto.Uint64(1),
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !e.finished.GetLogged() || e.steps[0].GetScores() != nil {
			t.Errorf("%s: finished with %v after the first step %v", name, e.finished, e.steps[0])
		}
	}
}

func TestStepsComeAtTheAskedPace(t *testing.T) {
	for _, tr := range transports(t, 0) {
		began := time.Now()
		e, err := run(t.Context(), tr, shared.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0007"), StepsPerSecond: 40, MaxSteps: 20})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); len(e.steps) != 20 || e.finished != nil || took < 400*time.Millisecond || took > measured.Limit(2*time.Second) {
			t.Errorf("%s: %d steps in %v, finished %v; want 20 in about half a second, and no finish", tr.name, len(e.steps), took, e.finished)
		}
	}
}

func TestMazesAreListedFoundGeneratedAndChecked(t *testing.T) {
	client := mazes(shared.public)
	sets, err := client.ListMazeSets(t.Context(), &mazev1.ListMazeSetsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int32{}
	for _, set := range sets.GetSets() {
		counts[set.GetSetId()] = set.GetMazeCount()
	}
	for set, least := range map[string]int32{"training": 2000, "validation": 500, "heldout": 1000, "showcase": 12, "puzzles": 8, "large20": 50, "large30": 50, "large50": 50} {
		if counts[set] < least {
			t.Errorf("set %s has %d mazes, want at least %d", set, counts[set], least)
		}
	}
	seen := map[string]bool{}
	for token := ""; ; {
		page, err := client.ListMazes(t.Context(), &mazev1.ListMazesRequest{SetId: "heldout", PageSize: 200, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.GetMazes() {
			if seen[m.GetMazeId()] {
				t.Fatalf("%s came twice", m.GetMazeId())
			}
			seen[m.GetMazeId()] = true
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(seen) != 1000 {
		t.Errorf("the pages hold %d mazes, want 1000", len(seen))
	}
	generated, err := client.GenerateMaze(t.Context(), &mazev1.GenerateMazeRequest{Rows: 12, Seed: proto.Uint64(42), LoopRatio: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.GetMaze(t.Context(), &mazev1.GetMazeRequest{MazeId: generated.GetMaze().GetMazeId()})
	if err != nil || !proto.Equal(again.GetMaze(), generated.GetMaze()) {
		t.Errorf("%s is not found again as it was: %v", generated.GetMaze().GetMazeId(), err)
	}
	known, err := client.GetMaze(t.Context(), &mazev1.GetMazeRequest{MazeId: "heldout-0007"})
	if err != nil {
		t.Fatal(err)
	}
	checked, err := client.CheckMaze(t.Context(), &mazev1.CheckMazeRequest{Maze: &mazev1.DrawnMaze{Rows: known.GetMaze().GetRows()}})
	if err != nil || !checked.GetSolvable() || checked.GetKnownMazeId() != "heldout-0007" {
		t.Errorf("the check says %v, %v", checked, err)
	}
	bad, err := client.CheckMaze(t.Context(), &mazev1.CheckMazeRequest{Maze: &mazev1.DrawnMaze{Rows: []string{"S.S", "###", "..G"}}})
	if err != nil || bad.GetSolvable() || len(bad.GetProblems()) == 0 || bad.GetProblems()[0].GetRule() != "start.many" {
		t.Errorf("the check says %v, %v", bad, err)
	}
}

func TestTheModelIsSwitchedWhileEpisodesRun(t *testing.T) {
	s := start(t, nil)
	listed, err := models(s.public).ListModels(t.Context(), &modelv1.ListModelsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var old, next string
	for _, m := range listed.GetModels() {
		switch {
		case m.GetActive():
			old = m.GetModelId()
		case m.GetState() == modelv1.ModelState_MODEL_STATE_READY && m.GetSuccess()[0].GetRate() == 1: // the gate lets it pass
			next = m.GetModelId()
		}
	}
	if old == "" {
		t.Fatal("no model is active after the first start")
	}
	if next == "" {
		t.Skip("only one model is shipped")
	}
	tr := transports(t, 0)[0]
	running := &episode{}
	request := &inferencev1.RunEpisodeRequest{Maze: mazeByID("large20-01"), StepsPerSecond: 100}
	live, err := tr.open(t.Context(), s.public, request)
	if err != nil {
		t.Fatal(err)
	}
	response, err := live.next()
	if err != nil {
		t.Fatal(err)
	}
	running.started = response.GetStarted()

	if _, err := models(s.public).SetActiveModel(t.Context(), &modelv1.SetActiveModelRequest{ModelId: next}); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("the public listener answered a change with %v", err)
	}
	set, err := models(s.private).SetActiveModel(t.Context(), &modelv1.SetActiveModelRequest{ModelId: next, Reason: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	if set.GetActivation().GetPreviousModelId() != old || !set.GetModel().GetActive() {
		t.Errorf("the switch answered %v", set)
	}
	if err := running.follow(live, -1); err != nil || running.finished == nil {
		t.Errorf("the running episode ended in %v", err)
	}
	if running.started.GetPolicy().GetModelId() != old {
		t.Errorf("the running episode had %s, want %s", running.started.GetPolicy().GetModelId(), old)
	}
	fresh, err := run(t.Context(), tr, s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001")})
	if err != nil || fresh.started.GetPolicy().GetModelId() != next {
		t.Errorf("a new episode got %s, %v; want %s", fresh.started.GetPolicy().GetModelId(), err, next)
	}
	active, err := models(s.public).GetActiveModel(t.Context(), &modelv1.GetActiveModelRequest{})
	if err != nil || active.GetModel().GetModelId() != next || active.GetActivation().GetReason() != "e2e" {
		t.Errorf("the active model is %v, %v", active, err)
	}
	eventually(t, "models in memory are those in use or kept", func() bool {
		status, err := system(s.public).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
		return err == nil && status.GetModelsLoaded() >= 1 && status.GetModelsLoaded() <= 2
	})
}

func TestASecondStartKeepsTheActiveModelAndTheLog(t *testing.T) {
	folder, err := dataFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, folder) })
	first := start(t, map[string]string{"DATA_DIR": folder})
	request := &inferencev1.RunEpisodeRequest{EpisodeId: newEpisodeID(), Maze: mazeByID("heldout-0002")}
	e, err := run(t.Context(), transports(t, 0)[0], first.public, request)
	if err != nil {
		t.Fatal(err)
	}
	before, err := models(first.public).GetActiveModel(t.Context(), &modelv1.GetActiveModelRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	second := start(t, map[string]string{"DATA_DIR": folder})
	t.Logf("the second start took %d ms", time.Since(began).Milliseconds())
	after, err := models(second.public).GetActiveModel(t.Context(), &modelv1.GetActiveModelRequest{})
	if err != nil || !proto.Equal(before.GetActivation(), after.GetActivation()) {
		t.Errorf("the activation was %v and is %v, %v", before.GetActivation(), after.GetActivation(), err)
	}
	record, err := find(t, episodes(t, folder), request.GetEpisodeId())
	if err != nil || record.Steps != len(e.steps) {
		t.Errorf("the log holds %+v, %v", record, err)
	}
	// The resume token of before is still good.
	resumed := &episode{started: e.started, steps: e.steps[:3]}
	s, err := transports(t, 0)[0].open(t.Context(), second.public, resumed.resume(request))
	if err != nil {
		t.Fatal(err)
	}
	if err := resumed.follow(s, -1); err != nil {
		t.Fatal(err)
	}
	if d := difference(e, resumed); d != "" {
		t.Error(d)
	}
}

func TestHealthAnswersPlainJSON(t *testing.T) {
	response, err := http.Get(shared.public + "/health") //nolint:noctx // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	var health struct {
		Status        string
		ActiveModelID string `json:"active_model_id"`
		Stores        []struct {
			Name string
			Up   bool
		}
		ServerTS time.Time `json:"server_ts"`
	}
	if err := json.Unmarshal(body, &health); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", response.StatusCode, err, body)
	}
	if health.Status != "serving" || health.ActiveModelID == "" || len(health.Stores) != 2 || !health.Stores[0].Up || !health.Stores[1].Up || time.Since(health.ServerTS) > time.Minute {
		t.Errorf("health is %s", body)
	}
}
