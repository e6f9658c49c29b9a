package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1/modelv1connect"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/testing/modeltest"
)

// upload is a request for a model of its own.
func upload(t *testing.T, name, note string) *modelv1.RegisterModelRequest {
	t.Helper()
	files := modeltest.Files(t, note)
	return &modelv1.RegisterModelRequest{Name: name, PolicyOnnx: files.ONNX, ManifestJson: string(files.Manifest), ParityJson: string(files.Parity)}
}

// TestATrainedModelActsAtOnceAndAfterARestart is the end of a training: the trainer registers, everybody plays.
func TestATrainedModelActsAtOnceAndAfterARestart(t *testing.T) {
	data := tempData(t)
	first := start(t, map[string]string{"DATA_DIR": data})
	request := upload(t, "quick", "trained")
	registered, err := models(first.private).RegisterModel(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	m := registered.GetModel()
	if !registered.GetCreated() || m.GetModelId() != "quick-1" || m.GetState() != modelv1.ModelState_MODEL_STATE_READY || m.GetActive() || m.GetRegisteredAt() == nil || len(m.GetSuccess()) == 0 {
		t.Errorf("registered %v", registered)
	}
	listed, err := models(first.public).ListModels(t.Context(), &modelv1.ListModelsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, one := range listed.GetModels() {
		found = found || proto.Equal(one, m)
	}
	if !found {
		t.Errorf("the list lacks it: %v", listed)
	}
	play := func(base string) {
		t.Helper()
		for _, tr := range transports(t, 0) {
			e, err := run(t.Context(), tr, base, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001"), Policy: modelPolicy("quick-1")})
			if err != nil || e.finished.GetOutcome() != inferencev1.Outcome_OUTCOME_REACHED_GOAL || !e.finished.GetLogged() {
				t.Errorf("%s: %v, %v", tr.name, e.finished, err)
			}
		}
		// A race against the model that it is a copy of: step for step the same.
		race, err := inference(base).RunRace(t.Context(), &inferencev1.RunRaceRequest{Maze: mazeByID("heldout-0002"), Lanes: []*inferencev1.RaceLane{{Policy: modelPolicy("quick-1")}, {Policy: modelPolicy(shippedModel)}}})
		if err != nil {
			t.Fatal(err)
		}
		for race.Receive() {
		}
		if err := errors.Join(race.Err(), race.Close()); err != nil {
			t.Error(err)
		}
	}
	play(first.public)
	again, err := models(first.private).RegisterModel(t.Context(), request)
	if err != nil || again.GetCreated() || again.GetModel().GetModelId() != "quick-1" {
		t.Errorf("again: %v, %v", again, err)
	}
	if active, err := models(first.private).SetActiveModel(t.Context(), &modelv1.SetActiveModelRequest{ModelId: "quick-1", Reason: "better"}); err != nil || !active.GetModel().GetActive() {
		t.Errorf("activated: %v, %v", active, err)
	}
	if again, err := models(first.private).RegisterModel(t.Context(), request); err != nil || !again.GetModel().GetActive() {
		t.Errorf("again, active: %v, %v", again, err)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}

	second := start(t, map[string]string{"DATA_DIR": data})
	active, err := models(second.public).GetActiveModel(t.Context(), &modelv1.GetActiveModelRequest{})
	if err != nil || active.GetModel().GetModelId() != "quick-1" {
		t.Errorf("active after the restart: %v, %v", active, err)
	}
	play(second.public)
}

func TestRegisteringIsForThePrivateListenerAndItsSizes(t *testing.T) {
	request := upload(t, "refused", "refused")
	if _, err := models(shared.public).RegisterModel(t.Context(), request); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("on the public listener: %v", err)
	}
	compressed := modelv1connect.NewModelServiceClient(http.DefaultClient, shared.private, connect.WithSendGzip())
	if _, err := compressed.RegisterModel(t.Context(), request); connect.CodeOf(err) != connect.CodeUnimplemented {
		t.Errorf("compressed: %v", err)
	}
	large := proto.CloneOf(request)
	large.PolicyOnnx = make([]byte, 3<<20+1)
	if _, err := models(shared.private).RegisterModel(t.Context(), large); connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), "policy_onnx") {
		t.Errorf("a network beyond 3 MiB: %v", err)
	}
	large.PolicyOnnx = make([]byte, 5<<20)
	if _, err := models(shared.private).RegisterModel(t.Context(), large); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("a body beyond 4 MiB: %v", err)
	}
	if _, err := models(shared.private).SetActiveModel(t.Context(), &modelv1.SetActiveModelRequest{ModelId: "a", Reason: strings.Repeat("x", 100<<10)}); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("another procedure with a body beyond 64 KiB: %v", err)
	}
	for name, c := range map[string]struct {
		change      func(*modelv1.RegisterModelRequest)
		field, rule string
	}{
		"no name":        {func(r *modelv1.RegisterModelRequest) { r.Name = "" }, "name", "string.min_len"},
		"a path":         {func(r *modelv1.RegisterModelRequest) { r.Name = "../quick" }, "name", "string.pattern"},
		"a shipped name": {func(r *modelv1.RegisterModelRequest) { r.Name = "ppo-memory" }, "name", "model.name_reserved"},
		"no network":     {func(r *modelv1.RegisterModelRequest) { r.PolicyOnnx = nil }, "policy_onnx", "bytes.min_len"},
		"cut short":      {func(r *modelv1.RegisterModelRequest) { r.PolicyOnnx = r.PolicyOnnx[:1000] }, "policy_onnx", "model.network"},
		"no manifest":    {func(r *modelv1.RegisterModelRequest) { r.ManifestJson = "[]" }, "manifest_json", "model.manifest"},
		"no vectors":     {func(r *modelv1.RegisterModelRequest) { r.ParityJson = "{}" }, "parity_json", "model.parity"},
	} {
		bad := proto.CloneOf(request)
		c.change(bad)
		_, err := models(shared.private).RegisterModel(t.Context(), bad)
		if field, rule := violation(err); connect.CodeOf(err) != connect.CodeInvalidArgument || field != c.field || rule != c.rule {
			t.Errorf("%s: %s, %s, %v", name, field, rule, err)
		}
	}
	// By JSON, as with curl.
	body, err := json.Marshal(map[string]any{"name": "by-json", "policyOnnx": request.GetPolicyOnnx(), "manifestJson": request.GetManifestJson(), "parityJson": request.GetParityJson()})
	if err != nil {
		t.Fatal(err)
	}
	post := func(body []byte, encoding string) int {
		call, err := http.NewRequestWithContext(t.Context(), http.MethodPost, shared.private+modelv1connect.ModelServiceRegisterModelProcedure, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		call.Header.Set("Content-Type", "application/json")
		if encoding != "" {
			call.Header.Set("Content-Encoding", encoding)
		}
		response, err := http.DefaultClient.Do(call)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	var inflating bytes.Buffer
	writer := gzip.NewWriter(&inflating)
	_, _ = writer.Write(body)
	_ = writer.Close()
	if status := post(inflating.Bytes(), "gzip"); status != http.StatusNotImplemented {
		t.Errorf("a compressed body got status %d", status)
	}
	if listed, err := models(shared.public).GetModel(t.Context(), &modelv1.GetModelRequest{ModelId: "by-json-1"}); err == nil {
		t.Errorf("something was registered: %v", listed)
	}
	if entries, err := os.ReadDir(filepath.Join(shared.dataDir, "models")); err != nil || len(entries) != 0 {
		t.Errorf("something was kept: %v, %v", entries, err)
	}
}

// foldersOf counts the folders that begin with the prefix.
func foldersOf(t *testing.T, path, prefix string) int {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			found++
		}
	}
	return found
}

// waitForFolder returns in the moment in which another folder begins with the prefix. It asks without a pause, not to miss it.
func waitForFolder(t *testing.T, path, prefix string, there int) {
	t.Helper()
	for deadline := time.Now().Add(measured.Patience); time.Now().Before(deadline); {
		if foldersOf(t, path, prefix) > there {
			return
		}
	}
	t.Fatalf("no folder %s came", prefix)
}

// TestAKilledServerHasNoModelHalfRegistered kills the server while models are registered: when files are staged, when they have their place and
// maybe no row yet, at any moment. It looks at what the next start makes of that: each folder is a row and each row a folder, each acts, and
// whoever calls again gets one version of each file.
func TestAKilledServerHasNoModelHalfRegistered(t *testing.T) {
	data, addresses := tempData(t), freePorts(t, 2)
	private := "http://" + addresses[1]
	folder := filepath.Join(data, "models")
	var sent []*modelv1.RegisterModelRequest
	for round := range count(2, 20) {
		p := startProcess(t, data, addresses, nil)
		there := foldersOf(t, folder, "killed-")
		for i := range 3 {
			sent = append(sent, upload(t, "killed", fmt.Sprintf("round %d, file %d", round, i)))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for i := 0; ctx.Err() == nil; i++ {
				_, _ = models(private).RegisterModel(ctx, sent[len(sent)-1-i%3]) // most calls are cut
			}
		}()
		switch round % 3 {
		case 0:
			waitForFolder(t, folder, ".staged-killed-", 0)
		case 1:
			waitForFolder(t, folder, "killed-", there) // a new one, whose row follows
		default:
			time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond) //nolint:gosec // the moment of the kill is to be any
		}
		if err := p.command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-p.ended
		cancel()
		<-ended
	}
	p := startProcess(t, data, addresses, nil)
	consistent := func() map[string]bool {
		t.Helper()
		listed, err := models(p.public).ListModels(t.Context(), &modelv1.ListModelsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		rows := map[string]bool{}
		for _, m := range listed.GetModels() {
			if m.GetName() == "killed" {
				rows[m.GetModelId()] = true
				if m.GetState() != modelv1.ModelState_MODEL_STATE_READY {
					t.Errorf("%s is broken: %s", m.GetModelId(), m.GetStateReason())
				}
			}
		}
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != len(rows) {
			t.Errorf("%d folders, %d rows, %v", len(entries), len(rows), err)
		}
		for _, e := range entries {
			if !rows[e.Name()] {
				t.Errorf("%s is no row", e.Name())
			}
		}
		return rows
	}
	before := consistent()
	ids := map[string]bool{}
	for _, request := range sent {
		again, err := models(private).RegisterModel(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		ids[again.GetModel().GetModelId()] = true
	}
	after := consistent()
	if len(ids) != len(sent) || len(after) != len(sent) {
		t.Errorf("%d files became %d models, %d rows", len(sent), len(ids), len(after))
	}
	t.Logf("%d of %d files were registered when the server was killed", len(before), len(sent))
	for id := range after {
		if _, err := run(t.Context(), transports(t, 0)[0], p.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0003"), Policy: modelPolicy(id), MaxSteps: 3}); err != nil {
			t.Errorf("%s can't act: %v", id, err)
		}
	}
}
