package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

// violation returns field and rule that an error names.
func violation(err error) (field, rule string) {
	coded, ok := asConnect(err)
	if !ok {
		return "", ""
	}
	for _, detail := range coded.Details() {
		value, err := detail.Value()
		if violations, ok := value.(*validate.Violations); err == nil && ok && len(violations.GetViolations()) > 0 {
			first := violations.GetViolations()[0]
			return protovalidate.FieldPathString(first.GetField()), first.GetRuleId()
		}
	}
	return "", ""
}

func asConnect(err error) (*connect.Error, bool) {
	coded, ok := err.(*connect.Error) //nolint:errorlint // clients return it unwrapped
	return coded, ok
}

func repeat(row string, n int) []string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = row
	}
	return rows
}

func TestBadInputNamesFieldAndRuleOverEveryTransport(t *testing.T) {
	good := func() *inferencev1.RunEpisodeRequest {
		return &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001"), Seed: proto.Uint64(1)}
	}
	tr := transports(t, 0)
	whole, err := run(t.Context(), tr[0], shared.public, good())
	if err != nil {
		t.Fatal(err)
	}
	cut := &episode{started: whole.started, steps: whole.steps[:2]}
	var zero [10]byte
	for _, c := range []struct {
		name  string
		set   func(*inferencev1.RunEpisodeRequest)
		code  connect.Code
		field string
		rule  string
	}{
		{"unknown maze", func(r *inferencev1.RunEpisodeRequest) { r.Maze = mazeByID("heldout-9999") }, connect.CodeNotFound, "maze.maze_id", "maze.unknown"},
		{"strange maze id", func(r *inferencev1.RunEpisodeRequest) { r.Maze = mazeByID("../etc/passwd") }, connect.CodeInvalidArgument, "maze.maze_id", "string.pattern"},
		{"no maze", func(r *inferencev1.RunEpisodeRequest) { r.Maze = nil }, connect.CodeInvalidArgument, "maze", "required"},
		{"empty maze", func(r *inferencev1.RunEpisodeRequest) { r.Maze = &mazev1.MazeRef{} }, connect.CodeInvalidArgument, "maze.maze", "required"},
		{"no start", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("...", "...", "..G") }, connect.CodeInvalidArgument, "maze.drawn.rows", "start.missing"},
		{"two starts", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("S.S", "...", "..G") }, connect.CodeInvalidArgument, "maze.drawn.rows", "start.many"},
		{"no goal", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("S..", "...", "...") }, connect.CodeInvalidArgument, "maze.drawn.rows", "goal.missing"},
		{"two goals", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("S.G", "...", "..G") }, connect.CodeInvalidArgument, "maze.drawn.rows", "goal.many"},
		{"ragged rows", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("S..", "....", "..G") }, connect.CodeInvalidArgument, "maze.drawn.rows", "rows.ragged"},
		{"no way", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("S..", "###", "..G") }, connect.CodeInvalidArgument, "maze.drawn.rows", "goal.unreachable"},
		{"other characters", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("S..", ".x.", "..G") }, connect.CodeInvalidArgument, "maze.drawn.rows[1]", "string.pattern"},
		{"too few rows", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("S..", "..G") }, connect.CodeInvalidArgument, "maze.drawn.rows", "repeated.min_items"},
		{"too many rows", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze(repeat("S.G", 101)...) }, connect.CodeInvalidArgument, "maze.drawn.rows", "repeated.max_items"},
		{"too few columns", func(r *inferencev1.RunEpisodeRequest) { r.Maze = drawnMaze("S.", "..", ".G") }, connect.CodeInvalidArgument, "maze.drawn.rows[0]", "string.min_len"},
		{"too many columns", func(r *inferencev1.RunEpisodeRequest) {
			r.Maze = drawnMaze(repeat(strings.Repeat(".", 101), 3)...)
		}, connect.CodeInvalidArgument, "maze.drawn.rows[0]", "string.max_len"},
		{"unknown model", func(r *inferencev1.RunEpisodeRequest) { r.Policy = modelPolicy("ppo-nowhere-1") }, connect.CodeNotFound, "policy.model_id", "model.unknown"},
		{"strange model id", func(r *inferencev1.RunEpisodeRequest) { r.Policy = modelPolicy("../../secret") }, connect.CodeInvalidArgument, "policy.model_id", "string.pattern"},
		{"unknown baseline", func(r *inferencev1.RunEpisodeRequest) { r.Policy = baseline(99) }, connect.CodeInvalidArgument, "policy.baseline", "enum.defined_only"},
		{"unspecified baseline", func(r *inferencev1.RunEpisodeRequest) { r.Policy = baseline(0) }, connect.CodeInvalidArgument, "policy.baseline", "enum.not_in"},
		{"temperature 0", func(r *inferencev1.RunEpisodeRequest) { r.Sampling = softmax(0) }, connect.CodeInvalidArgument, "sampling.softmax.temperature", "double.gte_lte"},
		{"negative speed", func(r *inferencev1.RunEpisodeRequest) { r.StepsPerSecond = -1 }, connect.CodeInvalidArgument, "steps_per_second", "steps_per_second.range"},
		{"absurd speed", func(r *inferencev1.RunEpisodeRequest) { r.StepsPerSecond = 1e9 }, connect.CodeInvalidArgument, "steps_per_second", "steps_per_second.range"},
		{"negative after_step", func(r *inferencev1.RunEpisodeRequest) { r.AfterStep = -1 }, connect.CodeInvalidArgument, "after_step", "int32.gte_lte"},
		{"share_ms beyond 100", func(r *inferencev1.RunEpisodeRequest) { r.ShareMs = 101 }, connect.CodeInvalidArgument, "share_ms", "int32.gte_lte"},
		{"negative max_steps", func(r *inferencev1.RunEpisodeRequest) { r.MaxSteps = -1 }, connect.CodeInvalidArgument, "max_steps", "int32.gte_lte"},
		{"no UUID", func(r *inferencev1.RunEpisodeRequest) { r.EpisodeId = "42" }, connect.CodeInvalidArgument, "episode_id", "episode_id.uuid"},
		{"UUID of last week", func(r *inferencev1.RunEpisodeRequest) {
			r.EpisodeId = domain.NewEpisodeID(time.Now().Add(-7*24*time.Hour), zero)
		}, connect.CodeInvalidArgument, "episode_id", "episode_id.time"},
		{"resume without a token", func(r *inferencev1.RunEpisodeRequest) { r.AfterStep = 1 }, connect.CodeInvalidArgument, "resume_token", ""},
		{"wrong token", func(r *inferencev1.RunEpisodeRequest) {
			proto.Merge(r, cut.resume(r))
			r.ResumeToken = "bm9uc2Vuc2U"
		}, connect.CodeFailedPrecondition, "resume_token", "resume_token.wrong"},
		{"token of another maze", func(r *inferencev1.RunEpisodeRequest) {
			proto.Merge(r, cut.resume(r))
			r.Maze = mazeByID("heldout-0002")
		}, connect.CodeFailedPrecondition, "resume_token", "resume_token.wrong"},
		{"token of another seed", func(r *inferencev1.RunEpisodeRequest) {
			proto.Merge(r, cut.resume(r))
			r.Seed = proto.Uint64(2)
		}, connect.CodeFailedPrecondition, "resume_token", "resume_token.wrong"},
		{"other actions", func(r *inferencev1.RunEpisodeRequest) {
			proto.Merge(r, cut.resume(r))
			r.ActionsDigest++
		}, connect.CodeFailedPrecondition, "actions_digest", "actions_digest.mismatch"},
		{"after_step beyond the episode", func(r *inferencev1.RunEpisodeRequest) {
			proto.Merge(r, cut.resume(r))
			r.AfterStep = int32(len(whole.steps)) + 1
		}, connect.CodeInvalidArgument, "after_step", ""},
		{"episode_id of another episode", func(r *inferencev1.RunEpisodeRequest) {
			r.EpisodeId = whole.started.GetEpisodeId()
			r.Maze = mazeByID("heldout-0003")
		}, connect.CodeAlreadyExists, "episode_id", "episode_id.taken"},
	} {
		request := good()
		c.set(request)
		for _, way := range tr {
			_, err := run(t.Context(), way, shared.public, request)
			field, rule := violation(err)
			if connect.CodeOf(err) != c.code || field != c.field || c.rule != "" && rule != c.rule {
				t.Errorf("%s over %s: %v on field %q by rule %q; want %v on %q by %q", c.name, way.name, err, field, rule, c.code, c.field, c.rule)
			}
		}
	}
}

func TestBadInputOfUnaryCallsNamesFieldAndRule(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		call  func() error
		code  connect.Code
		field string
	}{
		"unknown set": {func() error {
			_, err := mazes(shared.public).ListMazes(ctx, &mazev1.ListMazesRequest{SetId: "nowhere"})
			return err
		}, connect.CodeNotFound, "set_id"},
		"no set": {func() error {
			_, err := mazes(shared.public).ListMazes(ctx, &mazev1.ListMazesRequest{})
			return err
		}, connect.CodeInvalidArgument, "set_id"},
		"foreign page token": {func() error {
			_, err := mazes(shared.public).ListMazes(ctx, &mazev1.ListMazesRequest{SetId: "heldout", PageToken: "Zm9yZWlnbg"})
			return err
		}, connect.CodeInvalidArgument, "page_token"},
		"large page": {func() error {
			_, err := mazes(shared.public).ListMazes(ctx, &mazev1.ListMazesRequest{SetId: "heldout", PageSize: 201})
			return err
		}, connect.CodeInvalidArgument, "page_size"},
		"unknown maze": {func() error {
			_, err := mazes(shared.public).GetMaze(ctx, &mazev1.GetMazeRequest{MazeId: "nowhere"})
			return err
		}, connect.CodeNotFound, "maze_id"},
		"generated maze out of range": {func() error {
			_, err := mazes(shared.public).GetMaze(ctx, &mazev1.GetMazeRequest{MazeId: "generated-1000x1000-1"})
			return err
		}, connect.CodeNotFound, "maze_id"},
		"large maze": {func() error {
			_, err := mazes(shared.public).GenerateMaze(ctx, &mazev1.GenerateMazeRequest{Rows: 101})
			return err
		}, connect.CodeInvalidArgument, "rows"},
		"loop ratio": {func() error {
			_, err := mazes(shared.public).GenerateMaze(ctx, &mazev1.GenerateMazeRequest{LoopRatio: 2})
			return err
		}, connect.CodeInvalidArgument, "loop_ratio"},
		"check of strange characters": {func() error {
			_, err := mazes(shared.public).CheckMaze(ctx, &mazev1.CheckMazeRequest{Maze: &mazev1.DrawnMaze{Rows: []string{"S..", ".?.", "..G"}}})
			return err
		}, connect.CodeInvalidArgument, "maze.rows[1]"},
		"unknown model": {func() error {
			_, err := models(shared.public).GetModel(ctx, &modelv1.GetModelRequest{ModelId: "nowhere-1"})
			return err
		}, connect.CodeNotFound, "model_id"},
		"unknown model to activate": {func() error {
			_, err := models(shared.private).SetActiveModel(ctx, &modelv1.SetActiveModelRequest{ModelId: "nowhere-1"})
			return err
		}, connect.CodeNotFound, "model_id"},
		"map of a baseline": {func() error {
			_, err := inference(shared.public).MapPolicy(ctx, &inferencev1.MapPolicyRequest{Maze: mazeByID("heldout-0001"), Policy: baseline(1)})
			return err
		}, connect.CodeFailedPrecondition, "policy.baseline"},
		"map beyond the episode": {func() error {
			_, err := inference(shared.public).MapPolicy(ctx, &inferencev1.MapPolicyRequest{Maze: mazeByID("heldout-0001"), AfterStep: 19999})
			return err
		}, connect.CodeInvalidArgument, "after_step"},
		"list of a foreign page token": {func() error {
			_, err := episodeLog(shared.public).ListEpisodes(ctx, &inferencev1.ListEpisodesRequest{PageToken: "Zm9yZWlnbg"})
			return err
		}, connect.CodeInvalidArgument, "page_token"},
		"list of a large page": {func() error {
			_, err := episodeLog(shared.public).ListEpisodes(ctx, &inferencev1.ListEpisodesRequest{PageSize: 101})
			return err
		}, connect.CodeInvalidArgument, "page_size"},
		"list of a strange model": {func() error {
			_, err := episodeLog(shared.public).ListEpisodes(ctx, &inferencev1.ListEpisodesRequest{ModelId: "../x"})
			return err
		}, connect.CodeInvalidArgument, "model_id"},
		"failures of too many days": {func() error {
			_, err := episodeLog(shared.public).ListFailures(ctx, &inferencev1.ListFailuresRequest{Days: 32})
			return err
		}, connect.CodeInvalidArgument, "days"},
		"list of a model and a baseline": {func() error {
			_, err := episodeLog(shared.public).ListEpisodes(ctx, &inferencev1.ListEpisodesRequest{ModelId: "ppo-memory-1", Baseline: 1})
			return err
		}, connect.CodeInvalidArgument, ""},
		"proof of an unknown episode": {func() error {
			_, err := episodeLog(shared.public).VerifyEpisode(ctx, &inferencev1.VerifyEpisodeRequest{EpisodeId: newEpisodeID()})
			return err
		}, connect.CodeNotFound, "episode_id"},
		"proof of nothing": {func() error {
			_, err := episodeLog(shared.public).VerifyEpisode(ctx, &inferencev1.VerifyEpisodeRequest{})
			return err
		}, connect.CodeInvalidArgument, "episode_id"},
	} {
		err := c.call()
		if field, rule := violation(err); connect.CodeOf(err) != c.code || field != c.field || rule == "" {
			t.Errorf("%s: %v on field %q by rule %q; want %v on %q", name, err, field, rule, c.code, c.field)
		}
	}
}

// TestDamagedModelsAreListedAsBroken starts a server on a folder in which every model but the default is damaged in another way.
func TestDamagedModelsAreListedAsBroken(t *testing.T) {
	folder := damagedModels(t)
	s := start(t, map[string]string{"MODEL_STORE": folder})
	listed, err := models(s.public).ListModels(t.Context(), &modelv1.ListModelsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, m := range listed.GetModels() {
		if m.GetActive() {
			continue
		}
		if m.GetState() != modelv1.ModelState_MODEL_STATE_BROKEN || m.GetStateReason() == "" || strings.Contains(m.GetStateReason(), folder) {
			t.Errorf("%s: state %v, reason %q", m.GetModelId(), m.GetState(), m.GetStateReason())
		}
		reasons[m.GetModelId()] = m.GetStateReason()
		_, err := models(s.private).SetActiveModel(t.Context(), &modelv1.SetActiveModelRequest{ModelId: m.GetModelId()})
		if field, _ := violation(err); connect.CodeOf(err) != connect.CodeFailedPrecondition || field != "model_id" {
			t.Errorf("%s was activated: %v", m.GetModelId(), err)
		}
		if _, err := run(t.Context(), transports(t, 0)[0], s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001"), Policy: modelPolicy(m.GetModelId())}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
			t.Errorf("%s ran: %v", m.GetModelId(), err)
		}
	}
	for id, want := range map[string]string{
		"damaged-missing-1": "missing", "damaged-short-1": "bytes", "damaged-hash-1": "SHA-256", "damaged-manifest-1": "manifest.json",
		"damaged-output-1": "output", "damaged-parity-1": "parity check",
	} {
		if !strings.Contains(reasons[id], want) {
			t.Errorf("%s is broken because %q, want a reason with %q", id, reasons[id], want)
		}
	}
	if _, err := run(t.Context(), transports(t, 0)[0], s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001")}); err != nil {
		t.Errorf("the default no longer runs: %v", err)
	}
}

func TestWithoutAnActiveModelTheServerSaysSo(t *testing.T) {
	s := start(t, map[string]string{"MODEL_STORE": t.TempDir()})
	_, err := run(t.Context(), transports(t, 0)[0], s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001")})
	if connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("an episode without a model: %v", err)
	}
	if _, err := models(s.public).GetActiveModel(t.Context(), &modelv1.GetActiveModelRequest{}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("the active model: %v", err)
	}
	response, err := http.Get(s.public + "/health") //nolint:noctx // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"status":"degraded"`)) {
		t.Errorf("health says %d: %s", response.StatusCode, body)
	}
	if _, err := run(t.Context(), transports(t, 0)[0], s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001"), Policy: baseline(inferencev1.Baseline_BASELINE_NEAREST_FRONTIER)}); err != nil {
		t.Errorf("a baseline no longer runs: %v", err)
	}
}

// endpoint is one procedure with a valid message.
type endpoint struct {
	procedure string
	message   proto.Message
	stream    bool
}

func endpoints() []endpoint {
	maze := mazeByID("heldout-0001")
	return []endpoint{
		{"rlmaze.inference.v1.InferenceService/RunEpisode", &inferencev1.RunEpisodeRequest{Maze: maze, Seed: proto.Uint64(1), MaxSteps: 2, ShareMs: 3}, true},
		{"rlmaze.inference.v1.InferenceService/RunRace", &inferencev1.RunRaceRequest{Maze: maze, Seed: proto.Uint64(1), MaxSteps: 2, Lanes: []*inferencev1.RaceLane{{}, {Policy: baseline(2), Sampling: softmax(1)}}}, true},
		{"rlmaze.inference.v1.InferenceService/ScoreObservations", &inferencev1.ScoreObservationsRequest{Observations: []*inferencev1.Observation{{Values: make([]float32, domain.ObservationLength)}}}, false},
		{"rlmaze.inference.v1.InferenceService/MapPolicy", &inferencev1.MapPolicyRequest{Maze: maze, AfterStep: 1}, false},
		{"rlmaze.inference.v1.InferenceService/ListEpisodes", &inferencev1.ListEpisodesRequest{Outcome: 1, PageSize: 2, PageToken: "Zm9yZWlnbg"}, false},
		{"rlmaze.inference.v1.InferenceService/ReplayEpisode", &inferencev1.ReplayEpisodeRequest{EpisodeId: newEpisodeID(), StepsPerSecond: 10}, true},
		{"rlmaze.inference.v1.InferenceService/VerifyEpisode", &inferencev1.VerifyEpisodeRequest{EpisodeId: newEpisodeID()}, false},
		{"rlmaze.maze.v1.MazeService/ListMazeSets", &mazev1.ListMazeSetsRequest{}, false},
		{"rlmaze.maze.v1.MazeService/ListMazes", &mazev1.ListMazesRequest{SetId: "puzzles", PageSize: 2}, false},
		{"rlmaze.maze.v1.MazeService/GetMaze", &mazev1.GetMazeRequest{MazeId: "heldout-0001"}, false},
		{"rlmaze.maze.v1.MazeService/GenerateMaze", &mazev1.GenerateMazeRequest{Rows: 5, Seed: proto.Uint64(9)}, false},
		{"rlmaze.maze.v1.MazeService/CheckMaze", &mazev1.CheckMazeRequest{Maze: &mazev1.DrawnMaze{Rows: []string{"S..", "...", "..G"}}}, false},
		{"rlmaze.model.v1.ModelService/ListModels", &modelv1.ListModelsRequest{}, false},
		{"rlmaze.model.v1.ModelService/GetModel", &modelv1.GetModelRequest{ModelId: "ppo-memory-1"}, false},
		{"rlmaze.model.v1.ModelService/GetActiveModel", &modelv1.GetActiveModelRequest{}, false},
		{"rlmaze.model.v1.ModelService/SetActiveModel", &modelv1.SetActiveModelRequest{ModelId: "nowhere-1"}, false},
		{"rlmaze.system.v1.SystemService/GetStatus", &modelv1.ListModelsRequest{}, false},
		{"grpc.health.v1.Health/Check", &modelv1.GetModelRequest{ModelId: "rlmaze.maze.v1.MazeService"}, false},
	}
}

// TestTruncatedAndRandomBytesNeverFailTheServer sends damaged messages to every endpoint, as protobuf and JSON, by Connect, GET, gRPC and WebSocket,
// plain, enveloped and flagged as compressed. Any answer will do but internal and unknown.
func TestTruncatedAndRandomBytesNeverFailTheServer(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // reproducible on purpose
	noise := func() []byte {
		b := make([]byte, random.IntN(200))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	sent, codes := 0, map[string]int{}
	check := func(what string, status int, code string) {
		sent++
		codes[code]++
		if status >= 500 && status != http.StatusNotImplemented && status != http.StatusServiceUnavailable || code == "internal" || code == "unknown" || code == "data_loss" {
			t.Errorf("%s was answered with status %d, code %q", what, status, code)
		}
	}
	for _, e := range endpoints() {
		binaryBody, err := proto.Marshal(e.message)
		if err != nil {
			t.Fatal(err)
		}
		jsonBody, err := protojson.Marshal(e.message)
		if err != nil {
			t.Fatal(err)
		}
		for codec, whole := range map[string][]byte{"proto": binaryBody, "json": jsonBody} {
			bodies := [][]byte{whole, bytes.Repeat([]byte{0xff}, 70<<10)}
			for n := range whole {
				bodies = append(bodies, whole[:n])
			}
			for range count(20, 2000) {
				bodies = append(bodies, noise())
				damaged := append([]byte(nil), whole...)
				for range 1 + random.IntN(4) {
					if len(damaged) > 0 {
						damaged[random.IntN(len(damaged))] = byte(random.Uint32())
					}
				}
				bodies = append(bodies, damaged)
			}
			for _, body := range bodies {
				if e.stream {
					for _, frame := range [][]byte{enveloped(0, body), enveloped(0, body)[:min(len(body)+4, 3+random.IntN(8))], enveloped(byte(1+random.IntN(254)), body), body} {
						status, code := post(t, shared.public, e.procedure, "application/connect+"+codec, "", frame)
						check(fmt.Sprintf("%s %s %q", e.procedure, codec, shorten(frame)), status, code)
					}
					continue
				}
				for _, frame := range [][]byte{enveloped(0, body), enveloped(0, body)[:3], body} {
					for _, protocol := range []string{"application/grpc", "application/grpc-web"} {
						status, code := post(t, shared.private, e.procedure, protocol+"+"+codec, "", frame)
						check(fmt.Sprintf("%s %s %s %q", protocol, e.procedure, codec, shorten(frame)), status, code)
					}
				}
				for _, encoding := range []string{"", "gzip"} {
					status, code := post(t, shared.private, e.procedure, "application/"+codec, encoding, body)
					check(fmt.Sprintf("%s %s %s %q", e.procedure, codec, encoding, shorten(body)), status, code)
				}
				if len(body) < 1000 {
					status, code := get(t, shared.public, e.procedure, codec, body)
					check(fmt.Sprintf("GET %s %s %q", e.procedure, codec, shorten(body)), status, code)
				}
			}
		}
	}
	for i, name := range []string{"runEpisode", "runRace"} {
		request, _ := protojson.Marshal(endpoints()[i].message)
		first := fmt.Appendf(nil, `{%q: %s}`, name, request)
		for n := range len(first) {
			check(fmt.Sprintf("WebSocket %q", first[:n]), 0, firstFrame(t, websocket.MessageText, first[:n]))
		}
	}
	for range count(100, 2000) {
		body := noise()
		check(fmt.Sprintf("WebSocket %q", body), 0, firstFrame(t, websocket.MessageBinary, body))
		check(fmt.Sprintf("WebSocket %q", body), 0, firstFrame(t, websocket.MessageText, []byte(strings.ToValidUTF8(string(body), "?"))))
	}
	t.Logf("%d damaged requests: %v", sent, codes)
	if strings.Contains(shared.logged(), "panic") {
		t.Error("the server panicked")
	}
}

func shorten(b []byte) []byte { return b[:min(len(b), 100)] }

// enveloped prefixes the five bytes of a stream's message.
func enveloped(flags byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(body))), body...)
}

func post(t *testing.T, base, procedure, contentType, encoding string, body []byte) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/"+procedure, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	return answer(t, request)
}

func get(t *testing.T, base, procedure, codec string, body []byte) (int, string) {
	t.Helper()
	query := url.Values{"encoding": {codec}, "base64": {"1"}, "message": {base64.URLEncoding.EncodeToString(body)}, "connect": {"v1"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/"+procedure+"?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer(t, request)
}

// answer returns the status and the Connect code of the answer, whether it stands in a unary error or in the end of a stream.
func answer(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/connect+") {
		for len(body) >= 5 { // the last message is the end of the stream
			size := int(binary.BigEndian.Uint32(body[1:5]))
			if body[0]&2 != 0 {
				var end struct{ Error struct{ Code string } }
				if err := json.Unmarshal(body[5:5+size], &end); err != nil {
					t.Fatal(err)
				}
				return response.StatusCode, end.Error.Code
			}
			body = body[5+size:]
		}
		t.Fatal("a stream without an end")
	}
	status := response.Trailer.Get("Grpc-Status")
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/grpc-web") {
		status = response.Header.Get("Grpc-Status") // an answer without a message has it there
		for frame := body; status == "" && len(frame) >= 5; {
			size := int(binary.BigEndian.Uint32(frame[1:5]))
			if frame[0]&0x80 != 0 { // the trailers
				for line := range strings.Lines(string(frame[5 : 5+size])) {
					if value, found := strings.CutPrefix(strings.ToLower(line), "grpc-status:"); found {
						status = strings.TrimSpace(value)
					}
				}
			}
			frame = frame[5+size:]
		}
		if status == "" {
			t.Fatalf("a gRPC-Web answer without a status: %v %q", response.Header, body)
		}
	}
	if status != "" && status != "0" {
		var code connect.Code
		_, _ = fmt.Sscanf(status, "%d", &code)
		return response.StatusCode, code.String()
	}
	var failure struct{ Code string }
	if response.StatusCode != http.StatusOK {
		_ = json.Unmarshal(body, &failure) // plain text has no code
	}
	return response.StatusCode, failure.Code
}

// firstFrame sends one frame and returns the code of the last frame of the answer.
func firstFrame(t *testing.T, kind websocket.MessageType, frame []byte) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), measured.Patience)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(shared.public, "http")+"/ws/inference", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	if err := socket.Write(ctx, kind, frame); err != nil {
		t.Fatal(err)
	}
	code := "none"
	for {
		_, answered, err := socket.Read(ctx)
		if err != nil {
			return code
		}
		var end struct{ Error struct{ Code string } }
		if json.Unmarshal(answered, &end) == nil {
			code = end.Error.Code
		}
	}
}
